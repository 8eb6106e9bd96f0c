// What `actio train` decides by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/train_clips.h"
#include "net/model_file.h"
#include "support/reencode.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProgramResult;
using testing::run_program;

constexpr const char* kTiny = " --backbone resnet18 --width 0.125 --input-size 32 --segments 2 --epochs 1 --batch-size 4";

class TrainRecipe : public testing::TrainClips {
 protected:
  static void SetUpTestSuite() {
    render(6, 0.3);
    const ProgramResult first = run_program("train " + data() + " -o " + path("first.actio") + kTiny + " --network tsn --streams rgb");
    ASSERT_EQ(first.exit_code, ACTIO_HAS_TORCH ? 0 : 1) << first.err;
  }
  static ProgramResult train(const std::string& name, const std::string& options) {
    return run_program("train " + data() + " -o " + path(name + ".actio") + " --init " + path("first.actio") + options);
  }
};

TEST_F(TrainRecipe, decides_tells_why_and_says_how_long_before_it_begins) {
  const ProgramResult result = train("auto", " --segments 2 --epochs 1 --batch-size 4 --input-size 32");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("recipe auto: 12 clips to learn from, 2 classes"), HasSubstr("every clip carries motion vectors"),
                                HasSubstr("estimated time: about"), HasSubstr("stage 3 of 3: if_ttn")));
  EXPECT_LT(result.out.find("estimated time"), result.out.find("stage 1 of 3"));
  const std::string file = testing::file_content(path("auto.recipe.toml"));
  EXPECT_THAT(file, AllOf(HasSubstr("# motion: mv"), HasSubstr("epochs = 1\n"), HasSubstr("[[stage]]")));
}

TEST_F(TrainRecipe, leaves_a_file_that_makes_the_same_model) {
  ASSERT_EQ(train("one", " --segments 2 --epochs 1 --batch-size 4 --input-size 32").exit_code, 0);
  for (const char* option : {" --config ", " --recipe "}) {
    const ProgramResult again = train("again", option + path("one.recipe.toml"));
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(net::read_model(path("again.actio")).hash, net::read_model(path("one.actio")).hash) << option;
  }
}

TEST_F(TrainRecipe, computes_f32_where_the_processor_has_no_bfloat16_and_says_so_once_for_all_stages) {
  ASSERT_EQ(::setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1), 0);
  const std::string options = " --segments 2 --epochs 1 --batch-size 4 --input-size 32";
  const ProgramResult asked = train("bf16", options + " --bf16"), plain = train("f32", options + " --no-bf16");
  ::unsetenv("ONEDNN_MAX_CPU_ISA");
  ASSERT_EQ(asked.exit_code, 0) << asked.err;
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  const std::string line = "bf16: this processor has no instructions for bfloat16; f32 is computed";
  EXPECT_THAT(asked.err, HasSubstr(line));
  EXPECT_EQ(asked.err.find(line), asked.err.rfind(line));
  EXPECT_THAT(plain.err, Not(HasSubstr("bf16")));
  const TensorMap one = net::read_model(path("bf16.actio")).weights, other = net::read_model(path("f32.actio")).weights;
  for (const auto& [name, tensor] : one) EXPECT_EQ(std::memcmp(tensor.raw(), other.at(name).raw(), tensor.bytes()), 0) << name;
}

TEST_F(TrainRecipe, goes_on_by_what_was_decided_before) {
  const std::string options = " --segments 2 --epochs 1 --batch-size 4 --input-size 32";
  ASSERT_EQ(train("going", options).exit_code, 0);
  const ProgramResult again = train("going", options + " --resume");
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, AllOf(HasSubstr("as decided before"), HasSubstr("is trained already"), Not(HasSubstr("estimated time"))));
}

TEST_F(TrainRecipe, keeps_flow_beside_the_model) {
  const ProgramResult result =
      train("of_flow", " --motion flow --flow-quality realtime --epochs 1 --batch-size 4 --input-size 32 --segments 2 --fit-heads none");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("is computed once and kept there"));
  EXPECT_FALSE(fs::is_empty(path("of_flow.flow")));
  EXPECT_EQ(net::read_model(path("of_flow.actio")).inputs.find("motion")->bound, 20) << "which the cache is made with";
}

TEST_F(TrainRecipe, refuses_to_go_on_by_what_was_decided_for_something_else) {
  const std::string options = " --epochs 1 --batch-size 4 --input-size 32 --fit-heads none --segments ";
  ASSERT_EQ(train("other", options + "2").exit_code, 0);
  const ProgramResult refused = train("other", options + "3 --resume");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("other.recipe.toml: was decided for other options or first weights"));
  const ProgramResult anew = train("other", options + "3 --restart-changed");
  ASSERT_EQ(anew.exit_code, 0) << anew.err;
  EXPECT_EQ(net::read_model(path("other.actio")).spec.segments, 3);
}

TEST_F(TrainRecipe, obeys_the_division_of_the_data_that_its_file_has) {
  ASSERT_EQ(train("whole", " --epochs 1 --batch-size 4 --input-size 32 --segments 2 --fit-heads none").exit_code, 0);
  std::ofstream(path("divided.toml")) << testing::file_content(path("whole.recipe.toml")) << "\n[data]\ngroup = \"part\"\nfold = [\"test\"]\n";
  const ProgramResult divided = train("divided", " --recipe " + path("divided.toml"));
  ASSERT_EQ(divided.exit_code, 0) << divided.err;
  EXPECT_THAT(divided.out, HasSubstr("4 to test on"));
}

