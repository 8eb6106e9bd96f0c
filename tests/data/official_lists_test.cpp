#include "data/official_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "data/dataset.h"
#include "data/group.h"
#include "data/text_files.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::write_text;

class OfficialLists : public ::testing::Test {
 protected:
  // Two classes, two groups; split 1 tests g01.
  void write_ucf101() {
    write_text(dir_ / "lists/classInd.txt", "1 Run\r\n2 Hop\r\n");
    write_text(dir_ / "lists/trainlist01.txt", "Run/v_Run_g02_c01.avi 1\r\nHop/v_Hop_g02_c01.avi 2\r\n");
    write_text(dir_ / "lists/testlist01.txt", "Run/v_Run_g01_c01.avi\r\nHop/v_Hop_g01_c01.avi\r\n");
  }
  void write_hmdb51() {
    write_text(dir_ / "lists/run_test_split1.txt",
               "Day_#_7;-)_[x]_run_f_cm_np1_ba_bad_2.avi 1 \nDay_#_7;-)_[x]_run_f_nm_np10_le_med_0.avi 1 \n"
               "a_b_run_u_nm_np2_fr_goo_0.avi 2 \n");
    write_text(dir_ / "lists/hop_test_split1.txt", "a_hop_h_cm_np1_ri_med_0.avi 0 \nc_hop_l_cm_np1_ri_med_1.avi 1\n");
  }
  DatasetOptions options() const {
    DatasetOptions options;
    options.annotations = dir_ / "lists";
    return options;
  }
  std::string load_error(const DatasetOptions& options) {
    return error_of([&] { load_dataset(dir_ / "videos", options); });
  }
  actio::testing::TempDir dir_;
};

TEST_F(OfficialLists, of_ucf101_number_classes_by_their_index_and_divide) {
  write_ucf101();
  const Dataset dataset = load_dataset(dir_ / "videos", options());
  EXPECT_EQ(dataset.layout, Layout::kUcf101);
  EXPECT_EQ(dataset.protocol, "UCF101 split 1");
  EXPECT_THAT(dataset.classes, ElementsAre("Run", "Hop"));
  EXPECT_EQ(dataset.items[1].class_index, 1);
  EXPECT_EQ(dataset.items[0].path, dir_ / "videos/Run/v_Run_g02_c01.avi");
  EXPECT_EQ(dataset.items[0].group, "g02");
  EXPECT_EQ(dataset.items[0].columns.at("label_id"), "1");
  const Split split = split_dataset(dataset, options());
  EXPECT_EQ(split.train.size(), 2u);
  EXPECT_EQ(split.test.size(), 2u);
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("4 of the 4 clips of UCF101 split 1 are not there"),
                                            HasSubstr("videos: no such folder")));
}

TEST_F(OfficialLists, of_hmdb51_sort_classes_and_leave_out_what_is_unused) {
  write_hmdb51();
  const Dataset dataset = load_dataset(dir_ / "videos", options());
  EXPECT_EQ(dataset.layout, Layout::kHmdb51);
  EXPECT_THAT(dataset.classes, ElementsAre("hop", "run"));
  EXPECT_EQ(dataset.items.size(), 5u);
  EXPECT_EQ(dataset.items[0].part, Part::kUnused);
  EXPECT_EQ(dataset.items[2].path, dir_ / "videos/run/Day_#_7;-)_[x]_run_f_cm_np1_ba_bad_2.avi");
  EXPECT_EQ(dataset.items[2].group, "Day_#_7;-)_[x]_run");
  EXPECT_EQ(dataset.items[3].group, dataset.items[2].group);
  const Split split = split_dataset(dataset, options());
  EXPECT_EQ(split.train.size(), 3u);
  EXPECT_EQ(split.test.size(), 1u);
}

TEST_F(OfficialLists, give_way_to_a_fold_and_a_share_but_not_beside_a_split) {
  write_ucf101();
  DatasetOptions by_fold = options();
  by_fold.fold = {"g02"};
  const Dataset dataset = load_dataset(dir_ / "videos", by_fold);
  EXPECT_EQ(dataset.protocol, "");
  EXPECT_EQ(split_dataset(dataset, by_fold).test[0].path, dir_ / "videos/Run/v_Run_g02_c01.avi");
  by_fold.split = 1;
  EXPECT_THAT(load_error(by_fold), AllOf(StartsWith("2: "), HasSubstr("split and fold both divide the clips")));
  by_fold.fold.clear();
  by_fold.test_share = 0.5;
  EXPECT_THAT(load_error(by_fold), HasSubstr("split and test_share both divide"));
  DatasetOptions filtered = options();
  filtered.filter = {"part=test"};
  EXPECT_EQ(load_dataset(dir_ / "videos", filtered).items.size(), 2u);
  filtered.filter = {"label=Hop"};
  EXPECT_THAT(load_dataset(dir_ / "videos", filtered).classes, ElementsAre("Hop"));
}

