// Networks that start from others, as the papers train them: spatial, then motion, then the fusion network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "cli/running_program.h"
#include "cli/tiny_model.h"
#include "cli/train_clips.h"
#include "eval/score_file.h"
#include "net/model_file.h"

namespace actio::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::run_program;
using testing::RunningProgram;

constexpr const char* kTiny = " --backbone resnet18 --width 0.125 --input-size 32 --short-side 36 --segments 2 --epochs 1 --batch-size 4";

class TrainInit : public testing::TrainClips {
 protected:
  static void SetUpTestSuite() { render(4, 0); }
  static std::string model(const std::string& name) { return path(name + ".actio"); }
  static ProgramResult train(const std::string& name, const std::string& options) {
    return run_program("train " + data() + " -o " + model(name) + options);
  }
};

TEST_F(TrainInit, goes_from_a_spatial_to_a_two_stream_to_a_fusion_network) {
  const std::string tiny = kTiny;
  ASSERT_EQ(train("spatial", tiny + " --network tsn --streams rgb").exit_code, 0);
  const ProgramResult both = train("both", " --network tsn --streams both --segments 2 --epochs 1 --batch-size 4 --motion-bound 8 "
                                           "--motion-std 20 --fusion-weights 1,3 --init " + model("spatial"));
  ASSERT_EQ(both.exit_code, 0) << both.err;
  EXPECT_THAT(both.out, HasSubstr("new 1: scores.weight"));
  const ProgramResult fusion = train("fusion", " --network if_ttn --segments 2 --epochs 1 --batch-size 4 --init " + model("both"));
  ASSERT_EQ(fusion.exit_code, 0) << fusion.err;
  EXPECT_THAT(fusion.out, HasSubstr("new 1: scores.weight"));

  const net::Model two = net::read_model(model("both")), three = net::read_model(model("fusion"));
  EXPECT_EQ(two.weights.at("scores.weight").values<float>()[1], 0.75F)
      << "the weights of the command line, not of the parent";
  EXPECT_EQ(three.weights.at("scores.weight").shape(), (Shape{3}));
  // What the parent's weights were trained on reaches the child without a flag.
  EXPECT_EQ(three.inputs.framing.size, 32);
  EXPECT_EQ(three.inputs.find("motion")->bound, 8);
  EXPECT_EQ(three.inputs.find("motion")->std.at(0), 20);
  EXPECT_EQ(three.parent_hash, two.hash);
}

TEST_F(TrainInit, goes_from_a_spatial_to_a_motion_network_though_no_tensor_has_its_name) {
  ASSERT_EQ(train("appearance", std::string(kTiny) + " --network tsn --streams rgb").exit_code, 0);
  const ProgramResult motion =
      train("motion", " --network tsn --streams motion --segments 2 --epochs 1 --batch-size 4 --init " + model("appearance"));
  ASSERT_EQ(motion.exit_code, 0) << motion.err;
  EXPECT_THAT(motion.out, AllOf(HasSubstr("loaded 102"), HasSubstr("new 0"), HasSubstr("not used 0")));
  // Both streams into one of them leaves the other without a place.
  ASSERT_EQ(train("pair", std::string(kTiny) + " --network tsn --streams both").exit_code, 0);
  const std::string one = " --network tsn --streams rgb --segments 2 --epochs 1 --batch-size 4 --init " + model("pair");
  const ProgramResult strict = train("one", one);
  EXPECT_EQ(strict.exit_code, 3);
  EXPECT_THAT(strict.err, AllOf(HasSubstr("its tensor 'motion."), HasSubstr("--partial")));
  EXPECT_EQ(train("one", one + " --partial").exit_code, 0);
}

