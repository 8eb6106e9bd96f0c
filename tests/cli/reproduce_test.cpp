// The papers' tables as commands, on clips and networks so small that a row takes a second.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/program.h"
#include "cli/running_program.h"
#include "core/options.h"
#include "core/toml_text.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using testing::file_content;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProgramResult;
using testing::run_program;
using testing::RunningProgram;
using testing::TempDir;

class Reproduce : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new TempDir;
    const ProgramResult made =
        run_program("data synth -o " + *dir_ / "data" +
                    " --classes stand_up,sit_down --clips-per-class 6 --min-frames 12 --max-frames 16 --max-width 160 "
                    "--max-height 120 --test-share 0.3");
    ASSERT_EQ(made.exit_code, 0) << made.err;
    std::ofstream(path("tiny.toml"))
        << "[network]\nbackbone = \"resnet18\"\nwidth = 0.125\nsegments = 2\n[preprocess]\ninput_size = 32\n"
           "short_side = 36\nflow_quality = \"fast\"\nflow_short_side = 36\n"
           "[train]\nepochs = 1\nbatch_size = 4\nthreads = 1\n"
           "[data]\ngroup = \"part\"\nvalidation_share = 0\n";
  }
  static void TearDownTestSuite() {
    delete dir_;
    dir_ = nullptr;
  }
  void SetUp() override {
    if (!ACTIO_HAS_TORCH) GTEST_SKIP() << "this build has no actio-train";
  }
  static std::string path(const std::string& name) { return *dir_ / name; }
  static ProgramResult reproduce(const std::string& what, const std::string& folder) {
    return run_program("reproduce " + what + " --data " + path("data/labels.csv") + " -o " + path(folder) + " --config " +
                       path("tiny.toml"));
  }
  static Json json_of(const std::string& folder, const std::string& table) {
    return Json::parse(file_content(path(folder + "/" + table + ".json")));
  }
  static TempDir* dir_;
};

TempDir* Reproduce::dir_ = nullptr;