TEST_F(OfficialLists, are_found_in_the_dataset_and_beside_it_where_they_are_asked_for) {
  write_ucf101();
  fs::create_directories(dir_ / "UCF-101/Run");
  write_text(dir_ / "UCF-101/Run/v_Run_g01_c01.mp4", "");
  fs::rename(dir_ / "lists", dir_ / "ucfTrainTestlist");
  EXPECT_EQ(load_dataset(dir_ / "UCF-101").layout, Layout::kFolder) << "a folder of classes stays one";
  DatasetOptions by_split;
  by_split.split = 1;
  const Dataset dataset = load_dataset(dir_ / "UCF-101/", by_split);
  EXPECT_EQ(dataset.protocol, "UCF101 split 1");
  EXPECT_EQ(dataset.items[2].path, dir_ / "UCF-101/Run/v_Run_g01_c01.mp4") << "converted clips are found";
  const Dataset whole = load_dataset(dir_.path().string());
  EXPECT_EQ(whole.layout, Layout::kUcf101) << "the folder that holds both";
  EXPECT_EQ(whole.items[2].path, dir_ / "UCF-101/Run/v_Run_g01_c01.mp4");
  by_split.root = "/elsewhere";
  EXPECT_EQ(load_dataset(dir_.path().string(), by_split).items[0].path, "/elsewhere/Run/v_Run_g02_c01.avi");
}

TEST_F(OfficialLists, that_are_asked_for_and_missing_are_an_error) {
  write_text(dir_ / "videos/Run/a.avi", "");
  DatasetOptions wrong;
  wrong.split = 1;
  EXPECT_THAT(load_error(wrong),
              AllOf(StartsWith("2: "), HasSubstr("no official lists of ucf101 or hmdb51 in it or beside it")));
  wrong.annotations = dir_ / "none";
  EXPECT_THAT(load_error(wrong), AllOf(StartsWith("1: "), HasSubstr("none: no such folder")));
  wrong.annotations = dir_ / "videos";
  EXPECT_THAT(load_error(wrong),
              AllOf(StartsWith("2: "), HasSubstr("neither classInd.txt (UCF101) nor CLASS_test_splitN.txt")));
  write_ucf101();
  wrong.annotations = dir_ / "lists";
  wrong.layout = Layout::kHmdb51;
  EXPECT_THAT(load_error(wrong), HasSubstr("as the layout hmdb51 needs"));
  wrong.layout = Layout::kFolder;
  EXPECT_THAT(load_error(wrong), HasSubstr("belongs to the layout ucf101 or hmdb51"));
  wrong.layout = Layout::kAuto;
  wrong.split = 2;
  EXPECT_THAT(load_error(wrong), AllOf(StartsWith("1: "), HasSubstr("trainlist02.txt: no such file")));
  wrong.split = 4;
  EXPECT_THAT(load_error(wrong), HasSubstr("split must be between 0 and 3, got 4"));
  EXPECT_THAT(error_of([&] { load_dataset(dir_ / "lists/testlist01.txt"); }), HasSubstr("one of the official lists"));
}