TEST_F(TrainInit, takes_a_network_on_motion_vectors_from_the_one_that_learned_on_flow) {
  const std::string flow = " --motion flow --flow-quality realtime --flow-short-side 36 --motion-length 2 --motion-bound 8";
  ASSERT_EQ(train("on_flow", std::string(kTiny) + " --network if_ttn" + flow).exit_code, 0);
  const ProgramResult result =
      train("on_vectors", " --network if_ttn --motion mv --segments 2 --epochs 1 --batch-size 4 --init " + model("on_flow"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("new 1: scores.weight"));
  const net::Model vectors = net::read_model(model("on_vectors"));
  const InputSpec* motion = vectors.inputs.find("motion");
  EXPECT_EQ(motion->kind, InputKind::kVectors);
  EXPECT_EQ(motion->length, 2) << "as the flow that the weights know";
  EXPECT_EQ(motion->bound, 8);
  EXPECT_EQ(vectors.parent_hash, net::read_model(model("on_flow")).hash);
}

TEST_F(TrainInit, makes_one_network_of_frames_differences_flow_and_vectors) {
  ASSERT_EQ(train("first", std::string(kTiny) + " --network tsn --streams rgb").exit_code, 0);
  const ProgramResult result = train("four", " --network tsn --streams rgb,rgbdiff,flow,mv --motion-length 2 --flow-quality realtime --segments 2 "
                                             "--flow-short-side 36 --epochs 1 --batch-size 4 --init " + model("first") +
                                                 " --flow-cache " + path("flow"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("tsn_rgb+rgbdiff+flow+mv(resnet18)"));
  EXPECT_THAT(result.out, HasSubstr("new 1: scores.weight")) << "every stream starts from the spatial one";
  const net::Model four = net::read_model(model("four"));
  EXPECT_EQ(four.inputs.names(), (std::vector<std::string>{"rgb", "rgbdiff", "flow", "mv"}));
  const ProgramResult cached = run_program("evaluate " + model("four") + " " + data() + " --fold g001 --flow-cache " + path("flow") + " --json");
  const ProgramResult plain = run_program("evaluate " + model("four") + " " + data() + " --fold g001 --json");
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_EQ(cached.out, plain.out);
  // What follows from it knows how its inputs were made.
  const ProgramResult next = train("next", " --network tsn --streams flow --segments 2 --epochs 1 --batch-size 4 --partial --init " + model("four"));
  ASSERT_EQ(next.exit_code, 0) << next.err;
  EXPECT_EQ(*net::read_model(model("next")).inputs.find("flow"), *four.inputs.find("flow"));
}

TEST_F(TrainInit, fits_the_weights_of_heads_on_clips_that_are_left_out_in_turn) {
  const std::string options = std::string(kTiny) + " --network if_ttn --motion mv --motion-length 2 --fit-heads inner --fit-parts 2 --group group --fold g001";
  const ProgramResult result = train("fitted", options + " --scores " + path("fitted.csv"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("heads: part 2 of 2: learns from"), HasSubstr("% of them right when left out (equal weights")));
  EXPECT_FALSE(std::filesystem::exists(path("fitted.inner"))) << "what was trained for this alone is gone";
  const net::Model fitted = net::read_model(model("fitted"));
  EXPECT_TRUE(fitted.training.contains("heads"));
  // What the trainer says of the test part is what the model says.
  ASSERT_EQ(run_program("evaluate " + model("fitted") + " " + data() + " --group group --fold g001 --scores " + path("model.csv")).exit_code, 0);
  const auto scores = [](const std::string& file) {
    const eval::ScoreTable table = eval::read_scores(file);
    return std::vector<float>(table.scores.values<float>().begin(), table.scores.values<float>().end());
  };
  const std::vector<float> by_trainer = scores(path("fitted.csv")), by_model = scores(path("model.csv"));
  ASSERT_EQ(by_trainer.size(), by_model.size());
  for (std::size_t i = 0; i < by_model.size(); ++i) EXPECT_NEAR(by_trainer[i], by_model[i], 1e-4);
  // The same again changes nothing; a validation part that is not there is told of before anything is trained.
  EXPECT_THAT(train("fitted", options + " --resume").out, HasSubstr("is trained already"));
  const ProgramResult none = train("none", std::string(kTiny) + " --network if_ttn --fit-heads validation");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("--fit-heads validation needs a validation part"));
  EXPECT_EQ(none.out, "");
}

TEST_F(TrainInit, says_which_tensor_differs_where_the_first_weights_do_not_fit) {
  testing::write_tiny_model(model("other"), "tsn", "none");
  const ProgramResult result = train("wide", std::string(kTiny) + " --network tsn --streams rgb --width 0.25 --init " + model("other"));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("expected shape [16, 3, 7, 7]"), HasSubstr("has [8, 3, 7, 7]")));
  EXPECT_FALSE(std::filesystem::exists(model("wide")));
}

TEST_F(TrainInit, writes_nothing_over_a_model_when_it_is_interrupted_before_the_first_step) {
  testing::write_tiny_model(model("good"), "tsn", "none");
  const std::string before = testing::file_content(model("good"));
  // Flow of whole frames takes long enough to be interrupted in.
  RunningProgram training("train " + data() + " -o " + model("good") + kTiny +
                          " --network tsn --streams motion --motion flow --short-side 480 --batch-size 8 --workers 1");
  ASSERT_TRUE(training.wait_until_it_prints("8 clips to train on"));
  training.signal(SIGINT);
  const ProgramResult result = training.wait();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_THAT(result.err, HasSubstr("interrupted before the first step"));
  EXPECT_EQ(testing::file_content(model("good")), before);
}

TEST_F(TrainInit, never_replaces_an_input_by_an_output) {
  testing::write_tiny_model(model("kept"), "tsn", "none");
  const std::string before = testing::file_content(model("kept"));
  for (const std::string& command : {"evaluate " + model("kept") + " " + data() + " --report " + model("kept"),
                                     "import " + model("kept") + " -o " + model("kept"),
                                     "train " + data() + " -o " + model("kept") + " --init " + model("kept")}) {
    const ProgramResult result = run_program(command);
    EXPECT_EQ(result.exit_code, 2) << command;
    EXPECT_THAT(result.err, HasSubstr("is an input, it cannot be the output"));
  }
  EXPECT_EQ(testing::file_content(model("kept")), before);
}

}  // namespace
}  // namespace actio::cli
