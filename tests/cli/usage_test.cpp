#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/program.h"
#include "cli/tiny_model.h"
#include "support/synthetic_clip.h"

namespace actio::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

TEST(Usage, names_the_nearest_flag_and_exits_with_2) {
  const ProgramResult result = run_program("describe if_ttn --segmets 3");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown option '--segmets'; the nearest is '--segments'"));
}

TEST(Usage, refuses_a_wrong_value_with_the_flag_and_the_value) {
  const ProgramResult result = run_program("describe if_ttn --segments many");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--segments"));
  EXPECT_THAT(result.err, HasSubstr("'many'"));
  EXPECT_EQ(run_program("describe if_ttn --ifm atention").exit_code, 2);
}

TEST(Usage, exits_with_2_without_a_command_and_for_an_unknown_one) {
  EXPECT_EQ(run_program("").exit_code, 2);
  const ProgramResult nested = run_program("data scann x");
  EXPECT_EQ(nested.exit_code, 2);
  EXPECT_THAT(nested.err, HasSubstr("unknown data command 'scann'; the nearest is 'scan' (see 'actio data --help')"));
  const ProgramResult unknown = run_program("recognise");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("unknown command 'recognise'; the nearest is 'recognize'"));
}

TEST(Usage, lists_every_option_of_a_command_in_its_help) {
  for (const char* command : {"recognize", "evaluate", "fuse", "describe", "import", "data synth", "data scan", "data check", "flow", "train"}) {
    if (std::string(command) == "train" && !ACTIO_HAS_TORCH) continue;
    const ProgramResult help = run_program(std::string(command) + " --help");
    EXPECT_EQ(help.exit_code, 0) << command;
    const ProgramResult printed = run_program(std::string(command) + " --print-config");
    EXPECT_EQ(printed.exit_code, 0) << command << printed.err;
    std::istringstream lines(printed.out);
    int options = 0;
    for (std::string line; std::getline(lines, line);) {
      std::string name = line.substr(line.starts_with("#") ? 1 : 0);
      name = name.substr(0, name.find(" = "));
      if (line.starts_with("# ") || line.find(" = ") == std::string::npos) continue;
      std::ranges::replace(name, '_', '-');
      EXPECT_THAT(help.out, HasSubstr("--" + name)) << command;
      ++options;
    }
    EXPECT_GT(options, 0) << command;
  }
}