TEST_F(Reproduce, runs_rows_a_fusion_and_a_head_and_does_nothing_the_second_time) {
  const std::string rows =
      "if-ttn-3 --row 'Spatial stream CNN' --row 'Temporal stream CNN' --row 'Two-stream CNN' --row 'TTN branch'";
  const ProgramResult first = reproduce(rows, "out");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("# IF-TTN, table 3"), HasSubstr("12 clips of 2 classes, 2 groups held out in turn"),
                               HasSubstr("other data than the paper's"), HasSubstr("network.backbone = \"resnet18\""),
                               HasSubstr("start from random weights")));
  EXPECT_THAT(first.out,
              ContainsRegex(
                  "\\| Two-stream CNN \\| 93.1 \\| [0-9.]+ \\| [0-9.]+ to [0-9.]+ \\| [-+][0-9.]+ \\(\\+8.2\\) \\| 12 \\|"));
  // Trained for the row "TTN branch".
  EXPECT_THAT(first.out, ContainsRegex("\\| complete IF-TTN \\| 95.0 \\| [0-9.]+ \\|"));
  EXPECT_THAT(first.err, HasSubstr("--head ttn"));
  EXPECT_THAT(first.out, AllOf(HasSubstr("\nProtocol of the test clips: centre.\n"),
                               HasSubstr("\nScores before softmax are averaged, not probabilities, for Two-stream CNN.\n")));
  EXPECT_EQ(file_content(path("out/if-ttn-3.md")) + "\n", first.out);

  // What the fusion says is what `actio fuse` says.
  const Json json = json_of("out", "if-ttn-3");
  for (const Json& fold : json.at("rows").at(2).at("ours").at("seeds").at(0).at("folds")) {
    const std::string name = "/fold_" + fold.at("fold").get<std::string>() + "/scores_centre_logits.csv";
    const std::string runs = path("out/runs/if_ttn/");
    const ProgramResult fused = run_program("fuse " + runs + "table3_spatial/seed1" + name + " " + runs +
                                            "table3_temporal/seed1" + name + " --weights 1,1.5 --json");
    ASSERT_EQ(fused.exit_code, 0) << fused.err;
    EXPECT_DOUBLE_EQ(Json::parse(fused.out).at("fusion").at("top1").get<double>(), fold.at("top1").get<double>());
  }

  // The file that a training was started with, and the command that was printed, ask for what there is.
  const std::string run = path("out/runs/if_ttn/table3_complete/seed1");
  const ProgramResult by_file = run_program("train --request " + run + "/request.json");
  EXPECT_EQ(by_file.exit_code, 0) << by_file.err;
  EXPECT_THAT(by_file.out, AllOf(HasSubstr("is trained already"), Not(HasSubstr("epoch "))));
  const std::size_t command = first.err.rfind("actio train", first.err.find(run)) + std::string("actio ").size();
  const ProgramResult by_flags = run_program(first.err.substr(command, first.err.find('\n', command) - command));
  EXPECT_EQ(by_flags.exit_code, 0) << by_flags.err;
  EXPECT_EQ(by_flags.out, by_file.out);
  const std::string scores = run + "/fold_test/scores_centre_ttn", tested = file_content(scores + ".csv");
  fs::remove(scores + ".csv");
  EXPECT_EQ(run_program("evaluate --request " + scores + ".request.json").exit_code, 0);
  EXPECT_EQ(file_content(scores + ".csv"), tested);

  const ProgramResult again = reproduce(rows, "out");
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.out, first.out);
  EXPECT_THAT(again.err, AllOf(Not(HasSubstr("actio train")), Not(HasSubstr("actio evaluate"))));
  EXPECT_EQ(reproduce(rows + " --dry-run", "out").out, "");
  // Other settings, other models.
  EXPECT_THAT(reproduce("if-ttn-3 --dry-run --row 'Spatial stream CNN' --override train.epochs=2", "out").out,
              HasSubstr("actio train"));
  // So has a clip that was encoded anew.
  const std::string list = file_content(path("data/labels.csv"));
  const std::size_t clip = list.find('\n') + 1;
  const fs::path video = path("data/" + list.substr(clip, list.find(',', clip) - clip));
  const std::uintmax_t size = fs::file_size(video);
  std::ofstream(video, std::ios::app) << " ";
  EXPECT_THAT(reproduce("if-ttn-3 --dry-run --row 'Spatial stream CNN'", "out").out, HasSubstr("actio train"));
  fs::resize_file(video, size);
  EXPECT_EQ(reproduce("if-ttn-3 --dry-run --row 'Spatial stream CNN'", "out").out, "");
}

TEST_F(Reproduce, never_takes_what_an_interrupted_training_with_other_settings_left) {
  const std::string row = "if-ttn-3 --row 'Spatial stream CNN'";
  const ProgramResult first = reproduce(row, "mixed");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  RunningProgram other("reproduce " + row + " --override train.epochs=60 --data " + path("data/labels.csv") + " -o " + path("mixed") +
                       " --config " + path("tiny.toml"));
  EXPECT_TRUE(other.wait_until_it_prints("fold 2 of 2"));
  EXPECT_TRUE(other.wait_until([&] { return other.err().rfind("epoch ") > other.err().find("fold 2 of 2"); }));
  other.signal(SIGINT);
  ASSERT_EQ(other.wait().exit_code, 130) << other.err();
  const std::string seed = path("mixed/runs/if_ttn/table3_spatial/seed1");
  ASSERT_TRUE(fs::exists(seed + "/fold_train/model.actio.state")) << "the interrupted training left nothing to be mistaken for";

  EXPECT_THAT(reproduce(row + " --dry-run", "mixed").out, HasSubstr("actio train"));
  const ProgramResult again = reproduce(row, "mixed");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
  EXPECT_THAT(file_content(seed + "/done.json"), Not(HasSubstr("unfinished")));
}

