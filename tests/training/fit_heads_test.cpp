#include "training/fit_heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "core/rng.h"
#include "net/initialise.h"
#include "net/zoo.h"

namespace actio::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

data::Item item(const std::string& label, const std::string& group, int clip) {
  data::Item item;
  item.path = label + "_" + group + "_" + std::to_string(clip);
  item.label = label;
  item.group = group;
  return item;
}

TEST(InnerSplits, leave_out_every_clip_once_and_never_part_of_a_group) {
  data::Split split;
  for (int group = 0; group < 7; ++group) {
    for (const std::string label : {"push", "pull"}) {
      for (int clip = 0; clip < 2; ++clip) split.train.push_back(item(label, "g" + std::to_string(group), clip));
    }
  }
  split.validation = {item("push", "v", 0)};
  const std::vector<data::Split> splits = inner_splits(split, 3);
  ASSERT_EQ(splits.size(), 3U);
  std::multiset<std::string> left_out;
  for (const data::Split& inner : splits) {
    std::set<std::string> learned, tested;
    for (const data::Item& one : inner.train) learned.insert(one.group);
    for (const data::Item& one : inner.test) {
      tested.insert(one.group);
      left_out.insert(one.path);
    }
    for (const std::string& group : tested) EXPECT_FALSE(learned.contains(group)) << group;
    EXPECT_EQ(inner.train.size() + inner.test.size(), split.train.size());
    EXPECT_EQ(inner.validation.size(), 1U) << "chooses the best epoch there, too";
  }
  EXPECT_EQ(left_out.size(), split.train.size());
  EXPECT_EQ(std::set<std::string>(left_out.begin(), left_out.end()).size(), split.train.size());
  EXPECT_EQ(missing_class(splits, {"pull", "push"}), "");
}

TEST(InnerSplits, spread_the_classes_of_clips_without_groups_and_tell_of_one_that_is_missing) {
  data::Split split;
  for (int clip = 0; clip < 6; ++clip) split.train.push_back(item("many", "", clip));
  for (int clip = 0; clip < 3; ++clip) split.train.push_back(item("few", "", clip));
  for (const data::Split& inner : inner_splits(split, 3)) {
    EXPECT_EQ(std::ranges::count(inner.test, "few", &data::Item::label), 1);
    EXPECT_EQ(std::ranges::count(inner.test, "many", &data::Item::label), 2);
  }
  split.train.push_back(item("one", "", 0));
  EXPECT_EQ(missing_class(inner_splits(split, 3), {"few", "many", "one"}), "one");
  split.train.resize(2);
  try {
    inner_splits(split, 3);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "fit_heads inner: 2 groups of clips to train on make no 3 parts");
  }
}

net::Model model() {
  net::NetworkOptions options;
  options.backbone = net::BackboneKind::kResnet18;
  options.width = 0.125;
  options.classes = 2;
  options.segments = 2;
  net::Model model;
  const Preprocess preprocess{.input_size = 32, .motion = Motion::kVectors};
  model.spec = net::build_network(options, preprocess);
  model.inputs = net::network_inputs(options, preprocess);
  model.classes = {"pull", "push"};
  model.training = Json::object();
  net::initialise(model.spec, nullptr, 1, model.weights);
  return model;
}

// "rgb" is right and unsure, "motion" is wrong as often as right and very sure, "ttn" says nothing.
Answers answers(int clips) {
  Answers answers;
  Rng rng(3);
  std::vector<float> rgb, motion, ttn;
  for (int i = 0; i < clips; ++i) {
    const int label = i % 2, guess = static_cast<int>(rng.below(2));
    answers.paths.push_back("clip" + std::to_string(i));
    answers.labels.push_back(label);
    for (int c = 0; c < 2; ++c) {
      rgb.push_back(c == label ? 0.6F : 0.4F);
      motion.push_back(c == guess ? 9.0F : -9.0F);
      ttn.push_back(0);
    }
  }
  for (const auto& values : {rgb, motion, ttn}) answers.heads.push_back(Tensor::of({clips, 2}, values));
  return answers;
}

TEST(FitHeads, keeps_what_it_found_in_the_model_and_changes_answers_as_the_model_would) {
  net::Model fitted = model();
  const Answers held_out = answers(60);
  const eval::HeadFusion fusion = fit_heads(fitted, held_out, {});
  const std::vector<double>& factors = fitted.spec.node(fitted.spec.scores).attrs.weights;
  EXPECT_EQ(factors, fusion.factors);
  EXPECT_GT(factors[0], 20 * factors[1]);
  EXPECT_NO_THROW(net::check_weights(fitted.spec, fitted.weights));
  EXPECT_EQ(fitted.training.at("heads").at("clips"), 60);
  EXPECT_DOUBLE_EQ(fitted.training.at("heads").at("factors").at("rgb").get<double>(), factors[0]);
  EXPECT_THAT(head_text(fusion, fitted.spec), HasSubstr("from 60 clips; 100.0 % of them right when left out (equal weights "));
  Answers test = answers(8);
  test.probabilities = test.scores = Tensor({8, 2});
  apply_head_weights(fitted, test);
  EXPECT_EQ(test.top1, 1);
  for (int i = 0; i < 8; ++i) {
    double expected = 0;
    for (std::size_t h = 0; h < 3; ++h) expected += factors[h] * test.heads[h].data<float>()[i * 2 + 1];
    EXPECT_NEAR(test.scores.data<float>()[i * 2 + 1], expected, 1e-5);
  }
}

}  // namespace
}  // namespace actio::training
