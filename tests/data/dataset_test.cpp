#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "core/error.h"
#include "data/csv.h"
#include "data/group.h"
#include "data/utf8.h"
#include "support/temp_dir.h"
#include "support/shared_data.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

void write(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::string> paths_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items) names.push_back(fs::path(item.path).filename().string());
  return names;
}

class DatasetTest : public ::testing::Test {
 protected:
  std::string csv(const std::string& content) {
    write(dir_ / "labels.csv", content);
    return dir_ / "labels.csv";
  }
  std::string load_error(const std::string& content, const DatasetOptions& options = {}) {
    const std::string path = csv(content);
    return message_of([&] { load_dataset(path, options); });
  }
  actio::testing::TempDir dir_;
};

using Csv = DatasetTest;
using Folder = DatasetTest;
using Splits = DatasetTest;

TEST_F(Csv, reads_quotes_doubled_quotes_commas_line_ends_and_a_byte_order_mark) {
  const CsvTable table =
      parse_csv("\xEF\xBB\xBFpath,label\r\n\"a,b.mp4\",\"say \"\"hi\"\"\"\r\n\r\n\"two\nlines\",x\nlast,", "t.csv");
  EXPECT_THAT(table.header, ElementsAre("path", "label"));
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_THAT(table.rows[0].fields, ElementsAre("a,b.mp4", "say \"hi\""));
  EXPECT_THAT(table.rows[1].fields, ElementsAre("two\nlines", "x"));
  EXPECT_EQ(table.rows[1].line, 4u);
  EXPECT_THAT(table.rows[2].fields, ElementsAre("last", ""));
  EXPECT_EQ(table.rows[2].line, 6u);
}

TEST_F(Csv, reads_back_the_fields_it_writes) {
  for (const std::string value : {"plain", "with,comma", "with \"quotes\"", "line\nend", "\"", ""}) {
    const CsvTable table = parse_csv("a,b\n" + csv_field(value) + ",2\n", "t.csv");
    ASSERT_EQ(table.rows.size(), 1u);
    EXPECT_EQ(table.rows[0].fields[0], value);
  }
}

TEST_F(Csv, names_file_and_line_of_what_is_malformed) {
  const auto error = [](const std::string& text) { return message_of([&] { parse_csv(text, "t.csv"); }); };
  EXPECT_EQ(error("a,b\n1,2\n1,2,3\n"), "t.csv line 3: 3 fields, the header has 2");
  EXPECT_EQ(error("a,b\n1,\"open\n"), "t.csv line 2: a quote is opened and never closed");
  EXPECT_EQ(error("a,b\n\"x\"y,2\n"), "t.csv line 2: 'y' follows a closing quote; a comma was expected");
  EXPECT_EQ(error("a,b\n1,2\n" + std::string(1, '\0')), "t.csv line 3: a NUL byte; text was expected");
  EXPECT_EQ(error("a,b,a\n"), "t.csv line 1: column 'a' occurs twice");
  EXPECT_EQ(error("\n\n"), "t.csv: empty; a header was expected");
}

TEST_F(Csv, keeps_all_columns_and_resolves_paths_against_its_folder) {
  const Dataset dataset = load_dataset(csv("label,path,actor\nrun,clips/a.mp4,7\nhop,/abs/b.mp4,8\n"));
  EXPECT_THAT(dataset.classes, ElementsAre("hop", "run"));
  ASSERT_EQ(dataset.items.size(), 2u);
  EXPECT_EQ(dataset.items[0].path, dir_ / "clips/a.mp4");
  EXPECT_EQ(dataset.items[1].path, "/abs/b.mp4");
  EXPECT_EQ(dataset.items[0].columns.at("actor"), "7");
  EXPECT_EQ(dataset.items[0].class_index, 1);
  EXPECT_EQ(dataset.items[1].class_index, 0);
}

TEST_F(Csv, counts_relative_paths_from_the_root_that_is_given) {
  DatasetOptions options;
  options.root = "/videos";
  const Dataset dataset = load_dataset(csv("label,path\nrun,clips/a.mp4\nhop,/abs/b.mp4\n"), options);
  EXPECT_EQ(dataset.items[0].path, "/videos/clips/a.mp4");
  EXPECT_EQ(dataset.items[1].path, "/abs/b.mp4");
}