TEST_F(Reproduce, tests_clips_that_were_replaced_again) {
  fs::copy(path("data"), path("replaced"), fs::copy_options::recursive);
  const std::string command = "reproduce if-ttn-3 --row 'Spatial stream CNN' --group part --folds test --data " + path("replaced/labels.csv") +
                              " -o " + path("replaced_out") + " --config " + path("tiny.toml");
  ASSERT_EQ(run_program(command).exit_code, 0);
  const std::string scores = path("replaced_out/runs/if_ttn/table3_spatial/seed1/fold_test/scores.csv"), before = file_content(scores);
  const std::string list = file_content(path("replaced/labels.csv"));
  std::vector<std::string> clips;
  for (std::size_t at = list.find(",test,"); at != std::string::npos; at = list.find(",test,", at + 1)) {
    const std::size_t begin = list.rfind('\n', at) + 1;
    clips.push_back(path("replaced/" + list.substr(begin, list.find(',', begin) - begin)));
  }
  ASSERT_GE(clips.size(), 2U);
  ASSERT_NE(fs::file_size(clips.front()), fs::file_size(clips.back()));
  // With its time, as backups are put back.
  const auto time = fs::last_write_time(clips.front());
  fs::copy_file(clips.back(), clips.front(), fs::copy_options::overwrite_existing);
  fs::last_write_time(clips.front(), time);
  const ProgramResult again = run_program(command);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("is trained already"));
  EXPECT_NE(file_content(scores), before);
}

TEST_F(Reproduce, keeps_an_interrupted_training_when_a_try_with_other_settings_fails) {
  const std::string row = "reproduce if-ttn-3 --row 'Spatial stream CNN' --data " + path("data/labels.csv") + " -o " + path("kept") +
                          " --config " + path("tiny.toml") + " --override train.epochs=60 --override train.save_minutes=0.0001 ";
  const std::string state = path("kept/runs/if_ttn/table3_spatial/seed1/fold_test/model.actio.state");
  RunningProgram training(row + "--group part --folds test");
  EXPECT_TRUE(training.wait_until([&] { return fs::exists(state); }));
  training.signal(SIGINT);
  ASSERT_EQ(training.wait().exit_code, 130) << training.err();
  const ProgramResult failing = run_program(row + "--group part --folds test --override train.fp16=true");
  EXPECT_EQ(failing.exit_code, 1);
  EXPECT_THAT(failing.out, HasSubstr("fp16: needs --device cuda"));
  EXPECT_THAT(run_program(row + "--group part --folds test").err, HasSubstr("going on after epoch"));
}

TEST_F(Reproduce, goes_on_after_a_row_that_fails_and_prints_absent_rows) {
  // The two-stream row has no such stage.
  const std::string rows = "stfn-6 --protocol stfn --row 'iDT+FV' --row 'Two-stream' --row 'STFN (ResNet-101)' ";
  const ProgramResult result = reproduce(rows + "--override fusion:train.freeze=nowhere", "failing");
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.out, HasSubstr("| iDT+FV [43] | 57.2 | 85.9 | absent: hand-crafted features |"));
  EXPECT_THAT(result.out,
              ContainsRegex("\\| Two-stream \\[31\\], ResNet-101 in the place of CNN-M \\| 59.4 \\| 88.0 \\| [0-9.]+ \\|"));
  EXPECT_THAT(result.out, ContainsRegex("\\| STFN \\(ResNet-101\\) \\| 71.2 \\(73.3 with MIFS\\) \\| 94.3 \\(95.1 with "
                                        "MIFS\\) \\| failed: stage fusion: freeze: .*'nowhere'"));
  EXPECT_THAT(result.out, HasSubstr("| TLE [5] | 71.1 | 95.6 | absent: this network is not built here |"));
  EXPECT_THAT(result.err, HasSubstr("--protocol stfn"));
  EXPECT_THAT(json_of("failing", "stfn-6").at("rows").at(18).at("error").get<std::string>(), HasSubstr("'nowhere'"));
  // What did work is not done again.
  const ProgramResult mended = reproduce(rows, "failing");
  EXPECT_EQ(mended.exit_code, 0) << mended.err;
  EXPECT_THAT(mended.err, AllOf(HasSubstr("is trained already"), Not(HasSubstr("stage 1 of 2"))));
  EXPECT_THAT(mended.out, ContainsRegex("\\| STFN \\(ResNet-101\\) \\| 71.2 .*\\| [0-9.]+ to [0-9.]+ \\|"));
}

