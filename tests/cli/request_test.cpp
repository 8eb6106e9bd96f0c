// Trainings and evaluations by a file that says everything, beside the same by flags.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "cli/running_program.h"
#include "cli/train_clips.h"
#include "core/options.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::file_content;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProgramResult;
using testing::run_program;
using testing::RunningProgram;

class Request : public testing::TrainClips {
 protected:
  static void SetUpTestSuite() { render(4, 0.3); }
  static constexpr const char* kTiny = " --network tsn --streams rgb --backbone resnet18 --width 0.125 --input-size 32 --short-side 36 "
                                       "--segments 2 --batch-size 4 --threads 1 --group part ";
  static std::string train(const std::string& output, const std::string& options) {
    return "train " + data() + " -o " + path(output) + kTiny + options;
  }
  static std::string one_line(const ProgramResult& result) {
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    return result.err;
  }
};

TEST_F(Request, trains_the_same_model_as_the_flags_that_it_was_made_of) {
  std::ofstream(path("stages.toml")) << "[train]\nepochs = 2\n[[stage]]\nname = \"a\"\n"
                                        "[[stage]]\nname = \"b\"\ntrain = {epochs = 1, batch_size = 2}\n";
  const std::string options = "--fold test --config " + path("stages.toml") + " --seed 3 ";
  ASSERT_EQ(run_program(train("flags.actio", options + "--scores " + path("flags.csv"))).exit_code, 0);
  const ProgramResult written = run_program(train("file.actio", options + "--scores " + path("file.csv") + " --write-request " + path("train.json")));
  ASSERT_EQ(written.exit_code, 0) << written.err;
  EXPECT_EQ(written.out, "wrote " + path("train.json") + "\n");
  EXPECT_FALSE(fs::exists(path("file.actio")));
  fs::remove(path("stages.toml"));  // the request has it all
  const ProgramResult trained = run_program("train --request " + path("train.json"));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("stage 2 of 2: b"));
  EXPECT_EQ(file_content(path("file.actio")), file_content(path("flags.actio")));
  EXPECT_EQ(file_content(path("file.csv")), file_content(path("flags.csv")));
}

TEST_F(Request, goes_on_with_a_training_that_flags_began) {
  const std::string options = "--fold test --epochs 60 --save-minutes 0.0001 --resume";
  ASSERT_EQ(run_program(train("whole.actio", options)).exit_code, 0);
  RunningProgram training(train("stopped.actio", options));
  EXPECT_TRUE(training.wait_until([&] { return fs::exists(path("stopped.actio.state")); }));
  training.signal(SIGINT);
  ASSERT_EQ(training.wait().exit_code, 130) << training.err();
  ASSERT_EQ(run_program(train("stopped.actio", options + " --write-request " + path("resume.json"))).exit_code, 0);
  const ProgramResult resumed = run_program("train --request " + path("resume.json"));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("going on after epoch"));
  EXPECT_EQ(file_content(path("stopped.actio")), file_content(path("whole.actio")));
  EXPECT_THAT(run_program("train --request " + path("resume.json")).out, HasSubstr("is trained already"));
  // The other way round: by flags what the request has trained.
  EXPECT_THAT(run_program(train("stopped.actio", options)).out, HasSubstr("is trained already"));
  // Settings of another training are refused as flags of one are.
  std::string text = file_content(path("resume.json"));
  text.replace(text.find("\"epochs\": 60"), 12, "\"epochs\": 61");
  std::ofstream(path("other.json")) << text;
  const ProgramResult other = run_program("train --request " + path("other.json"));
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(one_line(other), HasSubstr("epochs: 60 there, 61 here"));
}

