#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "data/dataset.h"
#include "data/part_folders.h"
#include "data/text_files.h"
#include "data/video_files.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using testing::write_text;

class FolderTest : public ::testing::Test {
 protected:
  void files(std::initializer_list<const char*> names) {
    for (const char* name : names) write_text(dir_ / name, name);  // no two are equal
  }
  Dataset load(const DatasetOptions& options = {}) { return load_dataset(dir_.path().string(), options); }
  std::string load_error(const DatasetOptions& options = {}) {
    return error_of([&] { load(options); });
  }
  // "PART/CLASS/FILE" of every clip.
  static std::vector<std::string> clips(const Dataset& dataset, const DatasetOptions& options = {}) {
    std::vector<std::string> texts;
    const std::vector<Part> parts = parts_of(dataset, options);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Item& item = dataset.items[i];
      texts.push_back(fmt::format("{}/{}/{}", part_name(parts[i]), item.label, fs::path(item.path).filename().string()));
    }
    return texts;
  }
  actio::testing::TempDir dir_;
};

using PartFolders = FolderTest;
using Ignored = FolderTest;
using FewClasses = FolderTest;

TEST_F(PartFolders, are_known_by_their_names_in_any_case) {
  for (const char* name : {"train", "Training", "TRAIN", "videos_train", "train_videos", "train_256", "train-set"}) {
    EXPECT_EQ(part_of_folder_name(name), Part::kTrain) << name;
  }
  for (const char* name : {"val", "valid", "Validation", "videos_val"})
    EXPECT_EQ(part_of_folder_name(name), Part::kValidation) << name;
  for (const char* name : {"test", "Testing"}) EXPECT_EQ(part_of_folder_name(name), Part::kTest) << name;
  for (const char* name : {"", "trains", "train_driver", "train_test", "videos", "256", "strain"}) {
    EXPECT_EQ(part_of_folder_name(name), std::nullopt) << name;
  }
}

TEST_F(PartFolders, divide_the_classes_inside_of_them_and_val_is_the_test_where_there_is_no_other) {
  files({"train/jump/a.mp4", "train/wave/deep/b.mp4", "VAL/jump/c.mp4", "VAL/wave/d.mp4", "train.csv"});
  const Dataset dataset = load();
  EXPECT_EQ(dataset.layout, Layout::kSplitFolders);
  EXPECT_THAT(dataset.classes, ElementsAre("jump", "wave"));
  EXPECT_EQ(dataset.protocol, "the folders VAL (test), train (train)");
  EXPECT_THAT(clips(dataset), ElementsAre("test/jump/c.mp4", "test/wave/d.mp4", "train/jump/a.mp4", "train/wave/b.mp4"));
  EXPECT_THAT(dataset.warnings, IsEmpty());
  const Split split = split_dataset(dataset, {});
  EXPECT_EQ(split.train.size(), 2U);
  EXPECT_EQ(split.test.size(), 2U);
  DatasetOptions options;
  options.val_folder = ValFolder::kValidation;
  const Split chosen = split_dataset(load(options), options);
  EXPECT_EQ(chosen.validation.size(), 2U);
  EXPECT_TRUE(chosen.test.empty());
  options = {};
  options.filter = {"part=test"};
  EXPECT_EQ(load(options).items.size(), 2U);
}

TEST_F(PartFolders, choose_by_val_where_there_is_a_test) {
  files({"training/jump/a.mp4", "training/wave/b.mp4", "validation/jump/c.mp4", "testing/jump/d.mp4", "testing/wave/e.mp4"});
  const Split split = split_dataset(load(), {});
  EXPECT_EQ(split.train.size(), 2U);
  EXPECT_EQ(split.validation.size(), 1U);
  EXPECT_EQ(split.test.size(), 2U);
  DatasetOptions options;
  options.validation_share = 0.5;
  EXPECT_THAT(error_of([&] { split_dataset(load(options), options); }),
              AllOf(StartsWith("2: "), HasSubstr("validation_share and the folders ")));
  options = {};
  options.val_folder = ValFolder::kTest;
  EXPECT_EQ(split_dataset(load(options), options).test.size(), 3U);
}

TEST_F(PartFolders, may_lie_deeper_and_hold_their_classes_deeper) {
  files({"kinetics/train/videos/jump/a.mp4", "kinetics/train/videos/wave/b.mp4", "kinetics/val/jump/c.mp4",
         "kinetics/val/wave/d.mp4", "kinetics/annotations/train.csv", "readme.txt"});
  const Dataset dataset = load();
  EXPECT_THAT(clips(dataset), ElementsAre("train/jump/a.mp4", "train/wave/b.mp4", "test/jump/c.mp4", "test/wave/d.mp4"));
  EXPECT_THAT(dataset.ignored, EndsWith(": ignored 1 file: 1 .txt"));
}

