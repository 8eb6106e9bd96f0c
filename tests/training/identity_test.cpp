// Whether two trainings are one: what decides what is learned, and nothing else.
#include "training/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/temp_dir.h"
#include "training/spec.h"
#include "training/state_file.h"

namespace actio::training {
namespace {

using ::testing::HasSubstr;
using testing::TempDir;

Json config(TrainSpec spec = {}) {
  return {{"network", fields_to_json(spec.network.fields())},
          {"preprocess", fields_to_json(spec.preprocess.fields())},
          {"train", fields_to_json(spec.train.fields())},
          {"clips", "3+0 clips, 00"}};
}

TEST(Identity, does_not_depend_on_what_changes_nothing_that_is_learned) {
  TrainSpec other;
  other.train.workers = 7;
  other.train.save_minutes = 1;
  other.train.evaluate_every = 1;
  other.train.cache_gigabytes = 9;  // no features are kept
  EXPECT_EQ(config_difference(config(), config(other)), "");
}

TEST(Identity, names_the_first_difference_and_both_values) {
  TrainSpec other;
  other.train.epochs = 41;
  EXPECT_EQ(config_difference(config(), config(other)), "[train] epochs: 40 there, 41 here");
  Json clips = config();
  clips["clips"] = "4+0 clips, 11";
  EXPECT_THAT(config_difference(config(), clips), HasSubstr("clips"));
}

TEST(Identity, takes_an_option_that_an_earlier_file_does_not_know_for_its_default) {
  Json earlier = config();
  earlier["train"].erase("label_smoothing");
  earlier["network"].erase("stfn_dropout");
  EXPECT_EQ(config_difference(earlier, config()), "");
  TrainSpec other;
  other.train.label_smoothing = 0.1;
  EXPECT_EQ(config_difference(earlier, config(other)), "[train] label_smoothing: 0.0 there, 0.1 here");
}

class ClipsOfATraining : public ::testing::Test {
 protected:
  data::Split split(const std::string& folder, const std::string& content) {
    std::filesystem::create_directories(dir_ / folder + "/jump");
    data::Split split;
    for (const char* name : {"a.mp4", "b.mp4"}) {
      const std::string path = dir_ / folder + "/jump/" + name;
      std::ofstream(path) << content;
      data::Item item;
      item.path = path;
      item.label = "jump";
      split.train.push_back(item);
    }
    return split;
  }
  TempDir dir_;
};

TEST_F(ClipsOfATraining, are_the_same_in_another_folder) {
  EXPECT_EQ(clips_record(split("here", "abc")), clips_record(split("there", "abc")));
  EXPECT_THAT(clips_record(split("here", "abc")), HasSubstr("2+0 clips, "));
}

TEST_F(ClipsOfATraining, are_others_where_a_file_was_encoded_anew_or_has_another_class) {
  const data::Split first = split("here", "abc");
  const std::string before = clips_record(first);
  data::Split relabelled = first;
  relabelled.train[1].label = "wave";
  EXPECT_NE(clips_record(relabelled), before);
  EXPECT_NE(clips_record(split("here", "abcd")), before);
}

TEST_F(ClipsOfATraining, find_a_stage_in_the_cache_only_where_they_lie) {
  EXPECT_NE(cache_key(config(), split("here", "abc")), cache_key(config(), split("there", "abc")));
  EXPECT_EQ(cache_key(config(), split("here", "abc")), cache_key(config(), split("here", "abc")));
}

}  // namespace
}  // namespace actio::training
