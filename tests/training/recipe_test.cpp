#include "training/recipe/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace actio::training {
namespace {

using ::testing::HasSubstr;

DataFacts some_clips() {
  DataFacts data;
  data.clips = 54;
  data.groups = 9;
  data.classes = 6;
  data.fewest_groups = 8;
  data.fewest_class = "punch";
  data.frames = 120;
  data.seconds = 4;
  data.width = 350;
  data.height = 240;
  data.motion_bound = 5;
  return data;
}

const MachineFacts kTwoCores = {.cores = 2, .instructions = "AVX2", .bf16 = false, .gigabytes = 24};
const WeightFacts kPublished = {.any = true, .moves = false, .files = "imagenet.actio"};

Recipe recipe(const DataFacts& data, const TrainSpec& spec = {}, const WeightFacts& weights = kPublished, int thrift = kDearest) {
  return decide(data, kTwoCores, weights, spec, thrift);
}

std::string reason(const Recipe& recipe, const std::string& what) {
  for (const Decision& decision : recipe.decisions) {
    if (decision.what == what) return decision.value + ": " + decision.reason;
  }
  return "nothing is said of " + what;
}

TEST(Recipe, reads_the_motion_vectors_that_every_clip_has) {
  const Recipe decided = recipe(some_clips());
  EXPECT_EQ(decided.tables.at("preprocess").at("motion"), "mv");
  EXPECT_EQ(decided.tables.at("preprocess").at("motion_bound"), 5);
}

TEST(Recipe, takes_a_motion_that_all_clips_have_where_some_have_no_vectors) {
  DataFacts data = some_clips();
  data.without_vectors = 1;
  data.codec_without = "hevc";
  const Recipe decided = recipe(data);
  EXPECT_EQ(decided.tables.at("preprocess").at("motion"), "rgbdiff");
  EXPECT_THAT(reason(decided, "motion"), HasSubstr("1 clips have no motion vectors (hevc)"));
  EXPECT_FALSE(decided.tables.at("preprocess").contains("motion_bound")) << "which differences do not have";
}

TEST(Recipe, learns_from_few_clips_on_kept_features_and_from_many_of_everything) {
  const Json stage = recipe(some_clips()).tables.at("stage").at(0);
  EXPECT_EQ(stage.at("train").at("freeze").at(0), "rgb.features.0");
  EXPECT_EQ(stage.at("train").at("cache_views"), 6);
  DataFacts many = some_clips();
  many.clips = 9000;
  many.groups = 2500;
  many.fewest_groups = 20;
  const Recipe decided = recipe(many);
  EXPECT_FALSE(decided.tables.at("stage").at(0).contains("train"));
  EXPECT_EQ(decided.tables.at("train").at("fit_heads"), "validation") << "there is enough to leave some out for good";
  EXPECT_EQ(decided.tables.at("data").at("validation_share"), 0.1);
  EXPECT_LT(decided.tables.at("train").at("epochs"), recipe(some_clips()).tables.at("train").at("epochs"));
}

TEST(Recipe, says_that_there_is_too_little_to_leave_out_and_leaves_nothing_out) {
  DataFacts data = some_clips();
  data.groups = 52;
  data.fewest_groups = 1;
  data.fewest_class = "Archery";
  const Recipe decided = recipe(data);
  EXPECT_FALSE(decided.tables.at("train").contains("fit_heads"));
  EXPECT_THAT(reason(decided, "heads"), HasSubstr("52 groups, but 1 of 'Archery': too few to leave some out"));
}

TEST(Recipe, says_that_the_accuracy_is_unknown_where_nothing_is_held_out) {
  EXPECT_THAT(reason(recipe(some_clips()), "accuracy"), HasSubstr("not measured: no clip is held out"));
  DataFacts few = some_clips();
  few.fewest_groups = 1;
  EXPECT_THAT(reason(recipe(few), "accuracy"), HasSubstr("unknown: 9 groups, but 1 of 'punch': too few to hold any out"));
  DataFacts tested = some_clips();
  tested.tests = 6;
  EXPECT_THAT(reason(recipe(tested), "accuracy"), HasSubstr("nothing is said of accuracy"));
}

TEST(Recipe, leaves_out_fewer_parts_where_there_are_few_groups) {
  DataFacts data = some_clips();
  data.groups = data.fewest_groups = 4;  // four recordings, all classes in each
  EXPECT_EQ(recipe(data).tables.at("train").at("fit_parts"), 2);
  data.groups = data.fewest_groups = 3;
  EXPECT_FALSE(recipe(data).tables.at("train").contains("fit_heads"));
  EXPECT_EQ(recipe(some_clips()).tables.at("train").at("fit_parts"), 3);
}

TEST(Recipe, keeps_what_the_user_chose) {
  TrainSpec spec;
  apply({"train", "epochs", "3", "--epochs"}, spec);
  apply({"preprocess", "motion", "flow", "--motion"}, spec);
  apply({"preprocess", "input_size", "96", "--input-size"}, spec);
  apply({"train", "fit_heads", "none", "--fit-heads"}, spec);
  const Recipe decided = recipe(some_clips(), spec);
  EXPECT_FALSE(decided.tables.at("train").contains("epochs"));
  EXPECT_FALSE(decided.tables.at("train").contains("fit_heads"));
  EXPECT_FALSE(decided.tables.at("preprocess").contains("input_size"));
  EXPECT_FALSE(decided.tables.at("preprocess").contains("motion"));
  EXPECT_THAT(reason(decided, "motion"), HasSubstr("as asked for"));
}

TEST(Recipe, computes_on_a_gpu_where_there_is_one_unless_told_to_use_the_cpu) {
  MachineFacts machine = kTwoCores;
  machine.cuda = machine.bf16 = true;
  const Json train = decide(some_clips(), machine, kPublished, {}, kDearest).tables.at("train");
  EXPECT_EQ(train.at("device"), "cuda");
  EXPECT_FALSE(train.contains("bf16")) << "which was said of the processor";
  TrainSpec spec;
  spec.chosen.add(&TrainOptions::device);
  const Json told = decide(some_clips(), machine, kPublished, spec, kDearest).tables.at("train");
  EXPECT_FALSE(told.contains("device"));
  EXPECT_EQ(told.at("bf16"), true);
  EXPECT_FALSE(recipe(some_clips()).tables.at("train").contains("device"));
}

TEST(Recipe, trains_all_at_once_where_there_are_no_first_weights) {
  const Recipe decided = recipe(some_clips(), {}, {});
  EXPECT_FALSE(decided.tables.contains("stage"));
  EXPECT_THAT(reason(decided, "first weights"), HasSubstr("with --init of published weights"));
  EXPECT_GT(decided.tables.at("train").at("epochs"), 25);
}

TEST(Recipe, has_stages_for_every_network_that_it_is_made_for_and_refuses_others) {
  for (const char* network : {"tsn", "stfn", "if_ttn"}) {
    TrainSpec spec;
    apply({"network", "network", network, "--network"}, spec);
    const Recipe decided = recipe(some_clips(), spec);
    ASSERT_EQ(decided.tables.at("stage").size(), 3U) << network;
    Json file = decided.tables;
    EXPECT_EQ(resolve(read_spec(file, "recipe"), read_stages(file, "recipe"), {}, "recipe").back().network.network, spec.network.network);
  }
  TrainSpec spec;
  apply({"network", "network", "trn", "--network"}, spec);
  EXPECT_THROW(recipe(some_clips(), spec), Error);
}

TEST(Recipe, trains_each_stream_of_a_tsn_and_then_joins_them) {
  TrainSpec spec;
  apply({"network", "network", "tsn", "--network"}, spec);
  apply({"network", "streams", "rgb,rgbdiff,mv", "--streams"}, spec);
  const Recipe decided = recipe(some_clips(), spec);
  const Json& stages = decided.tables.at("stage");
  ASSERT_EQ(stages.size(), 4U);
  EXPECT_EQ(stages.at(1).at("network").at("streams"), "rgbdiff");
  EXPECT_EQ(stages.at(2).at("init"), "spatial");
  EXPECT_EQ(stages.at(3).at("init"), (Json{"spatial", "rgbdiff", "mv"}));
  EXPECT_EQ(stages.at(3).at("train").at("learning_rate"), 0);
  EXPECT_EQ(decided.tables.at("preprocess").at("motion_bound"), 5) << "one of them reads vectors";
  EXPECT_FALSE(decided.tables.at("preprocess").contains("motion")) << "each stream says its own";
}

TEST(Recipe, spends_less_with_every_step_of_thrift) {
  double before = 1e9;
  for (int thrift = kDearest; thrift <= kQuickest; ++thrift) {
    const Json tables = recipe(some_clips(), {}, kPublished, thrift).tables;
    const double size = tables.at("preprocess").at("input_size");
    const double trainings = tables.at("train").value("fit_heads", "none") == "inner" ? tables.at("train").at("fit_parts").get<double>() : 1;
    const bool keeps_motion = tables.at("stage").at(1).contains("train");
    const double cost = size * size * tables.at("train").at("epochs").get<double>() * trainings * (keeps_motion ? 1 : 2);
    EXPECT_LT(cost, before) << "at " << thrift;
    before = cost;
  }
}

}  // namespace
}  // namespace actio::training