TEST_F(Reproduce, changes_options_where_they_belong_and_keeps_what_rows_differ_by) {
  const ProgramResult result = reproduce(
      "stfn-4 --dry-run --seeds 3,4 --override fusion:train.epochs=7 --override preprocess.motion=mv "
      "--override train.cache_views=2 --flow-cache " +
          path("flow"),
      "dry");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("--seed 3 --group part"), HasSubstr("--seed 4"), HasSubstr("--protocol stfn")));
  EXPECT_FALSE(fs::exists(path("dry/runs")));
  const Json config = read_toml(path("dry/configs/stfn/table4_7_segments.toml"));
  EXPECT_EQ(config.at("network").at("segments"), 5);  // of the streams, as the file has it: the table is about segments
  EXPECT_EQ(config.at("network").at("backbone"), "resnet18");
  EXPECT_EQ(config.at("train").at("epochs"), 1);
  EXPECT_FALSE(config.at("train").contains("cache_views"));
  const auto stage = [&](std::size_t i) { return config.at("stage").at(i); };
  EXPECT_FALSE(stage(0).contains("preprocess"));
  EXPECT_EQ(stage(1).at("preprocess").at("motion"), "mv");
  EXPECT_FALSE(stage(1).contains("cache")) << "a flow cache is for flow";
  EXPECT_EQ(stage(2).at("train").at("epochs"), 7);
  EXPECT_EQ(stage(2).at("train").at("cache_views"), 2);
  EXPECT_EQ(stage(2).at("train").at("learning_rate"), 1e-4);
  EXPECT_EQ(stage(2).at("network").at("segments"), 7);
  EXPECT_FALSE(stage(3).contains("train"));
  // With flow, its stages alone have the cache.
  ASSERT_EQ(reproduce("if-ttn-4 --dry-run --flow-cache " + path("flow"), "dry").exit_code, 0);
  const Json vectors = read_toml(path("dry/configs/if_ttn/table4_temporal_mv.toml"));
  EXPECT_TRUE(vectors.at("stage").at(1).contains("cache"));
  EXPECT_FALSE(vectors.at("stage").at(2).contains("cache"));
}

TEST_F(Reproduce, makes_every_row_of_the_ablations_small_by_the_files_for_them) {
  for (const auto& [tables, file] : {std::pair("stfn-1 stfn-2 stfn-3 stfn-4 stfn-4.3", "stfn"),
                                     std::pair("if-ttn-1 if-ttn-2 if-ttn-3 if-ttn-4", "if_ttn")}) {
    const ProgramResult result = run_program(std::string("reproduce ") + tables + " --dry-run --group part --folds test --data " +
                                             path("data/labels.csv") + " -o " + path("ablations") +
                                             " --config " ACTIO_SOURCE_DIR "/configs/ablations/" + file + ".toml");
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("actio train"));
  }
  // One table of them, which lacks a stage that the file has.
  const std::string small = " --group part --folds test --data " + path("data/labels.csv") + " -o " + path("ablations") +
                            " --config " ACTIO_SOURCE_DIR "/configs/ablations/if_ttn.toml";
  EXPECT_EQ(run_program("reproduce if-ttn-1 --dry-run" + small).exit_code, 0);
  EXPECT_THAT(run_program("reproduce if-ttn-1 --dry-run --override mv:train.epochs=1" + small).err, HasSubstr("unknown stage 'mv'"));
  for (const auto& entry : fs::recursive_directory_iterator(path("ablations/configs"))) {
    if (!entry.is_regular_file()) continue;
    const Json config = read_toml(entry.path());
    EXPECT_EQ(config.at("network").at("backbone"), "resnet18") << entry.path();
    EXPECT_EQ(config.at("stage").at(0).at("train").at("epochs"), 12) << entry.path();
  }
}

