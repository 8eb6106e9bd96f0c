#include "data/label.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/list_file.h"
#include "data/text_files.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::write_text;

class LabelTest : public ::testing::Test {
 protected:
  Dataset load(const std::string& content, const DatasetOptions& options = {}) {
    write_text(dir_ / "labels.csv", content);
    return load_dataset(dir_ / "labels.csv", options);
  }
  actio::testing::TempDir dir_;
};

using Labels = LabelTest;

TEST(TrimmedLabel, has_no_blank_of_any_script_at_its_ends) {
  for (const char* text : {"a b", " a b", "a b\t\r\n",
                           "\xC2\xA0"
                           "a b\xC2\xA0",
                           "\xEF\xBB\xBF"
                           "a b",
                           " \xE3\x80\x80"
                           "a b\xE2\x80\x8B "}) {
    EXPECT_EQ(trimmed_label(text), "a b");
  }
  EXPECT_EQ(trimmed_label(" \xC2\xA0\t"), "");
  EXPECT_EQ(trimmed_label("\xC3\xA0"), "\xC3\xA0");  // ends with a byte of a blank
}

TEST(LabelKey, is_one_for_letters_that_are_composed_or_taken_apart_and_of_any_case) {
  EXPECT_EQ(label_key("Jump"), label_key("jUMP"));
  EXPECT_EQ(label_key("caf\xC3\xA9"), label_key("CAFe\xCC\x81"));
  EXPECT_EQ(label_key("\xE1\xBA\xBF"), label_key("e\xCC\x82\xCC\x81"));                     // two accents
  EXPECT_EQ(label_key("\xED\x95\x9C"), label_key("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB"));  // Hangul
  EXPECT_EQ(label_key("\xE3\x81\x8C"), label_key("\xE3\x81\x8B\xE3\x82\x99"));              // kana
  EXPECT_EQ(label_key("\xD0\x99\xD0\x90"), label_key("\xD0\xB8\xCC\x86\xD0\xB0"));          // Cyrillic
  EXPECT_EQ(label_key("\xC5\x81\xC3\x98"), label_key("\xC5\x82\xC3\xB8"));                  // strokes are no accents
  for (const char* other : {"jumps", "j\xC3\xBCmp", "jump ", "jum", ""})
    EXPECT_NE(label_key("jump"), label_key(other)) << other;
  EXPECT_NE(label_key("cafe"), label_key("caf\xC3\xA9"));
  EXPECT_NE(label_key("\xC5\x81"), label_key("L"));
}

TEST_F(Labels, lose_the_blanks_around_them_and_so_do_columns) {
  const Dataset dataset =
      load("path, label,person \na.mp4,jump,1\nb.mp4, jump, 1\r\nc.mp4,\xC2\xA0jump\t,2\nd.mp4,\"wave \",2\n");
  EXPECT_THAT(dataset.classes, ElementsAre("jump", "wave"));
  EXPECT_THAT(dataset.warnings, IsEmpty());
  DatasetOptions options;
  options.group = "person";
  options.filter = {"label= jump"};
  const Dataset jumps = load("path,label,person\na.mp4,jump,1\nb.mp4, jump, 1\nc.mp4,wave,1\n", options);
  ASSERT_EQ(jumps.items.size(), 2U);
  EXPECT_EQ(jumps.items[0].group, jumps.items[1].group);
  EXPECT_THAT(error_of([&] { load("path,label\na.mp4,\xC2\xA0\n"); }), HasSubstr("line 2: label is empty"));
}

TEST_F(Labels, leave_the_blanks_of_paths_that_are_there) {
  write_text(dir_ / " a.mp4", "x");
  const Dataset dataset = load("label,path\nx, a.mp4\ny, b.mp4\ny,c.mp4\n");
  EXPECT_EQ(dataset.items[0].path, dir_ / " a.mp4");
  EXPECT_EQ(dataset.items[1].path, dir_ / "b.mp4");
}

TEST_F(Labels, that_are_hard_to_tell_apart_are_named) {
  EXPECT_THAT(
      load("path,label\na.mp4,jump\nb.mp4,Jump\nc.mp4,wave\n").warnings,
      ElementsAre(HasSubstr("each of the 3 classes"),
                  HasSubstr("labels.csv: classes 'Jump', 'jump' differ only in case or in how accents are encoded")));
  EXPECT_THAT(load("path,label\na.mp4,caf\xC3\xA9\nb.mp4,cafe\xCC\x81\nc.mp4,cafe\xCC\x81\n").warnings,
              ElementsAre(AllOf(HasSubstr("'cafe\\xcc\\x81'"), HasSubstr("'caf\\xc3\\xa9'"))));
}

TEST_F(Labels, of_folders_and_of_files_of_names_lose_their_blanks_too) {
  write_text(dir_ / "fd/train/jump/a.mp4", "1");
  write_text(dir_ / "fd/train/wave/b.mp4", "2");
  write_text(dir_ / "fd/val/jump /c.mp4", "3");
  EXPECT_THAT(load_dataset(dir_ / "fd").classes, ElementsAre("jump", "wave"));
  write_text(dir_ / "names.txt", "\xEF\xBB\xBFjump\xC2\xA0\r\n wave\r\n");
  EXPECT_THAT(read_class_names(dir_ / "names.txt"), ElementsAre("jump", "wave"));
}

}  // namespace
}  // namespace actio::data