TEST_F(Csv, orders_classes_by_label_id_where_it_is_given) {
  const Dataset dataset = load_dataset(csv("path,label,label_id\na.mp4,run,2\nb.mp4,hop,10\nc.mp4,sit,1\n"));
  EXPECT_THAT(dataset.classes, ElementsAre("sit", "run", "hop"));
  EXPECT_EQ(dataset.items[0].class_index, 1);
}

TEST_F(Csv, says_which_value_is_wrong) {
  EXPECT_THAT(load_error("path,lable\na.mp4,x\n"), HasSubstr("labels.csv line 1: no column 'label'; columns: path, lable"));
  EXPECT_THAT(load_error("path,label\na.mp4,x\n,y\n"), HasSubstr("line 3: path is empty"));
  EXPECT_THAT(load_error("path,label\n"), HasSubstr("a header and no rows"));
  EXPECT_THAT(load_error("path,label,label_id\na,x,1\nb,y,2x\n"),
              HasSubstr("line 3: label_id must be a whole number, got '2x'"));
  EXPECT_THAT(load_error("path,label,label_id\na,x,1\nb,x,2\n"), HasSubstr("label 'x' has label_id 1 and 2"));
  EXPECT_THAT(load_error("path,label,label_id\na,x,1\nb,y,1\n"), HasSubstr("label_id 1 stands for 'x' and 'y'"));
  EXPECT_THAT(load_error("path,label,label_id\na,x,99999999999999999999\n"), HasSubstr("must be a whole number"));
  EXPECT_THAT(message_of([&] { load_dataset(dir_ / "none"); }), HasSubstr("none: no such file or folder"));
}

TEST_F(Csv, filters_with_alternatives_and_conjunction) {
  const std::string path = csv("path,label,set,part\na,x,1,train\nb,x,2,train\nc,y,3,train\nd,y,1,test\n");
  DatasetOptions options;
  options.filter = {"set=1|3"};
  EXPECT_THAT(paths_of(load_dataset(path, options).items), ElementsAre("a", "c", "d"));
  options.filter = {"set=1|3", "part=train"};
  EXPECT_THAT(paths_of(load_dataset(path, options).items), ElementsAre("a", "c"));
}

TEST_F(Csv, numbers_classes_alike_in_every_part_of_the_table) {
  const std::string path = csv("path,label,part\na,x,train\nb,y,test\nc,z,test\n");
  DatasetOptions options;
  options.filter = {"part=test"};
  const Dataset dataset = load_dataset(path, options);
  EXPECT_THAT(dataset.classes, ElementsAre("x", "y", "z"));
  EXPECT_EQ(dataset.items[0].class_index, 1);
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("class 'x' has no clip")));
  options.filter = {"label=y|z"};
  EXPECT_THAT(load_dataset(path, options).classes, ElementsAre("y", "z"));
}

TEST_F(Csv, rejects_filters_that_cannot_hold) {
  DatasetOptions options;
  const std::string content = "path,label,sequence\na,x,1\n";
  options.filter = {"sequense=1"};
  EXPECT_THAT(load_error(content, options), HasSubstr("unknown column 'sequense'; the nearest is 'sequence'"));
  options.filter = {"sequence"};
  EXPECT_THAT(load_error(content, options), HasSubstr("filter 'sequence': COLUMN=VALUE was expected"));
  options.filter = {"sequence=9"};
  EXPECT_THAT(load_error(content, options), HasSubstr("no item passes the filter sequence=9"));
  options.filter = {};
  options.group = "sequenc";
  EXPECT_THAT(load_error(content, options), HasSubstr("group: unknown column 'sequenc'"));
}

TEST_F(Folder, takes_sub_folders_as_classes_and_only_visible_videos) {
  for (const char* name : {"run/b.MP4", "run/deep/a.avi", "run/notes.txt", "run/.hidden.mp4", "hop/c.webm", "hop/.git/d.mp4",
                           ".cache/e.mp4", "empty/readme", "loose.mp4"}) {
    write(dir_ / name, "");
  }
  const Dataset dataset = load_dataset(dir_.path().string());
  EXPECT_THAT(dataset.classes, ElementsAre("hop", "run"));
  EXPECT_THAT(paths_of(dataset.items), ElementsAre("c.webm", "b.MP4", "a.avi"));
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("empty: no video, so no class")));
}

