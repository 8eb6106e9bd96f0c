#include "data/giveaway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

namespace actio::data {
namespace {

using Change = std::function<void(FileFacts&, int label, Rng&)>;

// Files as people collect them: several codecs, sizes and rates, whatever is shown.
FileFacts random_file(Rng& rng) {
  FileFacts file;
  file.container = rng.chance(0.7) ? "mov,mp4" : "avi";
  file.codec = rng.chance(0.6) ? "h264" : "mpeg4";
  file.profile = rng.chance(0.5) ? "High" : "Main";
  file.pixel_format = "yuv420p";
  const int sizes[] = {240, 360, 480, 720};
  file.height = sizes[rng.below(4)];
  file.width = file.height * 4 / 3;
  file.frames_per_second = rng.chance(0.5) ? 25 : 29.97;
  file.frames = 30 + rng.below(300);
  file.seconds = static_cast<double>(file.frames) / file.frames_per_second;
  file.key_distance = 12 + rng.below(100);
  file.bits_per_second = std::exp(rng.normal()) * 1e6;
  file.bytes = static_cast<std::int64_t>(file.bits_per_second * file.seconds / 8);
  file.audio = rng.chance(0.3);
  return file;
}

struct Sample {
  std::vector<FileFacts> files;
  Labelling labelling;

  Giveaway find(std::int64_t seed = 1) const {
    std::vector<const FileFacts*> pointers;
    for (const FileFacts& file : files) pointers.push_back(&file);
    return find_giveaway(fact_table(pointers), labelling, {.permutations = 500, .seed = seed});
  }
};

enum class Groups { kNone, kAcrossClasses, kWithinClasses };

// Six classes of 20 clips; in groups of five clips, which share all facts where a group is of one class.
Sample make_sample(std::uint64_t seed, Groups groups, const Change& change = {}) {
  constexpr int kClasses = 6, kClips = 20, kOfGroup = 5;
  Rng rng(seed);
  Sample sample;
  sample.labelling.classes = kClasses;
  for (int label = 0; label < kClasses; ++label) {
    for (int clip = 0; clip < kClips; ++clip) {
      const bool same = groups == Groups::kWithinClasses && clip % kOfGroup != 0;
      FileFacts file = same ? sample.files.back() : random_file(rng);
      if (change) change(file, label, rng);
      sample.files.push_back(file);
      sample.labelling.label.push_back(label);
      const int own = label * kClips + clip;
      sample.labelling.group.push_back(groups == Groups::kNone            ? own
                                       : groups == Groups::kAcrossClasses ? clip / kOfGroup
                                                                          : own / kOfGroup);
    }
  }
  return sample;
}

TEST(Giveaway, finds_nothing_in_facts_that_have_nothing_to_do_with_the_class) {
  for (const Groups groups : {Groups::kNone, Groups::kAcrossClasses, Groups::kWithinClasses}) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      const Giveaway giveaway = make_sample(seed, groups).find();
      EXPECT_FALSE(giveaway.found()) << to_json(giveaway).dump(1);
      EXPECT_EQ(giveaway.clips, 120);
      EXPECT_NEAR(giveaway.all.accuracy, giveaway.all.chance, 0.12);
    }
  }
}

TEST(Giveaway, names_the_fact_that_follows_the_class) {
  const Change change = [](FileFacts& file, int label, Rng& rng) {
    if (rng.chance(0.7)) file.width = 300 + 20 * label;
  };
  for (const Groups groups : {Groups::kNone, Groups::kAcrossClasses}) {
    const Giveaway giveaway = make_sample(4, groups, change).find();
    EXPECT_TRUE(giveaway.found());
    ASSERT_TRUE(giveaway.single[0].found);
    EXPECT_EQ(giveaway.single[0].name, "frame size");
    EXPECT_GT(giveaway.single[0].accuracy, 0.5);
    EXPECT_NEAR(giveaway.single[0].chance, 1.0 / 6, 0.06);
    EXPECT_LT(giveaway.single[0].p_value, 0.01);
    EXPECT_FALSE(giveaway.single[1].found);
  }
}

TEST(Giveaway, adds_up_what_several_facts_say) {
  const Giveaway giveaway = make_sample(10, Groups::kAcrossClasses, [](FileFacts& file, int label, Rng& rng) {
                              const double bits = file.bits_per_second;
                              file = {};
                              file.bits_per_second = bits;
                              file.width = static_cast<int>(400 + 60 * (label % 3) + 20 * rng.normal());
                              file.height = static_cast<int>(300 + 10 * rng.normal());
                              file.frames = static_cast<std::int64_t>(100 + 40 * (label / 3) + 15 * rng.normal());
                            }).find();
  EXPECT_TRUE(giveaway.all.found) << to_json(giveaway).dump(1);
  EXPECT_GT(giveaway.all.accuracy, giveaway.single[0].accuracy + 0.1);
  EXPECT_EQ(giveaway.single.size(), 3U);
}

