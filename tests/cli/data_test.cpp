#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "cli/tiny_model.h"
#include "support/shared_data.h"
#include "support/synthetic_clip.h"

namespace actio::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// UCF101 in small: two classes, and a split that tests g01.
class DataCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    int seed = 1;
    for (const std::string name : {"Hop", "Run"}) {
      std::filesystem::create_directories(dir_ / ("videos/" + name));
      for (const std::string group : {"g01", "g02", "g03"}) {
        write_synthetic_clip({.path = clip(name, group), .frames = 12, .seed = static_cast<std::uint64_t>(seed++)});
      }
    }
    std::filesystem::create_directories(dir_ / "lists");
    std::ofstream(dir_ / "lists/classInd.txt") << "1 Run\n2 Hop\n";
    std::ofstream(dir_ / "lists/trainlist01.txt") << "Run/v_Run_g02_c01.avi 1\nRun/v_Run_g03_c01.avi 1\n"
                                                     "Hop/v_Hop_g02_c01.avi 2\nHop/v_Hop_g03_c01.avi 2\n";
    std::ofstream(dir_ / "lists/testlist01.txt") << "Run/v_Run_g01_c01.avi\nHop/v_Hop_g01_c01.avi\n";
  }
  std::string clip(const std::string& name, const std::string& group) const {
    return dir_ / ("videos/" + name + "/v_" + name + "_" + group + "_c01.mp4");
  }
  std::string official() const { return (dir_ / "videos") + " --annotations " + (dir_ / "lists"); }
  TempDir dir_;
};

TEST_F(DataCommands, list_classes_in_the_order_of_the_lists_with_their_parts) {
  const ProgramResult text = run_program("data list " + official() + " --split 1");
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("layout ucf101, 2 classes, 6 clips, UCF101 split 1"));
  EXPECT_LT(text.out.find("\nRun"), text.out.find("\nHop"));
  const nlohmann::json json = nlohmann::json::parse(run_program("data list --json " + official()).out);
  EXPECT_EQ(json.at("train"), 4);
  EXPECT_EQ(json.at("test"), 2);
  EXPECT_EQ(json.at("classes")[0].at("name"), "Run");
  EXPECT_THAT(run_program("data list " + (dir_ / "videos")).out, HasSubstr("layout folder, 2 classes, 6 clips\n"));
  const nlohmann::json held = nlohmann::json::parse(run_program("data list --json " + official() + " --validation-share 0.4").out);
  EXPECT_EQ(held.at("train").get<int>() + held.at("validation").get<int>(), 4);
  EXPECT_GE(held.at("validation"), 1);
  EXPECT_EQ(held.at("test"), 2);
  EXPECT_THAT(run_program("data list " + official() + " --validation-share 0.4").out, HasSubstr("    train  validation     test\n"));
}

TEST_F(DataCommands, refuse_options_that_contradict_and_layouts_that_are_unknown) {
  const ProgramResult both = run_program("data list " + official() + " --split 1 --fold g01");
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.err, HasSubstr("split and fold both divide the clips"));
  const ProgramResult unknown = run_program("data scan " + (dir_ / "videos") + " --layout hmdb");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("unknown value 'hmdb'; the nearest is 'hmdb51'"));
  EXPECT_EQ(run_program("data list " + official() + " --split 4").exit_code, 2);
  EXPECT_EQ(run_program("data list " + official() + " --split 2").exit_code, 1);
  EXPECT_EQ(run_program("data list " + (dir_ / "none")).exit_code, 1);
  std::ofstream(dir_ / "lists/testlist01.txt") << "Run/v_Run_g02_c01.avi\n";
  const ProgramResult twice = run_program("data list " + official());
  EXPECT_EQ(twice.exit_code, 3);
  EXPECT_THAT(twice.err, HasSubstr("testlist01.txt line 1: 'Run/v_Run_g02_c01.avi' is on line 1 of "));
}

// The clips of SetUp: g02 and g03 in train, g01 in val.
void divide_by_folders(const TempDir& dir, const std::function<std::string(const std::string&, const std::string&)>& clip) {
  for (const std::string name : {"Hop", "Run"}) {
    for (const std::string part : {"train", "val"}) std::filesystem::create_directories(dir / ("parts/" + part + "/" + name));
    for (const std::string group : {"g02", "g03"}) std::filesystem::copy(clip(name, group), dir / ("parts/train/" + name));
    std::filesystem::copy(clip(name, "g01"), dir / ("parts/val/" + name));
  }
  std::ofstream(dir / "parts/train/Hop/noextension") << "x";
}