TEST_F(Folder, ends_on_links_that_form_a_circle) {
  write(dir_ / "run/a.mp4", "");
  fs::create_directory_symlink(dir_.path(), dir_ / "run/parent");
  const Dataset dataset = load_dataset(dir_.path().string());
  EXPECT_THAT(paths_of(dataset.items), ElementsAre("a.mp4"));
}

TEST_F(Folder, does_not_reach_another_class_or_a_folder_above_by_a_link) {
  write(dir_ / "outside/loose.mp4", "");
  write(dir_ / "outside/fd/point/a.mp4", "");
  write(dir_ / "outside/fd/run/deep/b.mp4", "");
  write(dir_ / "outside/fd/run/deep/c.mp4", "");
  fs::create_directory_symlink("../", dir_ / "outside/fd/point/loop");
  fs::create_directory_symlink("../../", dir_ / "outside/fd/point/above");
  fs::create_directory_symlink("../point", dir_ / "outside/fd/run/other");
  fs::create_directory_symlink("deep", dir_ / "outside/fd/run/again");
  fs::create_directory_symlink(".", dir_ / "outside/fd/all");
  const Dataset dataset = load_dataset(dir_ / "outside/fd");
  EXPECT_THAT(dataset.classes, ElementsAre("point", "run"));
  EXPECT_THAT(paths_of(dataset.items), ElementsAre("a.mp4", "b.mp4", "c.mp4"));
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("all: links to ")));
}

TEST_F(Folder, warns_of_a_file_that_two_classes_have) {
  write(dir_ / "pool/a.mp4", "");
  write(dir_ / "pool/b.mp4", "");
  write(dir_ / "fd/hop/c.mp4", "");
  write(dir_ / "fd/run/own.mp4", "");
  fs::create_directory_symlink(dir_ / "pool", dir_ / "fd/hop/pool");
  fs::create_directory_symlink(dir_ / "pool", dir_ / "fd/run/pool");
  fs::create_symlink(dir_ / "fd/hop/c.mp4", dir_ / "fd/run/c.mp4");
  fs::create_symlink(dir_ / "fd/run/own.mp4", dir_ / "fd/run/same_class.mp4");
  const Dataset dataset = load_dataset(dir_ / "fd");
  EXPECT_EQ(dataset.items.size(), 8u);
  EXPECT_THAT(dataset.warnings,
              ElementsAre(::testing::EndsWith("fd/run/c.mp4' is in class 'hop' and in class 'run'; so are 2 more")));
}

TEST_F(Folder, warns_of_a_folder_that_is_named_as_a_video) {
  write(dir_ / "run/a.mp4", "");
  fs::create_directories(dir_ / "run/x.avi");
  write(dir_ / "run/holder.avi/b.mp4", "");
  write(dir_ / "sit/c.mp4", "");
  const Dataset dataset = load_dataset(dir_.path().string());
  EXPECT_THAT(paths_of(dataset.items), ElementsAre("a.mp4", "b.mp4", "c.mp4"));
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("run/x.avi: named as a video, but a folder without one")));
}

TEST_F(Folder, refuses_a_class_name_that_is_not_utf8) {
  write(dir_ / "g\xfcnther/a.mp4", "");
  EXPECT_THAT(message_of([&] { load_dataset(dir_.path().string()); }), HasSubstr("folder name 'g\\xfcnther' is not UTF-8"));
}

