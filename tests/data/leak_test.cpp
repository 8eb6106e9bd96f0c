#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "data/dataset.h"
#include "data/file_identity.h"
#include "data/text_files.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::write_text;

class LeakTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"a.mp4", "b.mp4", "c.mp4"}) write_text(dir_ / name, std::string("the content of ") + name);
  }
  std::string divide_error(const std::string& path, const DatasetOptions& options = {}) {
    return error_of([&] { divide(load_dataset(path, options), options); });
  }
  // Trains on a.mp4 and tests on `name`.
  std::string listed(const std::string& name) {
    write_text(dir_ / "train.txt", "a.mp4 0\nb.mp4 1\n");
    write_text(dir_ / "test.txt", name + " 0\n");
    DatasetOptions options;
    options.test_list = dir_ / "test.txt";
    return divide_error(dir_ / "train.txt", options);
  }
  ::testing::Matcher<const std::string&> names_both(const std::string& other) {
    return AllOf(StartsWith("3: "), HasSubstr("/a.mp4' in the training part and '"),
                 HasSubstr(other + "' in the test part are one file"));
  }
  actio::testing::TempDir dir_;
};

using Leak = LeakTest;

TEST_F(Leak, a_file_is_one_whatever_its_names) {
  fs::create_symlink("a.mp4", dir_ / "link.mp4");
  fs::create_hard_link(dir_ / "a.mp4", dir_ / "hard.mp4");
  fs::create_directory_symlink(".", dir_ / "here");
  const std::string own = file_identity(dir_ / "a.mp4");
  for (const char* name : {"./a.mp4", "link.mp4", "hard.mp4", "here/a.mp4", "here/here/link.mp4"}) {
    EXPECT_EQ(file_identity(dir_ / name), own) << name;
  }
  EXPECT_NE(file_identity(dir_ / "b.mp4"), own);
  EXPECT_EQ(file_identity(dir_ / "here/none.mp4"), file_identity(dir_ / "none.mp4"));  // that is not there
  EXPECT_EQ(file_identity("none.mp4"), file_identity((fs::current_path() / "none.mp4").string()));
}

TEST_F(Leak, of_lists_is_refused_by_absolute_paths_and_links) {
  fs::create_symlink("a.mp4", dir_ / "link.mp4");
  fs::create_hard_link(dir_ / "a.mp4", dir_ / "hard.mp4");
  fs::create_directory_symlink(".", dir_ / "here");
  EXPECT_EQ(listed("c.mp4"), "no error");
  EXPECT_THAT(listed("link.mp4"), names_both("/link.mp4"));
  EXPECT_THAT(listed("hard.mp4"), names_both("/hard.mp4"));
  EXPECT_THAT(listed("here/a.mp4"), names_both("/here/a.mp4"));
  const fs::path before = fs::current_path();
  fs::current_path(dir_.path());  // relative lists, an absolute clip
  DatasetOptions options;
  options.test_list = "test.txt";
  write_text("./test.txt", (dir_.path() / "a.mp4").string() + " 0\n");
  const std::string relative = divide_error("train.txt", options);
  fs::current_path(before);
  EXPECT_THAT(relative, AllOf(StartsWith("3: "), HasSubstr("'a.mp4' in the training part and '/"),
                              HasSubstr("/a.mp4' in the test part are one file")));
}

TEST_F(Leak, of_a_table_is_refused) {
  fs::create_symlink("a.mp4", dir_ / "link.mp4");
  write_text(dir_ / "labels.csv", "path,label,set\na.mp4,x,1\nb.mp4,y,1\nlink.mp4,x,2\nc.mp4,y,2\n");
  DatasetOptions options;
  options.group = "set";
  options.fold = {"2"};
  EXPECT_THAT(divide_error(dir_ / "labels.csv", options), names_both("/link.mp4"));
}

