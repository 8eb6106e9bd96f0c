#include "data/list_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/text_files.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::write_text;

class ListFileTest : public ::testing::Test {
 protected:
  std::string file(const std::string& content, const std::string& name = "list.txt") {
    write_text(dir_ / name, content);
    return dir_ / name;
  }
  std::string load_error(const std::string& content, const DatasetOptions& options = {}) {
    const std::string path = file(content);
    return error_of([&] { load_dataset(path, options); });
  }
  actio::testing::TempDir dir_;
};

using Lines = ListFileTest;
using Entries = ListFileTest;
using ClassNames = ListFileTest;
using Lists = ListFileTest;

std::string entry_text(std::string_view line) {
  const auto entry = parse_list_entry(line);
  return entry ? fmt::format("{}|{}|{}", entry->path, entry->frames, entry->label) : "none";
}

TEST_F(Lines, lose_blanks_carriage_returns_and_the_byte_order_mark_and_keep_their_numbers) {
  const ListFile list = read_list_file(file("\xEF\xBB\xBF a 1 \r\n\r\n\t\nb#c;[d] 2\t\r\nlast"));
  ASSERT_EQ(list.lines.size(), 3u);
  EXPECT_EQ(list.lines[0].text, "a 1");
  EXPECT_EQ(list.lines[1].text, "b#c;[d] 2");
  EXPECT_EQ(list.lines[1].number, 4u);
  EXPECT_EQ(list.lines[2].text, "last");
  EXPECT_EQ(list.lines[2].number, 5u);
}

TEST_F(Lines, name_file_and_line_of_what_no_list_has) {
  const auto error = [&](const std::string& content) { return error_of([&] { read_list_file(file(content)); }); };
  EXPECT_THAT(error(""), EndsWith("list.txt: empty; one entry a line was expected"));
  EXPECT_THAT(error("\xEF\xBB\xBF \r\n\r\n"), StartsWith("3: "));
  EXPECT_THAT(error("a 1\nb" + std::string(1, '\0') + " 2\n"), EndsWith("list.txt line 2: a NUL byte; text was expected"));
  EXPECT_THAT(error("a 1\n" + std::string(8193, 'x') + "\n"),
              EndsWith("line 2: 8193 bytes; at most 8192 are read as one line"));
  EXPECT_EQ(error(std::string(8192, 'x')), "no error");
  EXPECT_THAT(error_of([&] { read_list_file(dir_ / "none.txt"); }),
              AllOf(StartsWith("1: "), EndsWith("none.txt: no such file")));
  EXPECT_THAT(error_of([&] { read_list_file(dir_.path().string()); }), HasSubstr("is a directory"));
}

TEST_F(Entries, have_a_label_at_the_end_and_may_have_frames_before_it) {
  EXPECT_EQ(entry_text("a/b.avi 3"), "a/b.avi||3");
  EXPECT_EQ(entry_text("a/b 120 3"), "a/b|120|3");
  EXPECT_EQ(entry_text("a/b\t120\t3"), "a/b|120|3");
  EXPECT_EQ(entry_text("my clip 7.avi 120 3"), "my clip 7.avi|120|3");
  EXPECT_EQ(entry_text("a,b c.avi 3"), "a,b c.avi||3");
  EXPECT_EQ(entry_text("a.avi,3"), "a.avi||3");
  EXPECT_EQ(entry_text("a b.avi,120,3"), "a b.avi|120|3");
  EXPECT_EQ(entry_text("a.avi -1"), "a.avi||-1");
  EXPECT_EQ(entry_text("a.avi 99999999999999999999999"), "a.avi||99999999999999999999999");
  for (const char* malformed :
       {"", "a", "a.avi", "3", " 3", "a.avi x", "a.avi 1.5", "a.avi 3 -", "a 1 2 3", "path,label", "a.avi -"}) {
    EXPECT_EQ(entry_text(malformed), "none") << malformed;
  }
}

TEST_F(ClassNames, stand_one_a_line_with_or_without_an_index) {
  EXPECT_THAT(read_class_names(file("riding a bike\nrun\n")), ElementsAre("riding a bike", "run"));
  EXPECT_THAT(read_class_names(file("0 riding a bike\n1\trun\n")), ElementsAre("riding a bike", "run"));
  EXPECT_THAT(read_class_names(file("1 run\n2 hop\n")), ElementsAre("run", "hop"));
  EXPECT_THAT(read_class_names(file("3 pointers\n2 dunks\n")), ElementsAre("3 pointers", "2 dunks"));
  EXPECT_THAT(error_of([&] { read_class_names(file("run\nhop\nrun\n")); }),
              EndsWith("list.txt line 3: class 'run' is on line 1 too"));
  EXPECT_THAT(error_of([&] { read_class_names(file("g\xfcn\n")); }),
              EndsWith("line 1: the class name 'g\\xfcn' is not UTF-8"));
}