TEST_F(Csv, refuses_a_label_that_is_not_utf8) {
  EXPECT_THAT(load_error("path,label\na,x\nb,g\xfcn\n"), HasSubstr("labels.csv line 3: the label 'g\\xfcn' is not UTF-8"));
  for (const char* bad : {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(bad)) << escaped(bad);
  }
  for (const char* good : {"", "x", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xee\x80\x80"}) {
    EXPECT_TRUE(is_utf8(good)) << escaped(good);
  }
}

TEST_F(Csv, warns_of_a_path_with_two_labels) {
  const Dataset dataset = load_dataset(csv("path,label\na.mp4,x\n./a.mp4,y\nb.mp4,x\nb.mp4,x\nb.mp4,z\n"));
  ASSERT_EQ(dataset.warnings.size(), 2u);
  EXPECT_THAT(dataset.warnings[0], HasSubstr("labels.csv: '"));
  EXPECT_THAT(dataset.warnings[0], HasSubstr("a.mp4' is in class 'x' and in class 'y'"));
  EXPECT_THAT(dataset.warnings[1], HasSubstr("b.mp4' is in class 'x' and in class 'z'"));
  DatasetOptions options;
  options.filter = {"label=x"};
  EXPECT_THAT(load_dataset(dir_ / "labels.csv", options).warnings, ::testing::IsEmpty());
}

TEST_F(Folder, without_a_class_is_an_error) {
  EXPECT_THAT(message_of([&] { load_dataset(dir_.path().string()); }), HasSubstr("no class; one folder per class"));
  write(dir_ / "a.mp4", "");
  EXPECT_THAT(message_of([&] { load_dataset(dir_.path().string()); }), HasSubstr("the videos here lie beside each other"));
}

TEST_F(Folder, can_be_filtered_by_label_only) {
  write(dir_ / "run/a.mp4", "");
  write(dir_ / "hop/a.mp4", "");
  DatasetOptions options;
  options.filter = {"label=run"};
  EXPECT_THAT(load_dataset(dir_.path().string(), options).classes, ElementsAre("run"));
  options.filter = {"set=1"};
  EXPECT_THAT(message_of([&] { load_dataset(dir_.path().string(), options); }),
              HasSubstr("unknown column 'set'; known: path, label"));
}

TEST_F(Splits, take_groups_from_file_names) {
  const Dataset dataset = load_dataset(
      csv("path,label\nv_Archery_g01_c01.avi,x\nv_Archery_g01_c02.avi,x\nx/walk_g012.mp4,y\nbig_gun.avi,y\n_g7,y\n"));
  EXPECT_EQ(dataset.items[0].group, "g01");
  EXPECT_EQ(dataset.items[1].group, "g01");
  EXPECT_EQ(dataset.items[2].group, "g012");
  EXPECT_EQ(dataset.items[3].group, dataset.items[3].path);
  EXPECT_EQ(dataset.items[4].group, "g7");
}

TEST_F(Splits, never_divide_a_group_and_keep_near_the_share_in_every_class) {
  std::string content = "path,label,person\n";
  for (int person = 0; person < 25; ++person) {
    for (const char* label : {"x", "y", "z"}) {
      for (int take = 0; take < 1 + person % 4; ++take)
        content += fmt::format("{}{}{}.mp4,{},{}\n", label, person, take, label, person);
    }
  }
  DatasetOptions options;
  options.group = "person";
  options.test_share = 0.3;
  const Dataset dataset = load_dataset(csv(content), options);
  const Split split = split_dataset(dataset, options);
  EXPECT_EQ(split.train.size() + split.test.size(), dataset.items.size());
  std::set<std::string> train_groups;
  for (const Item& item : split.train) train_groups.insert(item.group);
  for (const Item& item : split.test) EXPECT_FALSE(train_groups.contains(item.group));
  EXPECT_NEAR(static_cast<double>(split.test.size()) / static_cast<double>(dataset.items.size()), 0.3, 0.03);
  EXPECT_EQ(paths_of(split_dataset(dataset, options).test), paths_of(split.test));
  options.seed = 2;
  EXPECT_NE(paths_of(split_dataset(dataset, options).test), paths_of(split.test));
}

TEST_F(Splits, take_the_validation_part_from_the_training_part_in_whole_groups) {
  std::string content = "path,label,person\n";
  for (int person = 0; person < 12; ++person) {
    for (const char* label : {"x", "y"}) content += fmt::format("{}{}.mp4,{},{}\n", label, person, label, person);
  }
  DatasetOptions options;
  options.group = "person";
  options.fold = {"3", "7"};
  const Dataset dataset = load_dataset(csv(content), options);
  const Split without = split_dataset(dataset, options);
  EXPECT_TRUE(without.validation.empty());
  options.validation_share = 0.3;
  const Split split = split_dataset(dataset, options);
  EXPECT_EQ(paths_of(split.test), paths_of(without.test));
  EXPECT_EQ(split.train.size(), 14U);
  EXPECT_EQ(split.validation.size(), 6U);
  std::set<std::string> train_groups;
  for (const Item& item : split.train) train_groups.insert(item.group);
  for (const Item& item : split.validation) EXPECT_FALSE(train_groups.contains(item.group));
  options.validation_share = 0.98;  // something is always left to train on
  EXPECT_FALSE(split_dataset(dataset, options).train.empty());
  options.fold = {};
  options.filter = {"person=1"};
  const Dataset one = load_dataset(csv(content), options);
  EXPECT_THAT(message_of([&] { split_dataset(one, options); }), HasSubstr("validation_share needs two groups at least"));
}

TEST_F(Splits, refuse_a_clip_that_is_in_two_parts) {
  DatasetOptions options;
  options.group = "set";
  options.fold = {"2"};
  const Dataset dataset = load_dataset(csv("path,label,set\na,x,1\nb,x,1\n./a,x,2\nc,x,2\n"), options);
  EXPECT_THAT(
      message_of([&] { split_dataset(dataset, options); }),
      ::testing::AllOf(HasSubstr("/a' in the training part and '"), HasSubstr("/./a' in the test part are one file")));
  options.fold = {"1", "2"};
  EXPECT_EQ(divide(dataset, options).test.size(), 4U);
}

TEST_F(Splits, hold_out_whole_folds_and_reject_unknown_ones) {
  DatasetOptions options;
  options.group = "set";
  const Dataset dataset = load_dataset(csv("path,label,set\na,x,1\nb,x,2\nc,x,3\n"), options);
  EXPECT_FALSE(is_divided(dataset, options));
  EXPECT_TRUE(split_dataset(dataset, options).test.empty());
  options.fold = {"3", "1"};
  EXPECT_THAT(paths_of(split_dataset(dataset, options).test), ElementsAre("a", "c"));
  options.fold = {"1", "4"};
  EXPECT_THAT(message_of([&] { split_dataset(dataset, options); }), HasSubstr("fold '4' is no group; groups: 1, 2, 3"));
  options.fold = {"1", "2", "3"};
  EXPECT_THAT(message_of([&] { split_dataset(dataset, options); }), HasSubstr("nothing is left to train on"));
}

TEST_F(Splits, hold_out_groups_whose_names_have_commas) {
  DatasetOptions options;
  options.group = "set";
  const Dataset dataset = load_dataset(csv("path,label,set\na,x,\"one, two\"\nb,x,three\nc,y,\"three,four\"\nd,y,one\n"), options);
  const auto tested = [&](std::vector<std::string> fold) {
    options.fold = std::move(fold);
    return paths_of(split_dataset(dataset, options).test);
  };
  EXPECT_THAT(tested({"one", " two"}), ElementsAre("a"));  // as an option divides it
  EXPECT_THAT(tested({"one, two"}), ElementsAre("a"));
  EXPECT_THAT(tested({"three", "four", "one"}), ElementsAre("c", "d"));
  EXPECT_THAT(tested({"three", "one"}), ElementsAre("b", "d"));
  EXPECT_THAT(message_of([&] { tested({"one", "none"}); }), HasSubstr("fold 'none' is no group"));
  EXPECT_TRUE(can_be_listed("one, two"));
  for (const char* lost : {"", ",", "a,", ",a", "a,,b"}) EXPECT_FALSE(can_be_listed(lost)) << lost;
}

TEST(UtInteraction, has_the_counts_of_its_protocol) {
  const std::string csv = testing::shared_file("data/ut_interaction/labels.csv");
  ACTIO_NEEDS_SHARED(csv);
  DatasetOptions options;
  options.group = "sequence";
  EXPECT_EQ(load_dataset(csv, options).items.size(), 120u);
  options.filter = {"set=1"};
  const Dataset set1 = load_dataset(csv, options);
  EXPECT_THAT(set1.classes, ElementsAre("handshake", "hug", "kick", "point", "punch", "push"));
  EXPECT_EQ(set1.items.size(), 60u);
  options.fold = {"9", "10"};
  const Split split = split_dataset(set1, options);
  EXPECT_EQ(split.train.size(), 48u);
  EXPECT_EQ(split.test.size(), 12u);
  for (const Item& item : split.test) EXPECT_TRUE(fs::exists(item.path)) << item.path;
}

}  // namespace
}  // namespace actio::data