TEST_F(Leak, of_folders_is_refused_and_so_is_one_to_choose_by) {
  for (const char* name : {"fd/train/x/a.mp4", "fd/train/y/b.mp4", "fd/val/y/c.mp4", "fd/test/y/d.mp4"})
    write_text(dir_ / name, name);
  fs::create_directories(dir_ / "fd/val/x");
  EXPECT_EQ(divide_error(dir_ / "fd"), "no error");
  fs::create_hard_link(dir_ / "fd/train/x/a.mp4", dir_ / "fd/val/x/other.mp4");
  EXPECT_THAT(divide_error(dir_ / "fd"), AllOf(HasSubstr("/train/x/a.mp4' in the training part and '"),
                                               HasSubstr("/val/x/other.mp4' in the validation part are one file")));
  fs::remove(dir_ / "fd/val/x/other.mp4");
  fs::create_symlink("../../test/y/d.mp4", dir_ / "fd/val/x/other.mp4");
  EXPECT_THAT(divide_error(dir_ / "fd"), HasSubstr("/test/y/d.mp4' in the test part are one file"));
}

TEST_F(Leak, of_official_lists_is_refused) {
  for (const char* name : {"u/Run/v_Run_g02_c01.avi", "u/Hop/v_Hop_g01_c01.avi"}) write_text(dir_ / name, name);
  fs::create_symlink("v_Run_g02_c01.avi", dir_ / "u/Run/v_Run_g01_c01.avi");
  write_text(dir_ / "u/annotations/classInd.txt", "1 Run\n2 Hop\n");
  write_text(dir_ / "u/annotations/trainlist01.txt", "Run/v_Run_g02_c01.avi 1\n");
  write_text(dir_ / "u/annotations/testlist01.txt", "Run/v_Run_g01_c01.avi\nHop/v_Hop_g01_c01.avi\n");
  EXPECT_THAT(divide_error(dir_ / "u"), AllOf(HasSubstr("/v_Run_g02_c01.avi' in the training part and '"),
                                              HasSubstr("/v_Run_g01_c01.avi' in the test part are one file")));
}

TEST_F(Leak, a_share_never_divides_the_names_of_one_file) {
  std::string table = "path,label\n";
  for (int i = 0; i < 12; ++i) {
    const std::string name = fmt::format("{}.mp4", i);
    write_text(dir_ / name, name);
    fs::create_symlink(name, dir_ / fmt::format("link{}.mp4", i));
    table += fmt::format("{0},x\nlink{0},x\n", name);
  }
  write_text(dir_ / "labels.csv", table);
  DatasetOptions options;
  options.test_share = 0.5;
  EXPECT_EQ(divide_error(dir_ / "labels.csv", options), "no error");
  EXPECT_EQ(divide(load_dataset(dir_ / "labels.csv", options), options).test.size(), 12U);
}

TEST_F(Leak, copies_in_another_part_are_counted) {
  for (const char* name : {"fd/train/x/a.mp4", "fd/train/y/b.mp4", "fd/val/x/c.mp4", "fd/val/y/d.mp4"}) {
    write_text(dir_ / name, std::string(20000, 'x') + name);  // of one size, but two
  }
  const auto warnings = [&] {
    const Dataset dataset = load_dataset(dir_ / "fd");
    return split_warnings(dataset, split_dataset(dataset, {}));
  };
  EXPECT_THAT(warnings(), IsEmpty());
  fs::copy_file(dir_ / "fd/train/x/a.mp4", dir_ / "fd/train/x/again.mp4");  // a copy within a part is none
  EXPECT_THAT(warnings(), IsEmpty());
  fs::copy_file(dir_ / "fd/train/x/a.mp4", dir_ / "fd/val/y/copy.mp4");
  std::string other = std::string(20000, 'x') + "fd/train/x/a.mp4";
  other[7000] = 'y';  // neither at the beginning, in the middle nor at the end
  write_text(dir_ / "fd/val/x/near.mp4", other);
  EXPECT_THAT(warnings(), ElementsAre(AllOf(HasSubstr("3 clips have copies in another part: '"),
                                            HasSubstr("/train/x/a.mp4' in the training part"),
                                            EndsWith("/val/y/copy.mp4' in the test part"))));
}

}  // namespace
}  // namespace actio::data