TEST(Usage, reads_options_from_toml_and_lets_flags_win) {
  const TempDir dir;
  std::ofstream(dir / "net.toml") << "[network]\nsegments = 5\nbackbone = \"resnet18\"\n";
  const auto segments = [&](const std::string& more) {
    const ProgramResult result = run_program("describe stfn --json --config " + (dir / "net.toml") + more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out).at("segments").get<int>();
  };
  EXPECT_EQ(segments(""), 5);
  EXPECT_EQ(segments(" --segments 4"), 4);
  std::ofstream(dir / "bad.toml") << "[network]\nsegmnts = 5\n";
  const ProgramResult result = run_program("describe stfn --config " + (dir / "bad.toml"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown option 'segmnts'; the nearest is 'segments'"));
}

TEST(Describe, prints_networks_backbones_and_model_files) {
  const TempDir dir;
  write_tiny_model(dir / "m.actio", "if_ttn", "mv");
  EXPECT_THAT(run_program("describe resnet50").out, HasSubstr("25.56 M"));
  EXPECT_THAT(run_program("describe if_ttn").out, HasSubstr("multiply-adds of one more snippet"));
  EXPECT_THAT(run_program("describe " + (dir / "m.actio")).out, HasSubstr("if_ttn(resnet18), 3 segments"));
}

TEST(Doctor, tells_codec_frames_and_motion_sources) {
  const TempDir dir;
  write_synthetic_clip({.path = dir / "clip.mp4", .frames = 30, .dx = 1});
  const ProgramResult text = run_program("doctor " + (dir / "clip.mp4"));
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("h264"));
  const ProgramResult json = run_program("doctor --json " + (dir / "clip.mp4"));
  EXPECT_TRUE(nlohmann::json::accept(json.out)) << json.out;
  EXPECT_EQ(run_program("doctor " + (dir / "none.mp4")).exit_code, 1);
  const ProgramResult large = run_program("doctor --max-pixels 100 " + (dir / "clip.mp4"));
  EXPECT_EQ(large.exit_code, 3);
  EXPECT_THAT(large.err, HasSubstr("claims 128 x 96 pixels, 12288 in all; at most 100 a frame are read (--max-pixels)"));
}

TEST(Evaluate, measures_a_folder_per_class_and_counts_what_cannot_be_read) {
  const TempDir dir;
  write_tiny_model(dir / "m.actio", "if_ttn", "mv");
  for (const std::string name : {"clap", "jump"}) {
    std::filesystem::create_directories(dir / ("data/" + name));
    for (int i = 0; i < 2; ++i) {
      write_synthetic_clip({.path = dir / ("data/" + name + "/" + std::to_string(i) + ".mp4"), .seed = static_cast<std::uint64_t>(i)});
    }
  }
  const ProgramResult good = run_program("evaluate " + (dir / "m.actio") + " " + (dir / "data") + " --json");
  ASSERT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(nlohmann::json::parse(good.out).at("clips"), 4);
  std::ofstream(dir / "data/jump/broken.mp4") << "broken";
  const ProgramResult broken = run_program("evaluate " + (dir / "m.actio") + " " + (dir / "data") + " --json");
  EXPECT_EQ(broken.exit_code, 3);
  EXPECT_THAT(broken.err, HasSubstr("broken.mp4"));
  EXPECT_EQ(nlohmann::json::parse(broken.out).at("clips"), 4);
  std::filesystem::rename(dir / "data/jump", dir / "data/jmup");
  const ProgramResult unknown = run_program("evaluate " + (dir / "m.actio") + " " + (dir / "data"));
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_THAT(unknown.err, HasSubstr((dir / "data") + ": unknown class 'jmup'; the nearest is 'jump'; "));
  EXPECT_THAT(unknown.err, HasSubstr((dir / "m.actio") + " knows 'clap', 'jump', 'wave'"));
}

#if ACTIO_HAS_TORCH

TEST(Train, goes_from_rendered_clips_to_a_model_that_recognises) {
  const TempDir dir;
  const std::string data = dir / "clips";
  ASSERT_EQ(run_program("data synth -o " + data + " --clips-per-class 4 --classes stand_up,sit_down").exit_code, 0);
  const ProgramResult train = run_program("train " + data + "/labels.csv -o " + (dir / "m.actio") +
                                          " --group part --fold test --network if_ttn --backbone resnet18 --width 0.125 --segments 3 "
                                          "--input-size 32 --short-side 36 --epochs 2 --batch-size 2 --motion-length 2");
  ASSERT_EQ(train.exit_code, 0) << train.err;
  EXPECT_THAT(train.out, HasSubstr("epoch   2/2"));
  const ProgramResult evaluate = run_program("evaluate " + (dir / "m.actio") + " " + data + "/labels.csv --group part --fold test --json");
  ASSERT_EQ(evaluate.exit_code, 0) << evaluate.err;
  EXPECT_EQ(nlohmann::json::parse(evaluate.out).at("clips"), 2);
}

TEST(Options, in_the_documentation_are_those_of_the_programs) {
  if (ACTIO_HAS_OPENVINO) GTEST_SKIP() << "docs/options.md lists the backends of the plain build, and this one has openvino; the plain build runs this test";
  const TempDir dir;
  const std::string script = std::string(ACTIO_SOURCE_DIR) + "/tools/options_doc.sh";
  ASSERT_EQ(std::system((script + " " + ACTIO_PROGRAM + " > " + (dir / "options.md")).c_str()), 0);
  EXPECT_EQ(file_content(dir / "options.md"), file_content(std::string(ACTIO_SOURCE_DIR) + "/docs/options.md"))
      << "write it anew: tools/options_doc.sh " ACTIO_PROGRAM " > docs/options.md";
}

TEST(Train, reads_back_the_configuration_that_it_prints) {
  const TempDir dir;
  const ProgramResult first = run_program("train --print-config --segments 5 --fusion-weights 1,2,1.5 --no-augment --fold 9,10");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("fusion_weights = [1.0,2.0,1.5]"));
  std::ofstream(dir / "c.toml") << first.out;
  EXPECT_EQ(run_program("train --config " + (dir / "c.toml") + " --print-config").out, first.out);
}