TEST_F(Lists, number_classes_as_they_do_and_need_no_videos) {
  const Dataset dataset = load_dataset(file("x/a.avi 2\nx/b.avi 0\n/abs/c.avi 2\n"));
  EXPECT_EQ(dataset.layout, Layout::kList);
  EXPECT_THAT(dataset.classes, ElementsAre("0", "1", "2"));
  EXPECT_EQ(dataset.items[0].path, dir_ / "x/a.avi");
  EXPECT_EQ(dataset.items[0].class_index, 2);
  EXPECT_EQ(dataset.items[2].path, "/abs/c.avi");
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("3 of 3 clips are not there"), HasSubstr("class '1' has no clip")));
  EXPECT_EQ(split_dataset(dataset, {}).train.size(), 3u);
}

TEST_F(Lists, take_the_names_of_classes_and_the_folder_of_videos_from_options) {
  DatasetOptions options;
  options.class_names = file("1 hop\n2 riding a bike\n3 run\n", "classInd.txt");
  options.root = "/videos";
  const Dataset dataset = load_dataset(file("x/a.avi 2\nx/b.avi 0\n"), options);
  EXPECT_THAT(dataset.classes, ElementsAre("hop", "riding a bike", "run"));
  EXPECT_EQ(dataset.items[0].label, "run");
  EXPECT_EQ(dataset.items[1].path, "/videos/x/b.avi");
  options.filter = {"label=run"};
  EXPECT_THAT(load_dataset(dir_ / "list.txt", options).classes, ElementsAre("run"));
}

TEST_F(Lists, divide_by_a_second_list) {
  DatasetOptions options;
  options.test_list = file("c.avi 1\n", "val.txt");
  const Dataset dataset = load_dataset(file("a.avi 0\nb.avi 1\n"), options);
  EXPECT_TRUE(is_divided(dataset, options));
  const Split split = split_dataset(dataset, options);
  EXPECT_EQ(split.train.size(), 2u);
  ASSERT_EQ(split.test.size(), 1u);
  EXPECT_EQ(split.test[0].columns.at("part"), "test");
  options.filter = {"part=test"};
  EXPECT_THAT(error_of([&] { split_dataset(load_dataset(dir_ / "list.txt", options), options); }),
              HasSubstr("training part of the lists"));
}

TEST_F(Lists, of_raw_frames_find_the_videos_beside_the_frames) {
  write_text(dir_ / "v/a/clip1.mp4", "");
  write_text(dir_ / "v/a/clip1/img_00001.jpg", "");
  write_text(dir_ / "v/a/clip2.webm", "");
  write_text(dir_ / "v/a/clip2.mp4", "");
  write_text(dir_ / "v/a/clip.v3.AVI", "");
  write_text(dir_ / "v/a/frames_only/img_00001.jpg", "");
  DatasetOptions options;
  options.root = dir_ / "v";
  const Dataset dataset = load_dataset(file("a/clip1 120 0\na/clip2.avi 0\na/clip.v3 7 1\na/frames_only 9 0\n"), options);
  EXPECT_EQ(dataset.items[0].path, dir_ / "v/a/clip1.mp4");
  EXPECT_EQ(dataset.items[1].path, dir_ / "v/a/clip2.mp4");
  EXPECT_EQ(dataset.items[2].path, dir_ / "v/a/clip.v3.AVI");
  EXPECT_EQ(dataset.items[3].path, dir_ / "v/a/frames_only");
  EXPECT_THAT(dataset.warnings, ElementsAre(EndsWith("1 of 4 clips are not there, nor a video of the same name: " +
                                                     (dir_ / "v/a/frames_only"))));
}