TEST_F(Reproduce, tests_each_row_as_its_table_says_unless_one_protocol_is_asked_for) {
  const std::string rows = "stfn-6 --dry-run --row TSN --row Two-stream --row 'STFN (ResNet-101)' ";
  const std::string out = reproduce(rows, "protocols").out;
  const auto line_with = [](const std::string& text, const std::string& part) {
    const std::size_t at = text.find(part);
    return at == std::string::npos ? ""
                                   : text.substr(text.rfind('\n', at) + 1, text.find('\n', at) - text.rfind('\n', at) - 1);
  };
  EXPECT_THAT(line_with(out, "scores_tsn_logits.csv"), AllOf(HasSubstr("--protocol tsn"), HasSubstr("--average logits")));
  EXPECT_THAT(line_with(out, "table5_resnet101_motion/seed1/fold_test/scores_tsn.csv"), Not(HasSubstr("--average")));
  EXPECT_THAT(line_with(out, "table6_resnet101/seed1/fold_test/scores_stfn.csv"), HasSubstr("--protocol stfn"));
  const std::string same = reproduce(rows + "--protocol slowfast", "protocols").out;
  EXPECT_THAT(same, AllOf(HasSubstr("table5_tsn_flow/seed1/fold_test/scores_slowfast_logits.csv"),
                          HasSubstr("table6_resnet101/seed1/fold_test/scores_slowfast.csv"),
                          Not(HasSubstr("--protocol tsn")), Not(HasSubstr("--protocol stfn"))));
}