TEST_F(PartFolders, videos_is_a_container_of_classes_and_no_class) {
  files({"videos/jump/a.mp4", "videos/jump/b.mp4", "videos/wave/c.mp4", "labels.txt"});
  const Dataset dataset = load();
  EXPECT_EQ(dataset.layout, Layout::kFolder);
  EXPECT_THAT(dataset.classes, ElementsAre("jump", "wave"));
  EXPECT_FALSE(is_divided(dataset, {}));
  DatasetOptions options;
  options.layout = Layout::kFolder;
  EXPECT_THAT(load(options).classes, ElementsAre("videos"));
}

TEST_F(PartFolders, are_classes_where_they_hold_videos_or_lie_beside_classes) {
  files({"train/a.mp4", "train/b.mp4", "car/c.mp4", "bus/d.mp4"});
  EXPECT_THAT(load().classes, ElementsAre("bus", "car", "train"));
  EXPECT_THAT(load().warnings, IsEmpty());
  files({"train/2024/e.mp4"});
  EXPECT_THAT(load().classes, ElementsAre("bus", "car", "train"));
}

TEST_F(PartFolders, that_hold_videos_only_are_classes_with_a_warning) {
  files({"train/a.mp4", "train/b.mp4", "test/c.mp4"});
  const Dataset dataset = load();
  EXPECT_THAT(dataset.classes, ElementsAre("test", "train"));
  EXPECT_THAT(dataset.warnings,
              ElementsAre(HasSubstr("'test' and 'train' are named as parts of a divided dataset but hold videos directly")));
}

TEST_F(PartFolders, beside_another_folder_of_videos_are_refused_until_the_user_says_which) {
  files({"train/jump/a.mp4", "train/wave/a.mp4", "test/jump/b.mp4", "extra/c.mp4", "extra/d.mp4"});
  EXPECT_THAT(load_error(),
              AllOf(StartsWith("3: "),
                    HasSubstr("'test' and 'train' hold folders of classes, but 'extra' beside them has videos too")));
  DatasetOptions options;
  options.layout = Layout::kFolder;
  const Dataset classes = load(options);
  EXPECT_THAT(classes.classes, ElementsAre("extra", "test", "train"));
  EXPECT_THAT(classes.warnings, Contains(HasSubstr("they are read as classes, as the layout folder says")));
  options.layout = Layout::kSplitFolders;
  EXPECT_THAT(load(options).classes, ElementsAre("jump", "wave"));
}

TEST_F(PartFolders, that_are_empty_or_have_no_classes_are_told_of) {
  files({"train/jump/a.mp4", "train/wave/b.mp4", "test/1.mp4", "test/2.mp4"});
  fs::create_directories(dir_ / "val");
  const Dataset dataset = load();
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("test: its 2 videos are in no folder of a class"),
                                            HasSubstr("val: no video, so that part is empty"),
                                            HasSubstr("each of the 2 classes has one clip only")));
  EXPECT_FALSE(is_divided(dataset, {}));
  EXPECT_EQ(split_dataset(dataset, {}).train.size(), 2U);
}

TEST_F(PartFolders, without_one_to_train_on_can_be_tested_on) {
  files({"val/jump/a.mp4", "val/wave/b.mp4"});
  const Dataset dataset = load();
  EXPECT_EQ(divide(dataset, {}).test.size(), 2U);
  EXPECT_THAT(error_of([&] { split_dataset(dataset, {}); }), HasSubstr("in the training part of the folders val (test)"));
}

TEST_F(PartFolders, with_other_classes_are_told_of) {
  files({"train/jump/a.mp4", "train/wave/b.mp4", "val/jump/c.mp4", "val/run/d.mp4"});
  const Dataset dataset = load();
  EXPECT_THAT(dataset.classes, ElementsAre("jump", "run", "wave"));
  EXPECT_THAT(split_warnings(dataset, split_dataset(dataset, {})),
              ElementsAre(EndsWith("no clip in the training part, but some in the test part: class 'run'"),
                          EndsWith("no clip in the test part, but some in the training part: class 'wave'")));
}

TEST_F(PartFolders, give_way_to_a_fold_or_a_share_with_a_warning) {
  files({"train/jump/a_g01.mp4", "train/wave/b_g01.mp4", "val/jump/c_g02.mp4", "val/wave/d_g02.mp4"});
  DatasetOptions options;
  options.fold = {"g01"};
  const Dataset dataset = load(options);
  EXPECT_THAT(clips(dataset, options),
              ElementsAre("test/jump/a_g01.mp4", "test/wave/b_g01.mp4", "train/jump/c_g02.mp4", "train/wave/d_g02.mp4"));
  EXPECT_THAT(dataset.warnings,
              ElementsAre(HasSubstr("fold divides the clips anew, against the folders train (train), val (test)")));
  options = {};
  options.test_share = 0.5;
  EXPECT_THAT(load(options).warnings, ElementsAre(HasSubstr("test_share divides the clips anew")));
  options = {};
  options.group = "part";  // a column; by itself it divides nothing anew
  EXPECT_EQ(load(options).items[0].group, "train");
  EXPECT_EQ(split_dataset(load(options), options).test.size(), 2U);
}