TEST_F(DataCommands, list_and_scan_folders_that_are_parts_and_say_what_they_leave_out) {
  divide_by_folders(dir_, [&](const auto& name, const auto& group) { return clip(name, group); });
  const ProgramResult text = run_program("data list " + (dir_ / "parts"));
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("layout split_folders, 2 classes, 6 clips, the folders train (train), val (test)\n"));
  EXPECT_THAT(text.out, EndsWith("all          6        4        2\n"));
  EXPECT_EQ(text.err, (dir_ / "parts") + ": ignored 1 file: 1 without extension\n");
  const nlohmann::json chosen = nlohmann::json::parse(run_program("data list --json --val-folder validation " + (dir_ / "parts")).out);
  EXPECT_EQ(chosen.at("validation"), 2);
  EXPECT_EQ(chosen.at("test"), 0);
  EXPECT_THAT(chosen.at("ignored"), HasSubstr("1 without extension"));
  const ProgramResult scan = run_program("data scan " + (dir_ / "parts"));
  EXPECT_EQ(scan.exit_code, 0) << scan.out;
  EXPECT_EQ(scan.err, text.err);
}

TEST_F(DataCommands, list_refuses_a_leak_by_an_absolute_path_and_warns_of_copies) {
  std::ofstream(dir_ / "train.txt") << "videos/Run/v_Run_g02_c01.mp4 0\nvideos/Hop/v_Hop_g02_c01.mp4 1\n";
  std::ofstream(dir_ / "test.txt") << clip("Run", "g01") << " 0\n" << clip("Hop", "g01") << " 1\n";
  const std::string command = "data list train.txt --test-list test.txt";
  const auto run_there = [&](const std::string& text) { return run_program(text, "cd " + dir_.path().string() + ";"); };
  EXPECT_EQ(run_there(command).err, "");
  std::filesystem::copy_file(clip("Run", "g02"), clip("Run", "g01"), std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(run_there(command).err,
              HasSubstr("warning: train.txt: 2 clips have copies in another part: 'videos/Run/v_Run_g02_c01.mp4'"));
  std::ofstream(dir_ / "test.txt") << clip("Run", "g02") << " 0\n";
  const ProgramResult leak = run_there(command);
  EXPECT_EQ(leak.exit_code, 3);
  EXPECT_THAT(leak.err, HasSubstr("train.txt: 'videos/Run/v_Run_g02_c01.mp4' in the training part and '" + clip("Run", "g02") +
                                  "' in the test part are one file"));
}

TEST_F(DataCommands, evaluate_names_model_data_and_class_where_they_do_not_fit) {
  write_tiny_model(dir_ / "m.actio", "tsn", "none");
  const ProgramResult folder = run_program("evaluate " + (dir_ / "m.actio") + " " + (dir_ / "videos"));
  EXPECT_EQ(folder.exit_code, 3);
  EXPECT_THAT(folder.err, HasSubstr((dir_ / "videos") + ": unknown class 'Hop' and 1 more; " + (dir_ / "m.actio") +
                                    " knows 'clap', 'jump', 'wave'\n"));
  std::ofstream(dir_ / "list.txt") << clip("Run", "g01") << " 0\n" << clip("Hop", "g01") << " 1\n";
  EXPECT_THAT(run_program("evaluate " + (dir_ / "m.actio") + " " + (dir_ / "list.txt")).err,
              HasSubstr("list.txt: unknown class '0' and 1 more; " + (dir_ / "m.actio") +
                        " knows 'clap', 'jump', 'wave'; --class-names says what the numbers of a list stand for\n"));
}

TEST_F(DataCommands, scan_exits_with_0_where_all_is_well_and_with_3_where_a_clip_is_bad) {
  const ProgramResult clean = run_program("data scan " + official());
  EXPECT_EQ(clean.exit_code, 0) << clean.out << clean.err;
  EXPECT_THAT(clean.out, HasSubstr("without a finding"));
  const std::string check = run_program("data check " + official()).out;
  EXPECT_THAT(clean.out, EndsWith(check.substr(check.find("\n\n") + 1))) << "of the clips together";
  std::filesystem::copy_file(clip("Hop", "g02"), clip("Hop", "g01"), std::filesystem::copy_options::overwrite_existing);
  std::filesystem::resize_file(clip("Run", "g02"), 0);
  std::filesystem::remove(clip("Run", "g03"));
  const ProgramResult bad = run_program("data scan " + official() + " --json " + (dir_ / "scan.json"));
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_THAT(bad.out, HasSubstr("duplicate_across_parts"));
  EXPECT_THAT(bad.out, HasSubstr("v_Run_g02_c01.mp4  unreadable: is empty"));
  EXPECT_THAT(bad.out, HasSubstr("v_Run_g03_c01.avi  missing: no such file"));
  const nlohmann::json file = nlohmann::json::parse(file_content(dir_ / "scan.json"));
  EXPECT_EQ(file.at("bad"), 4);
  const ProgramResult json = run_program("data scan " + official() + " --json - --threads 1");
  EXPECT_EQ(json.exit_code, 3);
  EXPECT_EQ(nlohmann::json::parse(json.out), file);
}

TEST_F(DataCommands, scan_keeps_a_clip_whose_name_has_a_line_end_on_one_line) {
  std::ofstream(dir_ / "videos/Run/new\nline.mp4") << "x";
  const ProgramResult result = run_program("data scan " + (dir_ / "videos"));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, HasSubstr("Run/new?line.mp4  unreadable: is not a video"));
}