TEST_F(Lists, say_which_line_and_value_is_wrong) {
  EXPECT_THAT(
      load_error("a.avi 0\nb.avi\n"),
      AllOf(StartsWith("3: "), EndsWith("list.txt line 2: 'path label' or 'path frames label' was expected, got 'b.avi'")));
  EXPECT_THAT(load_error("a.avi 0\nb 1 2 3\n"), HasSubstr("line 2: 'path label' or"));
  EXPECT_THAT(load_error("a.avi 0\nb.avi -1\n"),
              HasSubstr("line 2: class index -1 is out of range; 0 to 99999 were expected"));
  EXPECT_THAT(load_error("a.avi 0\nb.avi 99999999999999999999\n"),
              HasSubstr("class index 99999999999999999999 is out of range"));
  EXPECT_THAT(load_error("a.avi 0\nb.avi 0\n./x/../a.avi 1\n"),
              EndsWith("list.txt line 3: './x/../a.avi' is on line 1 too"));
  DatasetOptions options;
  options.class_names = file("x\ny\n", "names.txt");
  EXPECT_THAT(load_error("a.avi 0\nb.avi 2\n", options),
              HasSubstr("line 2: class index 2 is out of range; 0 to 1 were expected, for there are 2 class names"));
  options.test_list = file("q.avi 0\na.avi 0\n", "val.txt");
  EXPECT_THAT(load_error("b.avi 0\na.avi 1\n", options),
              HasSubstr("val.txt line 2: 'a.avi' is on line 2 of " + (dir_ / "list.txt") + " too; a clip has one place"));
  options.test_list = dir_ / "none.txt";
  EXPECT_THAT(load_error("a.avi 0\n", options), AllOf(StartsWith("1: "), HasSubstr("none.txt: no such file")));
  options.test_list = file("", "empty.txt");
  EXPECT_THAT(load_error("a.avi 0\n", options), HasSubstr("empty.txt: empty"));
  EXPECT_THAT(load_error(std::string(5000, 'x') + "\n" + std::string(5000, 'y') + " 3\n").size(), ::testing::Lt(600u));
}

TEST_F(Lists, are_told_from_csv_by_their_first_line) {
  const auto layout = [&](const std::string& content, const std::string& name) {
    return load_dataset(file(content, name)).layout;
  };
  EXPECT_EQ(layout("a.avi 0\n", "train.csv"), Layout::kList);
  EXPECT_EQ(layout("\xEF\xBB\xBF\r\na.avi,0\r\n", "train.csv"), Layout::kList);
  EXPECT_EQ(layout("path,label\na.avi,0\n", "train.txt"), Layout::kCsv);
  EXPECT_EQ(layout("\xEF\xBB\xBFlabel,\"path\"\nx,a.avi\n", "train.csv"), Layout::kCsv);
  EXPECT_THAT(error_of([&] { layout("path,lable\na.avi,0\n", "train.csv"); }), HasSubstr("line 1: no column 'label'"));
  EXPECT_THAT(error_of([&] { layout("a.avi\n", "train.txt"); }), HasSubstr("line 1: 'path label' or"));
}

TEST_F(Lists, refuse_options_that_contradict_each_other) {
  DatasetOptions options;
  const auto with = [&](auto change) {
    options = {};
    change(options);
    return load_error("a_g01.avi 0\nb_g02.avi 0\n", options);
  };
  const std::string test = file("c.avi 0\n", "val.txt");
  EXPECT_THAT(with([&](auto& o) { o.test_list = test, o.fold = {"g01"}; }),
              AllOf(StartsWith("2: "), HasSubstr("test_list and fold both divide the clips")));
  EXPECT_THAT(with([&](auto& o) { o.test_list = test, o.test_share = 0.5; }), HasSubstr("test_list and test_share both"));
  EXPECT_THAT(with([&](auto& o) { o.split = 1, o.fold = {"g01"}; }), HasSubstr("split and fold both"));
  EXPECT_THAT(with([&](auto& o) { o.split = 1; }),
              HasSubstr("split belongs to the layout ucf101 or hmdb51, this is read as the layout list"));
  EXPECT_THAT(with([&](auto& o) { o.layout = Layout::kFolder; }), HasSubstr("is no folder; the layout folder needs one"));
  EXPECT_THAT(with([&](auto& o) { o.layout = Layout::kCsv, o.test_list = test; }),
              HasSubstr("test_list belongs to the layout list"));
  options = {};
  options.layout = Layout::kList;
  EXPECT_THAT(error_of([&] { load_dataset(dir_.path().string(), options); }),
              HasSubstr("is a folder; the layout list needs a file"));
  options = {};
  options.root = "/x";
  write_text(dir_ / "fd/run/a.mp4", "");
  EXPECT_THAT(error_of([&] { load_dataset(dir_ / "fd", options); }),
              HasSubstr("root belongs to the layout csv, list, ucf101 or hmdb51"));
}

TEST_F(Lists, warn_of_a_group_in_both_parts) {
  DatasetOptions options;
  options.test_list = file("v_Run_g02_c02.avi 0\nv_Hop_g01_c01.avi 1\n", "val.txt");
  const auto warnings =
      load_dataset(file("v_Run_g01_c01.avi 0\nv_Run_g02_c01.avi 0\nv_Hop_g03_c01.avi 1\n"), options).warnings;
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_THAT(warnings[1], EndsWith("group '0 g02' has clips in the training and in the test part"));
}

}  // namespace
}  // namespace actio::data