TEST_F(PartFolders, inside_of_classes_are_told_of) {
  files({"jump/train/a.mp4", "jump/test/b.mp4", "wave/train/c.mp4", "wave/test/d.mp4"});
  const Dataset dataset = load();
  EXPECT_THAT(dataset.classes, ElementsAre("jump", "wave"));
  EXPECT_THAT(dataset.warnings, ElementsAre(HasSubstr("jump: has folders named as parts inside of a class")));
}

TEST_F(PartFolders, are_asked_for_in_vain_where_there_are_none) {
  files({"jump/a.mp4", "wave/b.mp4"});
  DatasetOptions options;
  options.layout = Layout::kSplitFolders;
  EXPECT_THAT(load_error(options),
              AllOf(StartsWith("3: "), HasSubstr("no folder train, val or test with a folder per class inside")));
  options = {};
  options.val_folder = ValFolder::kTest;
  EXPECT_THAT(load_error(options), AllOf(StartsWith("2: "), HasSubstr("val_folder belongs to the layout split_folders")));
}

TEST_F(Ignored, files_are_counted_by_kind_in_one_line) {
  files({"run/a.mp4", "run/b.GIF", "run/c.qt", "run/d.mts", "run/e.3gp", "run/f.y4m", "run/noextension", "run/notes.txt",
         "run/deep/x.TXT", "run/.hidden.mp4", "hop/g.ogv", "hop/h.avi", "intro.mp4", "outro.avi", "labels.csv"});
  fs::create_directories(dir_ / "hop/empty");
  const Dataset dataset = load();
  EXPECT_EQ(dataset.items.size(), 8U);
  EXPECT_EQ(dataset.ignored, dir_.path().string() +
                                 ": ignored 7 files: 2 .txt, 1 without extension, 1 .csv, 1 hidden, "
                                 "2 videos beside the classes (intro.mp4, ...), and 1 empty folder");
  EXPECT_THAT(dataset.warnings, IsEmpty());
}

TEST_F(Ignored, nothing_is_said_where_all_is_read) {
  files({"run/a.mp4", "run/b.mp4", "hop/c.mp4"});
  EXPECT_EQ(load().ignored, "");
}

TEST_F(Ignored, files_are_named_where_no_clip_is_left) {
  files({"run/a.mp5", "hop/b.mp5"});
  EXPECT_THAT(load_error(),
              EndsWith("no class; one folder per class with videos inside was expected (ignored 2 files: 2 .mp5)"));
}

TEST_F(Ignored, a_preview_does_not_stand_for_a_video) {
  files({"a.gif", "a.mp4", "b.gif"});
  VideoFinder finder;
  EXPECT_EQ(finder.find(dir_ / "a.webm"), fs::path(dir_ / "a.mp4"));
  EXPECT_EQ(finder.find(dir_ / "b"), fs::path(dir_ / "b.gif"));
}

TEST_F(FewClasses, one_class_is_a_warning_and_nothing_to_train_on) {
  files({"jump/a.mp4", "jump/b.mp4"});
  const Dataset dataset = load();
  EXPECT_THAT(dataset.warnings,
              ElementsAre(EndsWith("one class only, 'jump'; a folder per class with its clips inside was expected")));
  EXPECT_THAT(error_of([&] { require_classes(dataset); }),
              AllOf(StartsWith("3: "), HasSubstr("one class only, 'jump', which nothing can be learned from")));
  DatasetOptions options;
  options.filter = {"label=jump"};
  EXPECT_THAT(load(options).warnings, IsEmpty());
}

TEST_F(FewClasses, one_class_with_folders_may_be_the_folder_to_name) {
  files({"UCF-101/jump/a.mp4", "UCF-101/wave/b.mp4", "lists/readme.txt"});
  EXPECT_THAT(load().warnings,
              Contains(EndsWith("/UCF-101: is the only class and holds 2 folders; if these are the classes, give this "
                                "folder as the data")));
  files({"UCF-102/a.mp4"});
  EXPECT_THAT(load().warnings, Not(Contains(HasSubstr("is the only class"))));
}

TEST_F(FewClasses, a_clip_in_each_is_a_warning) {
  files({"clip1/a.mp4", "clip2/b.mp4", "clip3/c.mp4"});
  EXPECT_THAT(load().warnings, ElementsAre(HasSubstr("each of the 3 classes has one clip only; a folder per class")));
  EXPECT_EQ(error_of([&] { require_classes(load()); }), "no error");
  files({"clip3/d.mp4"});
  EXPECT_THAT(load().warnings, IsEmpty());
}

}  // namespace
}  // namespace actio::data