TEST_F(Request, evaluates_as_flags_do) {
  ASSERT_EQ(run_program(train("tested.actio", "--fold test --epochs 1")).exit_code, 0);
  const std::string command = "evaluate " + path("tested.actio") + " " + data() + " --group part --fold test --protocol stfn --average logits ";
  const ProgramResult by_flags = run_program(command + "--scores " + path("by_flags.csv"));
  ASSERT_EQ(by_flags.exit_code, 0) << by_flags.err;
  ASSERT_EQ(run_program(command + "--scores " + path("by_file.csv") + " --write-request " + path("evaluate.json")).exit_code, 0);
  EXPECT_FALSE(fs::exists(path("by_file.csv")));
  const ProgramResult by_file = run_program("evaluate --request " + path("evaluate.json"));
  EXPECT_EQ(by_file.exit_code, 0) << by_file.err;
  EXPECT_EQ(by_file.out, by_flags.out);
  EXPECT_EQ(file_content(path("by_file.csv")), file_content(path("by_flags.csv")));
  const ProgramResult json = run_program("evaluate --json --request " + path("evaluate.json"));
  EXPECT_EQ(Json::parse(json.out).at("protocol").at("name"), "stfn") << json.err;
  const ProgramResult wrong = run_program("train --request " + path("evaluate.json"));
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_THAT(one_line(wrong), HasSubstr("is no request for 'train': its kind is \"evaluate\""));
}

TEST_F(Request, stands_alone) {
  ASSERT_EQ(run_program(train("alone.actio", "--fold test --epochs 1 --write-request " + path("alone.json"))).exit_code, 0);
  const std::string request = " --request " + path("alone.json");
  for (const std::string more : {"--epochs 3", "--no-flip", "--config x.toml", "--print-config", "--write-request b.json"}) {
    SCOPED_TRACE(more);
    const ProgramResult result = run_program("train " + more + request);
    EXPECT_EQ(result.exit_code, 2);
    const std::string flag = more == "--no-flip" ? "--flip" : more.substr(0, more.find(' '));
    EXPECT_THAT(one_line(result), AllOf(HasSubstr("--request " + path("alone.json") + " says everything"), HasSubstr("leave out " + flag)));
    EXPECT_EQ(result.out, "");
  }
  EXPECT_THAT(one_line(run_program("train" + request + " --resume")), HasSubstr("leave out --resume"));
  EXPECT_THAT(one_line(run_program("train data.csv" + request)), HasSubstr("leave out DATA"));
  EXPECT_THAT(one_line(run_program("evaluate --part all" + request)), HasSubstr("leave out --part"));
  EXPECT_EQ(run_program("train --help" + request).exit_code, 0);
  EXPECT_FALSE(fs::exists(path("alone.actio")));
  EXPECT_THAT(one_line(run_program("train")), HasSubstr("DATA is required"));
  EXPECT_THAT(one_line(run_program("evaluate m.actio")), HasSubstr("DATA is required"));
}

TEST_F(Request, that_contradicts_itself_or_is_none_is_one_line) {
  const ProgramResult contradiction = run_program(train("c.actio", "--partial --write-request " + path("c.json")));
  EXPECT_EQ(contradiction.exit_code, 2);
  EXPECT_THAT(one_line(contradiction), HasSubstr("--partial needs --init"));
  EXPECT_FALSE(fs::exists(path("c.json")));
  EXPECT_THAT(one_line(run_program(train("c.actio", "--write-request " + data()))), HasSubstr("is an input, it cannot be the output"));
  const ProgramResult missing = run_program("train --request " + path("nowhere.json"));
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(one_line(missing), HasSubstr("nowhere.json: no such file"));
  std::ofstream(path("damaged.json")) << R"({"actio.request": 1, "kind": "tra)";
  const ProgramResult damaged = run_program("train --request " + path("damaged.json"));
  EXPECT_EQ(damaged.exit_code, 3);
  EXPECT_THAT(one_line(damaged), HasSubstr("damaged.json is not JSON"));
  // Nor may it be written over by what it asks for.
  ASSERT_EQ(run_program(train("own.json", "--fold test --epochs 1 --write-request " + path("own.json"))).exit_code, 0);
  const std::string before = file_content(path("own.json"));
  EXPECT_EQ(run_program("train --request " + path("own.json")).exit_code, 2);
  EXPECT_EQ(file_content(path("own.json")), before);
}

}  // namespace
}  // namespace actio::cli