TEST_F(Reproduce, times_the_rows_of_a_table_beside_the_papers_frames_a_second_without_a_training) {
  const std::string rows = "reproduce if-ttn-5 --speed --row MV-IF-TTN --row 'TSN(RGB+Optical flow)' --row C3D --config " + path("tiny.toml") + " --data ";
  const ProgramResult result = run_program(rows + path("data/labels.csv") + " --json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json table = Json::parse(result.out).at(0);
  ASSERT_EQ(table.at("rows").size(), 3U);
  for (const Json& row : table.at("rows")) {
    if (row.at("label") == "C3D [20]") {
      EXPECT_TRUE(row.at("f32").is_null());
      EXPECT_EQ(row.at("error"), "3D convolutions are not built here");
      continue;
    }
    for (const char* precision : {"f32", "int8"}) {
      EXPECT_EQ(row.at(precision).at("videos"), 12) << row;
      EXPECT_GE(row.at(precision).at("frames").get<int>(), 12 * 12) << row;
      EXPECT_GT(row.at(precision).at("frames_per_second").get<double>(), 0) << row;
    }
  }
  EXPECT_THAT(run_program(rows + path("data/labels.csv")).out, AllOf(HasSubstr("| MV-IF-TTN | 142 |"), HasSubstr("12 videos of ")));
  std::ofstream(path("none.csv")) << "path,label,part\nmissing.mp4,x,train\n";
  const ProgramResult none = run_program(rows + path("none.csv"));
  EXPECT_THAT(none.out + none.err, HasSubstr("missing.mp4"));
}

TEST_F(Reproduce, lists_every_row_without_data) {
  const ProgramResult list = run_program("reproduce --list");
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(
      list.out,
      AllOf(HasSubstr("stfn-1 "), HasSubstr("if-ttn-6 "), HasSubstr("configs/if_ttn/table3_complete.toml head ttn"),
            HasSubstr("absent: 3D convolutions"),
            HasSubstr("table5_tsn_rgb.toml + 1.5 x configs/if_ttn/table5_tsn_flow.toml, logits, protocol tsn (ResNet-50"),
            HasSubstr("HMDB51, UCF101, split 1, protocol stfn\n")));
  // An option takes one word and leaves the table's name to the command.
  EXPECT_EQ(run_program("reproduce --row Average --seeds 1,2 --override train.epochs=1 stfn-2 --list").exit_code, 0);
  EXPECT_THAT(run_program("reproduce stfn-2 --list").out, AllOf(HasSubstr("Maximum"), Not(HasSubstr("Fig. 4a"))));
}

TEST_F(Reproduce, says_in_one_line_what_is_wrong_before_anything_is_run) {
  const auto message_of = [](const std::string& what) {
    const ProgramResult result = reproduce(what, "refused");
    EXPECT_NE(result.exit_code, 0) << what;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << what << ": " << result.err;
    EXPECT_FALSE(fs::exists(path("refused/runs"))) << what;
    return result.err;
  };
  EXPECT_THAT(message_of("stfn-8"), HasSubstr("unknown table 'stfn-8'; the nearest is 'stfn-"));
  EXPECT_THAT(message_of("stfn-1 --row 'Fig 4a'"), HasSubstr("unknown row 'Fig 4a'; the nearest is 'Fig. 4a'"));
  EXPECT_THAT(message_of("stfn-1 --override train.epocs=1"), HasSubstr("unknown option 'epocs'; the nearest is 'epochs'"));
  EXPECT_THAT(message_of("stfn-1 --override train.epochs=x"), HasSubstr("must be a whole number, got 'x'"));
  EXPECT_THAT(message_of("stfn-1 --override fusoin:train.epochs=1"),
              HasSubstr("unknown stage 'fusoin'; the nearest is 'fusion'"));
  EXPECT_THAT(message_of("stfn-1 --override network.stfn_design=b"), HasSubstr("is what rows differ by"));
  EXPECT_EQ(reproduce("stfn-1 --dry-run --override network.stfn_dropout=0.5", "refused").exit_code, 0);
  EXPECT_THAT(message_of("stfn-2 --override network.stfn_fusion=average"), HasSubstr("is what rows differ by"));
  // Two streams' accuracies differ from one dataset to the next.
  EXPECT_EQ(
      reproduce("stfn-2 --dry-run --row \"Weighted by the streams' accuracy\" --override network.stfn_weights=48.2,58.1",
                "refused")
          .exit_code,
      0);
  EXPECT_EQ(read_toml(path("refused/configs/stfn/table2_weighted_by_accuracy.toml"))
                .at("stage")
                .at(3)
                .at("network")
                .at("stfn_weights"),
            Json({48.2, 58.1}));
  EXPECT_THAT(message_of("stfn-1 --override train.seed=2"), HasSubstr("--seeds chooses it"));
  EXPECT_THAT(message_of("stfn-1 --folds nobody"), HasSubstr("unknown group 'nobody'"));
  EXPECT_THAT(message_of("stfn-1 --test-share 0.5"), HasSubstr("reproduce divides the clips by itself"));
  EXPECT_THAT(message_of("stfn-1 --protocol tsnn"), HasSubstr("the nearest is 'tsn'"));
  EXPECT_THAT(message_of("stfn-1 --seeds 1,1"), HasSubstr("1 is given twice"));
  EXPECT_THAT(message_of("stfn-1 --init resnet18=nowhere.pth"), HasSubstr("nowhere.pth"));
  EXPECT_THAT(message_of(""), HasSubstr("needs the name of a table"));
  EXPECT_THAT(run_program("reproduce stfn-1").err, HasSubstr("reproduce needs --data"));
}

}  // namespace
}  // namespace actio::cli