TEST(Train, prints_its_stages_too_without_what_a_flag_wins_over) {
  const TempDir dir;
  std::ofstream(dir / "stages.toml") << "[train]\nepochs = 9\n[[stage]]\nname = \"first\"\ntrain = {epochs = 3, batch_size = 7}\n"
                                        "[[stage]]\nname = \"second\"\ninit = [\"first\"]\nnetwork = {network = \"stfn\"}\n";
  const std::string command = "train --print-config --config ";
  const ProgramResult printed = run_program(command + (dir / "stages.toml") + " --epochs 4");
  ASSERT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("\nepochs = 4\n"));
  EXPECT_THAT(printed.out, HasSubstr("[[stage]]\nname = \"first\"\ntrain = {batch_size = 7}\n"));
  EXPECT_THAT(printed.out, HasSubstr("[[stage]]\ninit = [\"first\"]\nname = \"second\"\nnetwork = {network = \"stfn\"}\n"));
  std::ofstream(dir / "c.toml") << printed.out;
  EXPECT_EQ(run_program(command + (dir / "c.toml")).out, printed.out);
  std::ofstream(dir / "none.toml") << "stage = []\n";
  EXPECT_EQ(run_program(command + (dir / "none.toml")).exit_code, 0);
}

TEST(Train, refuses_before_any_work_an_output_that_cannot_be_written_or_is_an_input) {
  const TempDir dir;
  std::filesystem::create_directories(dir / "data/a");
  std::filesystem::create_directories(dir / "folder.actio");
  write_synthetic_clip({.path = dir / "data/a/1.mp4"});
  std::ofstream(dir / "list.csv") << "path,label\ndata/a/1.mp4,a\n";
  for (const std::string& output : {dir / "none/m.actio", dir / "folder.actio", dir / "list.csv"}) {
    const ProgramResult result = run_program("train " + (dir / "list.csv") + " -o " + output + " --epochs 100000");
    EXPECT_NE(result.exit_code, 0) << output;
    EXPECT_THAT(result.err, HasSubstr(output));
    EXPECT_EQ(result.out, "");
  }
  EXPECT_THAT(file_content(dir / "list.csv"), HasSubstr("path,label"));
}

TEST(Demo, does_not_touch_files_that_are_not_its_own) {
  const TempDir dir;
  std::filesystem::create_directories(dir / "demo/clips");
  std::ofstream(dir / "demo/clips/mine.txt") << "mine";
  EXPECT_NE(run_program("demo -o " + (dir / "demo") + " --clips-per-class 4").exit_code, 0);
  EXPECT_EQ(file_content(dir / "demo/clips/mine.txt"), "mine");
}

TEST(Demo, trains_both_networks_and_compares_them) {
  const TempDir dir;
  const ProgramResult result = run_program("demo -o " + (dir / "demo") + " --clips-per-class 4 --epochs 1");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("held-out clips, seed 1"), ContainsRegex("MV-IF-TTN +[0-9.]+ %"), ContainsRegex("TSN-RGB +[0-9.]+ %")));
  const auto report = nlohmann::json::parse(file_content(dir / "demo/demo.json"));
  ASSERT_EQ(report.at("rows").size(), 2U);
  for (const auto& row : report.at("rows")) EXPECT_TRUE(std::filesystem::exists(row.at("model").get<std::string>()));
}

TEST(Train, lists_its_options_and_refuses_wrong_ones) {
  EXPECT_THAT(run_program("train --help").out, HasSubstr("--learning-rate"));
  const ProgramResult wrong = run_program("train x -o y --lerning-rate 1");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("the nearest is '--learning-rate'"));
  EXPECT_EQ(run_program("train /nonexistent -o y").exit_code, 1);
}

#endif

}  // namespace
}  // namespace actio::testing