TEST_F(DataCommands, scan_checks_its_output_before_it_decodes) {
  const ProgramResult result = run_program("data scan " + (dir_ / "videos") + " --json " + (dir_ / "none/scan.json"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("none/scan.json: cannot be written"));
}

TEST_F(DataCommands, evaluate_takes_the_test_part_of_the_official_split) {
  write_tiny_model(dir_ / "m.actio", "if_ttn", "mv");
  std::ofstream(dir_ / "lists/classInd.txt") << "1 clap\n2 jump\n";
  for (const char* part : {"trainlist01.txt", "testlist01.txt"}) {
    std::ofstream(dir_ / ("lists/" + std::string(part))) << "clap/" << part << ".avi\njump/" << part << ".avi\n";
    for (const std::string name : {"clap", "jump"}) {
      std::filesystem::create_directories(dir_ / ("videos/" + name));
      write_synthetic_clip({.path = dir_ / ("videos/" + name + "/" + part + ".mp4"), .frames = 12});
    }
  }
  const auto clips = [&](const std::string& more) {
    const ProgramResult result = run_program("evaluate " + (dir_ / "m.actio") + " " + official() + " --json " + more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out).at("clips").get<int>();
  };
  EXPECT_EQ(clips(""), 2);
  EXPECT_EQ(clips("--part train --split 1"), 2);
  EXPECT_EQ(clips("--part all"), 4);
}

#if ACTIO_HAS_TORCH

TEST_F(DataCommands, train_takes_both_parts_of_the_official_split_and_of_two_lists) {
  const std::string network = " -o " + (dir_ / "m.actio") +
                              " --network if_ttn --backbone resnet18 --width 0.125 --segments 3 "
                              "--input-size 32 --short-side 36 --epochs 1 --batch-size 2 --motion-length 2";
  const ProgramResult official_split = run_program("train " + official() + network);
  EXPECT_EQ(official_split.exit_code, 0) << official_split.err;
  EXPECT_THAT(official_split.out, HasSubstr("2 classes, 4 clips to train on, 2 to test on"));
  std::ofstream(dir_ / "train.txt") << "Run/v_Run_g02_c01 12 0\nHop/v_Hop_g02_c01 12 1\nHop/v_Hop_g03_c01 12 1\n";
  std::ofstream(dir_ / "val.txt") << "Run/v_Run_g01_c01.mp4 0\n";
  const ProgramResult lists =
      run_program("train " + (dir_ / "train.txt") + " --test-list " + (dir_ / "val.txt") + " --root " + (dir_ / "videos") +
                  " --class-names " + (dir_ / "lists/classInd.txt") + network);
  EXPECT_EQ(lists.exit_code, 0) << lists.err;
  EXPECT_THAT(lists.out, HasSubstr("2 classes, 3 clips to train on, 1 to test on"));
  EXPECT_THAT(run_program("describe --json " + (dir_ / "m.actio")).exit_code, 0);
}

TEST_F(DataCommands, train_takes_the_parts_of_folders_and_refuses_a_single_class) {
  divide_by_folders(dir_, [&](const auto& name, const auto& group) { return clip(name, group); });
  const std::string network = " -o " + (dir_ / "m.actio") +
                              " --network tsn --streams rgb --backbone resnet18 --width 0.125 --segments 3 "
                              "--input-size 32 --short-side 36 --epochs 1 --batch-size 2";
  const ProgramResult parts = run_program("train " + (dir_ / "parts") + network);
  EXPECT_EQ(parts.exit_code, 0) << parts.err;
  EXPECT_THAT(parts.out, HasSubstr("2 classes, 4 clips to train on, 2 to test on"));
  EXPECT_THAT(parts.err, HasSubstr("parts: ignored 1 file: 1 without extension"));
  const ProgramResult tested = run_program("evaluate --json " + (dir_ / "m.actio") + " " + (dir_ / "parts/val"));
  EXPECT_EQ(nlohmann::json::parse(tested.out).at("clips"), 2) << tested.err;
  const ProgramResult chosen = run_program("train " + (dir_ / "parts") + network + " --val-folder validation --restart");
  EXPECT_THAT(chosen.out, HasSubstr("2 classes, 4 clips to train on, 2 to choose by, 0 to test on")) << chosen.err;
  std::filesystem::rename(dir_ / "videos/Run", dir_ / "Run");
  const ProgramResult single = run_program("train " + (dir_ / "videos") + network);
  EXPECT_EQ(single.exit_code, 3);
  EXPECT_THAT(single.err, HasSubstr("videos: one class only, 'Hop', which nothing can be learned from; a folder per class"));
}

#endif

TEST(DataList, prints_the_counts_of_ucf101_and_hmdb51) {
  const std::string splits = shared_file("data/splits");
  ACTIO_NEEDS_SHARED(splits);
  EXPECT_THAT(run_program("data list " + splits + "/ucf101 --split 2").out,
              EndsWith("all                   13320     9586     3734\n"));
  EXPECT_THAT(run_program("data list " + splits + "/hmdb51 --split 3").out,
              EndsWith("all                6766     3570     1530\n"));
}

}  // namespace
}  // namespace actio::testing
