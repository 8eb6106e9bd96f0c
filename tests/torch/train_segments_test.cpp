// Networks that classify every snippet alone may be trained on fewer segments than they are tested on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "nets.h"
#include "pattern_source.h"
#include "support/compare.h"
#include "torch/forward.h"
#include "torch/trainer/trainer.h"

namespace actio::torch_train {
namespace {

using testing::close;

net::NetSpec of_segments(net::NetSpec spec, std::int64_t segments) {
  spec.segments = segments;
  for (net::Node& node : spec.nodes) node.attrs.probability = 0;  // dropout
  return spec;
}

TEST(TrainSegments, of_one_give_the_weights_of_a_network_of_one_and_the_answers_of_the_network_s_own) {
  const net::NetSpec one = of_segments(testing::inverted_residual_net(), 1), three = of_segments(testing::inverted_residual_net(), 3);
  Training single = prepare(one), several = prepare(three);
  several.job.options.train_segments = 1;
  PatternSource train(one, 10, 5, 3), again(one, 10, 5, 3), test(three, 6, 3, 4);
  start(single, train);
  start(several, again, &test);
  EXPECT_TRUE(same(single.weights, several.weights));
  ASSERT_TRUE(several.result.test.has_value());
  TensorMap clips = test.batches[0].inputs;
  const Tensor expected = forward(three, several.weights, clips, {three.scores}).at(three.scores);
  EXPECT_TRUE(close(several.result.test->scores.rows(0, 3), expected, 1e-6));
}

TEST(TrainSegments, of_one_work_with_kept_features_too) {
  const net::NetSpec one = of_segments(testing::inverted_residual_net(), 1), three = of_segments(testing::inverted_residual_net(), 3);
  const auto train_with = [&](std::int64_t views) {
    Training run = prepare(three);
    run.job.options.train_segments = 1;
    run.job.options.augment = false;
    run.job.options.batch_size = 10;  // a step is an epoch: their order does not matter
    run.job.options.freeze = {"rgb.c0", "rgb.c0_bn", "rgb.block1"};
    run.job.options.cache_views = views;
    run.result = train_on(run.job, run.weights, {std::make_unique<PatternSource>(one, 10, 10, 3), nullptr,
                                                 std::make_unique<PatternSource>(three, 6, 3, 4)});
    return run;
  };
  const Training read = train_with(0), kept = train_with(1);
  ASSERT_TRUE(read.result.test && kept.result.test);
  EXPECT_TRUE(close(kept.result.test->scores, read.result.test->scores, 1e-4));
}

TEST(TrainSegments, other_than_its_own_are_refused_by_a_network_that_compares_segments) {
  for (const net::NetSpec& spec : {testing::fusion_net(), testing::sequence_net()}) {
    Training run = prepare(spec);
    run.job.options.train_segments = 1;
    PatternSource source(of_segments(spec, 1), 5, 5, 3);
    try {
      start(run, source);
      ADD_FAILURE() << spec.name << ": no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.what(), ::testing::MatchesRegex("train_segments: " + spec.name +
                                                        " compares its [45] segments in '.+' and cannot be trained on 1"));
    }
    run.job.options.train_segments = spec.segments;
    PatternSource own(spec, 5, 5, 3);
    EXPECT_NO_THROW(start(run, own));
  }
}

}  // namespace
}  // namespace actio::torch_train