TEST_F(OfficialLists, of_ucf101_say_which_line_and_value_is_wrong) {
  write_ucf101();
  const auto with = [&](const std::string& name, const std::string& content) {
    write_ucf101();
    write_text(dir_ / ("lists/" + name), content);
    const std::string error = load_error(options());
    EXPECT_THAT(error, StartsWith("3: " + (dir_ / ("lists/" + name)) + " line ")) << content;
    return error;
  };
  EXPECT_THAT(with("classInd.txt", "1 Run\n3 Hop\n"), EndsWith("line 2: '2 CLASS' was expected, got '3 Hop'"));
  EXPECT_THAT(with("classInd.txt", "1 Run\nHop\n"), EndsWith("line 2: '2 CLASS' was expected, got 'Hop'"));
  EXPECT_THAT(with("classInd.txt", "1 Run\n2 Run\n"), EndsWith("line 2: class 'Run' has a number already"));
  EXPECT_THAT(with("trainlist01.txt", "Run/a.avi 1\nRum/b.avi 1\n"),
              EndsWith("line 2: unknown class 'Rum'; the nearest is 'Run'"));
  EXPECT_THAT(with("trainlist01.txt", "Run/a.avi 3\n"),
              EndsWith("line 1: class index 3 is out of range; 1 to 2 were expected"));
  EXPECT_THAT(with("trainlist01.txt", "Run/a.avi 0\n"), HasSubstr("class index 0 is out of range"));
  EXPECT_THAT(with("trainlist01.txt", "Run/a.avi one\n"), HasSubstr("class index one is out of range"));
  EXPECT_THAT(with("trainlist01.txt", "Run/a.avi 2\n"), EndsWith("line 1: class index 2 is 'Hop', the folder is 'Run'"));
  EXPECT_THAT(with("trainlist01.txt", "a.avi 1\n"),
              HasSubstr("line 1: 'CLASS/VIDEO' or 'CLASS/VIDEO INDEX' was expected, got 'a.avi 1'"));
  EXPECT_THAT(with("trainlist01.txt", "Run/a.avi 1\nHop/b.avi 2\nRun/a.avi 1\n"),
              EndsWith("line 3: 'Run/a.avi' is on line 1 too"));
  EXPECT_THAT(with("testlist01.txt", "Hop/a.avi\nRun/v_Run_g02_c01.avi\n"),
              HasSubstr("line 2: 'Run/v_Run_g02_c01.avi' is on line 1 of " + (dir_ / "lists/trainlist01.txt") + " too"));
  write_ucf101();
  write_text(dir_ / "lists/testlist01.txt", "\r\n");
  EXPECT_THAT(load_error(options()), HasSubstr("testlist01.txt: empty"));
  write_text(dir_ / "lists/testlist01.txt", "run/a b.avi\nHOP/v_HOP_g01_c01.avi\n");
  EXPECT_EQ(load_dataset(dir_ / "videos", options()).items[3].label, "Hop") << "case may differ, as in HandStandPushups";
}

TEST_F(OfficialLists, of_hmdb51_say_which_line_and_value_is_wrong) {
  const auto with = [&](const std::string& content) {
    write_hmdb51();
    write_text(dir_ / "lists/run_test_split1.txt", content);
    return load_error(options());
  };
  EXPECT_THAT(with("a.avi 1\nb.avi 3 \n"),
              EndsWith("run_test_split1.txt line 2: the part must be 0 (unused), 1 (train) or 2 (test), got '3'"));
  EXPECT_THAT(with("a.avi\n"), EndsWith("line 1: 'VIDEO 0', 'VIDEO 1' or 'VIDEO 2' was expected, got 'a.avi'"));
  EXPECT_THAT(with("../a.avi 1\n"), HasSubstr("was expected, got '../a.avi 1'"));
  EXPECT_THAT(with("a.avi 1\na.avi 2\n"), EndsWith("line 2: 'run/a.avi' is on line 1 too"));
  EXPECT_THAT(with(" \n"), HasSubstr("run_test_split1.txt: empty"));
  write_hmdb51();
  write_text(dir_ / "lists/sit_test_split2.txt", "a.avi 1\n");
  EXPECT_THAT(load_error(options()), HasSubstr("sit_test_split1.txt: no such file"));
}

TEST(GroupNames, are_read_from_both_naming_schemes_and_from_nothing_else) {
  EXPECT_EQ(group_of_file_name("x/v_HandStandPushups_g01_c04.avi"), "g01");
  EXPECT_EQ(group_of_file_name("Goalkeeper_Training_Day_#_7_catch_f_cm_np1_ba_bad_2.avi"),
            "Goalkeeper_Training_Day_#_7_catch");
  EXPECT_EQ(group_of_file_name("TheBoondockSaints_sit_u_nm_np10_ba_med_0.avi"), "TheBoondockSaints_sit");
  EXPECT_EQ(group_of_file_name("a_g7_run_u_nm_np1_ba_med_0.avi"), "a_g7_run");
  EXPECT_EQ(group_of_file_name("run_u_nm_np_ba_med_0.avi"), std::nullopt);
  EXPECT_EQ(group_of_file_name("_u_nm_np1_ba_med_0.avi"), std::nullopt);
  EXPECT_EQ(group_of_file_name("u_nm_np1_ba_med_0.avi"), std::nullopt);
  EXPECT_EQ(group_of_file_name("big_gun.avi"), std::nullopt);
  EXPECT_EQ(group_of_file_name(""), std::nullopt);
}

// How many keys have clips in both parts.
template <typename Key>
std::size_t divided(const Split& split, const Key& key) {
  std::set<std::string> train, both;
  for (const Item& item : split.train) train.insert(key(item));
  for (const Item& item : split.test) {
    if (train.contains(key(item))) both.insert(key(item));
  }
  return both.size();
}

Dataset load_split(const std::string& lists, std::int64_t split) {
  DatasetOptions options;
  options.split = split;
  return load_dataset(lists, options);
}