TEST_F(TrainRecipe, keeps_the_papers_settings_where_the_network_is_named) {
  const ProgramResult named = train("named", " --network tsn --streams rgb --segments 2 --epochs 1 --batch-size 4");
  ASSERT_EQ(named.exit_code, 0) << named.err;
  EXPECT_THAT(named.out, Not(HasSubstr("recipe")));
  EXPECT_FALSE(fs::exists(path("named.recipe.toml")));
  const ProgramResult both = train("both", " --recipe auto --network tsn --segments 2 --epochs 1 --batch-size 4 --input-size 32");
  ASSERT_EQ(both.exit_code, 0) << both.err;
  EXPECT_THAT(both.out, AllOf(HasSubstr("tsn on resnet18 (as asked for)"), HasSubstr("stage 3 of 3: tsn")));
}

TEST_F(TrainRecipe, joins_the_streams_and_the_fusion_network_that_are_asked_for) {
  const std::string tiny = " --recipe auto --segments 2 --epochs 1 --batch-size 4 --input-size 32 --fit-heads none";
  const ProgramResult three = train("three", tiny + " --network tsn --streams rgb,rgbdiff,mv");
  ASSERT_EQ(three.exit_code, 0) << three.err;
  EXPECT_EQ(net::read_model(path("three.actio")).inputs.names(), (std::vector<std::string>{"rgb", "rgbdiff", "mv"}));
  EXPECT_THAT(three.out, AllOf(HasSubstr("stage 2 of 4: rgbdiff"), HasSubstr("stage 4 of 4: tsn")));
  const ProgramResult stfn = train("stfn", tiny + " --network stfn");
  ASSERT_EQ(stfn.exit_code, 0) << stfn.err;
  EXPECT_THAT(stfn.out, AllOf(HasSubstr("tsn_motion(resnet18)"), HasSubstr("stage 3 of 3: stfn"), HasSubstr("\nstfn")));
  const net::Model model = net::read_model(path("stfn.actio"));
  EXPECT_EQ(model.inputs.find("motion")->length, 5) << "as the stream that it starts from";
}

TEST_F(TrainRecipe, has_one_recipe_for_all_folds) {
  const ProgramResult parts = run_program("train " + data() + " -o " + path("parts") + " --init " + path("first.actio") +
                                          " --group part --folds all --segments 2 --epochs 1 --batch-size 4 --input-size 32");
  ASSERT_EQ(parts.exit_code, 0) << parts.err;
  EXPECT_THAT(parts.out, AllOf(HasSubstr("for 2 folds"), HasSubstr("mean of the folds")));
  EXPECT_TRUE(fs::exists(path("parts/recipe.toml")));
}

TEST_F(TrainRecipe, refuses_what_contradicts_itself) {
  for (const auto& [options, text] : std::vector<std::pair<std::string, std::string>>{
           {" --recipe auto --network trn", "is made for tsn, stfn and if_ttn"},
           {" --recipe paper --minutes 3", "--minutes"},
           {" --recipe " + path("nowhere.toml"), "is none of auto, quick and paper, and no file"},
           {" --recipe quikc", "is none of auto, quick and paper, and no file"}}) {
    const ProgramResult result = train("wrong", options);
    EXPECT_EQ(result.exit_code, 2) << options;
    EXPECT_THAT(result.err, HasSubstr(text)) << options;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
}

TEST_F(TrainRecipe, decides_nothing_where_no_clip_can_be_read) {
  for (const char* clip : {"text/a/1.mp4", "text/b/1.mp4"}) {
    fs::create_directories(fs::path(path(clip)).parent_path());
    std::ofstream(path(clip)) << "this is no video";
  }
  const ProgramResult result = run_program("train " + path("text") + " -o " + path("text.actio"));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("none of its 2 clips can be read; the first, "), HasSubstr("text/a/1.mp4: is not a video")));
  EXPECT_FALSE(fs::exists(path("text.recipe.toml")));
}

// A set of which one class was encoded anew by somebody else.
TEST_F(TrainRecipe, refuses_a_class_that_loses_its_clips_unless_that_is_allowed) {
  fs::copy(path("data"), path("mixed"), fs::copy_options::recursive);
  for (const auto& entry : fs::directory_iterator(path("mixed/sit_down"))) {
    const std::string old = entry.path().string() + ".old.mp4";
    fs::rename(entry.path(), old);
    video::EncoderOptions hevc;
    hevc.codec = "libx265";
    testing::reencode(old, entry.path().string(), hevc);
    fs::remove(old);
  }
  const std::string tiny = std::string(" --network tsn --streams motion") + kTiny;
  const std::string command = "train " + path("mixed/labels.csv") + " -o " + path("mixed.actio") + tiny;
  const ProgramResult refused = run_program(command + " --vectors codec");
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("class 'sit_down' loses 6 of 6 clips to train on"), HasSubstr("--motion rgbdiff")));
  EXPECT_THAT(refused.err, HasSubstr("--vectors any estimates theirs"));
  EXPECT_EQ(run_program(command + " --motion rgbdiff").exit_code, 0);
  const ProgramResult estimated = run_program("train " + path("mixed/labels.csv") + " -o " + path("estimated.actio") + tiny);
  EXPECT_EQ(estimated.exit_code, 0) << "their vectors are estimated: " << estimated.err;
  EXPECT_THAT(estimated.err, HasSubstr("estimated from the pictures"));
  const ProgramResult decided = run_program("train " + path("mixed/labels.csv") + " -o " + path("all.actio") + " --init " + path("first.actio") +
                                            " --segments 2 --epochs 1 --batch-size 4 --input-size 32");
  ASSERT_EQ(decided.exit_code, 0) << decided.err;
  EXPECT_THAT(decided.out, HasSubstr("6 clips have no motion vectors (hevc)"));
}

}  // namespace
}  // namespace actio::cli