TEST(Giveaway, finds_one_class_that_was_encoded_by_another_hand) {
  const Giveaway giveaway = make_sample(5, Groups::kAcrossClasses, [](FileFacts& file, int label, Rng&) {
                              file.codec = "h264";
                              file.profile = label == 2 ? "Constrained Baseline" : "High";
                            }).find();
  ASSERT_TRUE(giveaway.single[0].found);
  EXPECT_EQ(giveaway.single[0].name, "profile");
}

TEST(Giveaway, does_not_take_the_files_of_one_recording_for_a_sign_of_the_class) {
  Sample sample = make_sample(6, Groups::kWithinClasses);
  EXPECT_FALSE(sample.find().found());
  for (std::size_t i = 0; i < sample.labelling.group.size(); ++i) sample.labelling.group[i] = static_cast<int>(i);
  EXPECT_TRUE(sample.find().found());  // where nobody says that they are of one
}

TEST(Giveaway, lets_pass_that_other_actions_take_other_bits) {
  const auto busy = [](double factor) {
    return [factor](FileFacts& file, int label, Rng&) {
      file.bits_per_second *= label < 3 ? 1 : factor;
      file.bytes = static_cast<std::int64_t>(file.bits_per_second * file.seconds / 8);
    };
  };
  const Sample sample = make_sample(7, Groups::kNone, busy(6));
  EXPECT_FALSE(sample.find().found()) << to_json(sample.find()).dump(1);
  const Giveaway clear = make_sample(7, Groups::kNone, [](FileFacts& file, int label, Rng& rng) {
                           file.bits_per_second = std::exp2(label) * rng.uniform(0.9e6, 1.1e6);
                         }).find();
  ASSERT_TRUE(clear.single[0].found);
  EXPECT_EQ(clear.single[0].name, "bit rate");
}

TEST(Giveaway, is_the_same_for_the_same_seed_and_compares_a_share_of_many_clips) {
  const Sample sample = make_sample(8, Groups::kNone);
  EXPECT_EQ(to_json(sample.find(3)), to_json(sample.find(3)));
  EXPECT_NE(to_json(sample.find(3)), to_json(sample.find(4)));
  std::vector<const FileFacts*> files;
  for (const FileFacts& file : sample.files) files.push_back(&file);
  EXPECT_EQ(find_giveaway(fact_table(files), sample.labelling, {.permutations = 200, .most_clips = 50}).clips, 50);
}

TEST(Giveaway, says_nothing_where_there_is_nothing_to_compare) {
  Sample sample = make_sample(9, Groups::kNone);
  std::ranges::fill(sample.files, sample.files[0]);
  EXPECT_EQ(sample.find().clips, 0);  // all are alike
  sample = make_sample(9, Groups::kNone);
  std::ranges::fill(sample.labelling.group, 0);
  EXPECT_EQ(sample.find().clips, 0);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(find_giveaway({}, {}, {}, stop.get_token()).found());
}

TEST(LabelExchange, keeps_the_labels_of_a_group_and_what_a_group_has_of_a_label_together) {
  // Groups 0 and 1 have labels 0 and 1, twice each; 2, 3 and 4 one label.
  const Labelling labelling{{0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 4}, {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4}, 5};
  const LabelExchange exchange(labelling);
  Rng rng(1);
  std::set<std::vector<int>> seen;
  for (int i = 0; i < 300; ++i) {
    const std::vector<int> labels = exchange.draw(rng);
    EXPECT_EQ(labels[0] + labels[2], 1);
    EXPECT_EQ(labels[4] + labels[6], 1);
    for (const std::size_t first : {0U, 2U, 4U, 6U, 8U, 10U}) EXPECT_EQ(labels[first], labels[first + 1]);
    EXPECT_EQ((std::set<int>{labels[8], labels[10], labels[12]}), (std::set<int>{2, 3, 4}));
    seen.insert(labels);
  }
  EXPECT_EQ(seen.size(), 2U * 2U * 6U);
}

TEST(FactTable, standardises_what_grows_by_factors_by_its_logarithm) {
  std::vector<double> values;
  Rng rng(2);
  for (int i = 0; i < 2001; ++i) values.push_back(std::exp(3 + 2 * rng.normal()));
  std::vector<float> z = standardised(values);
  const auto inside = std::ranges::count_if(z, [](float value) { return std::abs(value) < 1; });
  EXPECT_NEAR(static_cast<double>(inside) / 2001, 0.683, 0.04);
  EXPECT_LE(*std::ranges::max_element(z), 4);
  z = standardised({1, 1, 1, 1, 1, 3, std::nan("")});  // half of them are one
  EXPECT_EQ(z[0], 0);
  EXPECT_GT(z[5], 1);
  EXPECT_TRUE(std::isnan(z[6]));
}

}  // namespace
}  // namespace actio::data