TEST(Ucf101, has_the_counts_of_its_protocol_and_no_group_in_both_parts) {
  const std::string lists = actio::testing::shared_file("data/splits/ucf101");
  ACTIO_NEEDS_SHARED(lists);
  const std::map<std::int64_t, std::pair<std::size_t, std::size_t>> counts = {
      {1, {9537, 3783}}, {2, {9586, 3734}}, {3, {9624, 3696}}};
  std::set<std::string> tested;
  for (const auto& [number, expected] : counts) {
    const Dataset dataset = load_split(lists, number);
    EXPECT_EQ(dataset.items.size(), 13320u);
    ASSERT_EQ(dataset.classes.size(), 101u);
    EXPECT_EQ(dataset.classes[0], "ApplyEyeMakeup");
    EXPECT_EQ(dataset.classes[100], "YoYo");
    const Split split = split_dataset(dataset, {});
    EXPECT_EQ(split.train.size(), expected.first);
    EXPECT_EQ(split.test.size(), expected.second);
    // Seven of the 25 groups are held out, the same numbers in every class.
    EXPECT_EQ(divided(split, [](const Item& item) { return item.group; }), 0u);
    std::set<std::string> groups;
    for (const Item& item : split.test) {
      groups.insert(item.group);
      tested.insert(item.path);
    }
    EXPECT_EQ(groups.size(), 7u);
    EXPECT_EQ(*groups.begin(), fmt::format("g{:02}", 7 * number - 6));
    EXPECT_EQ(dataset.warnings.size(), 1u) << "only that the videos are not there";
  }
  EXPECT_EQ(tested.size(), 3783u + 3734u + 3696u) << "no clip is tested by two splits";
}

TEST(Ucf101, divides_by_folds_as_its_first_split_does) {
  const std::string lists = actio::testing::shared_file("data/splits/ucf101");
  ACTIO_NEEDS_SHARED(lists);
  DatasetOptions options;
  options.fold = {"g01", "g02", "g03", "g04", "g05", "g06", "g07"};
  const Split by_fold = split_dataset(load_dataset(lists, options), options);
  std::set<std::string> official, folded;
  for (const Item& item : split_dataset(load_split(lists, 1), {}).test) official.insert(item.path);
  for (const Item& item : by_fold.test) folded.insert(item.path);
  EXPECT_EQ(official, folded);
}

// What a name has before its class: the film, with the number of a scene.
std::string source_of(const Item& item) { return item.group.substr(0, item.group.size() - item.label.size() - 1); }

TEST(Hmdb51, has_the_counts_of_its_protocol_and_no_source_of_a_class_in_both_parts) {
  const std::string lists = actio::testing::shared_file("data/splits/hmdb51");
  ACTIO_NEEDS_SHARED(lists);
  // Sources that are in both parts with clips of different classes: the lists do not keep a film whole.
  const std::map<std::int64_t, std::size_t> sources = {{1, 133}, {2, 149}, {3, 144}};
  for (const auto& [number, in_both_parts] : sources) {
    const Dataset dataset = load_split(lists, number);
    EXPECT_EQ(dataset.items.size(), 6766u);
    ASSERT_EQ(dataset.classes.size(), 51u);
    EXPECT_EQ(dataset.classes[0], "brush_hair");
    EXPECT_EQ(dataset.classes[50], "wave");
    const Split split = split_dataset(dataset, {});
    EXPECT_EQ(split.train.size(), 3570u);
    EXPECT_EQ(split.test.size(), 1530u);
    std::map<std::string, int> train, test;
    for (const Item& item : split.train) ++train[item.label];
    for (const Item& item : split.test) ++test[item.label];
    for (const std::string& name : dataset.classes) {
      EXPECT_EQ(train[name], 70) << name;
      EXPECT_EQ(test[name], 30) << name;
    }
    for (const Item& item : dataset.items) ASSERT_TRUE(item.group.ends_with("_" + item.label)) << item.path;
    EXPECT_EQ(divided(split, [](const Item& item) { return item.group; }), 0u);
    EXPECT_EQ(divided(split, source_of), in_both_parts);
    EXPECT_EQ(dataset.warnings.size(), 1u) << "only that the videos are not there";
  }
}

TEST(Hmdb51, keeps_sources_together_where_a_share_divides) {
  const std::string lists = actio::testing::shared_file("data/splits/hmdb51");
  ACTIO_NEEDS_SHARED(lists);
  DatasetOptions options;
  options.test_share = 0.3;
  const Split split = split_dataset(load_dataset(lists, options), options);
  EXPECT_EQ(split.train.size() + split.test.size(), 6766u) << "unused ones too";
  EXPECT_EQ(divided(split, [](const Item& item) { return item.group; }), 0u);
  EXPECT_NEAR(static_cast<double>(split.test.size()) / 6766, 0.3, 0.02);
}

}  // namespace
}  // namespace actio::data
