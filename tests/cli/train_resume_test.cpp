// Trainings of several stages and folds, and trainings that are killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "cli/running_program.h"
#include "cli/train_clips.h"
#include "core/error.h"
#include "net/model_file.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProgramResult;
using testing::run_program;
using testing::RunningProgram;

class TrainResume : public testing::TrainClips {
 protected:
  static void SetUpTestSuite() { render(6, 0.3); }
  static constexpr const char* kTiny = " --network tsn --streams rgb --backbone resnet18 --width 0.125 --input-size 32 --short-side 36 "
                                       "--segments 2 --batch-size 4 --threads 1 ";
  static std::string arguments(const std::string& name, const std::string& options) {
    return "train " + data() + " -o " + path(name) + kTiny + options;
  }
  static ProgramResult train(const std::string& name, const std::string& options) { return run_program(arguments(name, options)); }
  // Sends the signal at some moment after it has saved a state; the moment varies with `number`.
  static ProgramResult train_and_signal(const std::string& name, const std::string& options, int signal, int number = 0) {
    const std::string state = path(name + ".state");
    const auto time = [&] {
      std::error_code absent;
      return fs::last_write_time(state, absent);
    };
    const auto before = time();
    RunningProgram training(arguments(name, options));
    if (training.wait_until([&] { return fs::exists(state) && time() != before; })) {
      std::this_thread::sleep_for(std::chrono::milliseconds(number * 17 % 60));
      training.signal(signal);
    }
    return training.wait();
  }
  static void write(const std::string& name, const std::string& text) { std::ofstream(path(name)) << text; }
};

TEST_F(TrainResume, ends_in_the_same_file_whether_it_was_killed_or_not) {
  const std::string options = " --epochs 25 --optimizer rmsprop --learning-rate 0.001 --ema 0.9 --save-minutes 0.0001 --resume";
  ASSERT_EQ(train("whole.actio", options).exit_code, 0);
  int kills = 0;
  ProgramResult result;
  do {
    result = train_and_signal("killed.actio", options, SIGKILL, kills);
    if (result.exit_code == 137) ++kills;
  } while (result.exit_code == 137 && kills < 5);
  if (result.exit_code == 137) result = train("killed.actio", options);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GE(kills, 2);
  EXPECT_EQ(testing::file_content(path("killed.actio")), testing::file_content(path("whole.actio")));
  EXPECT_FALSE(fs::exists(path("killed.actio.state")));
  const ProgramResult again = train("killed.actio", options);
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.out, HasSubstr("is trained already"));
}

TEST_F(TrainResume, loses_nothing_where_the_disk_is_full) {
  const std::string options = "--epochs 2 --save-minutes 0.0001";
  const std::string model = path("full.actio");
  // Room for the model (0.7 MB), not for the state with its momenta.
  const ProgramResult tight = run_program(arguments("full.actio", options), "prlimit --fsize=1000000:1000000");
  EXPECT_EQ(tight.exit_code, 0) << tight.err;
  EXPECT_THAT(tight.err, HasSubstr("full.actio.state: cannot be written: File too large; training goes on"));
  EXPECT_FALSE(fs::exists(model + ".state"));
  const std::string before = testing::file_content(model);
  const ProgramResult full = run_program(arguments("full.actio", options), "prlimit --fsize=100000:100000");
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, HasSubstr("full.actio: cannot be written: File too large"));
  EXPECT_EQ(testing::file_content(model), before);
  EXPECT_EQ(train("full.actio", options).exit_code, 0);
  EXPECT_EQ(testing::file_content(model), before) << "training under a limit was another training";
}

TEST_F(TrainResume, neither_mixes_trainings_nor_throws_one_away_unasked) {
  ASSERT_EQ(train_and_signal("stopped.actio", " --epochs 500 --save-minutes 0.0001", SIGINT).exit_code, 130);
  ASSERT_TRUE(fs::exists(path("stopped.actio.state")));
  const ProgramResult anew = train("stopped.actio", " --epochs 500 --save-minutes 0.0001");
  EXPECT_EQ(anew.exit_code, 2);
  EXPECT_THAT(anew.err, AllOf(HasSubstr("--resume continues it"), HasSubstr("--restart begins anew")));
  const ProgramResult other = train("stopped.actio", " --epochs 400 --resume");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("[train] epochs: 500 there, 400 here"));
  write("stopped.actio.state", "no state at all");
  const ProgramResult damaged = train("stopped.actio", " --epochs 500 --resume");
  EXPECT_EQ(damaged.exit_code, 3) << damaged.err;
  EXPECT_EQ(train("stopped.actio", " --epochs 1 --restart").exit_code, 0);
}

TEST_F(TrainResume, runs_stages_each_from_the_models_before_and_shares_them) {
  write("stages.toml", R"([network]
backbone = "resnet18"
width = 0.125
segments = 2
[preprocess]
input_size = 32
short_side = 36
[train]
epochs = 1
batch_size = 4
[[stage]]
name = "spatial"
network = {network = "tsn", streams = "rgb"}
[[stage]]
name = "motion"
init = "spatial"
network = {network = "tsn", streams = "motion"}
[[stage]]
name = "ttn"
init = ["spatial", "motion"]
network = {network = "if_ttn"}
train = {epochs = 2, freeze = ["rgb", "motion"], cache_views = 2}
)");
  const auto run = [](const std::string& name, const std::string& more) {
    return run_program("train " + data() + " -o " + path(name) + " --group part --fold test --config " + path("stages.toml") + more);
  };
  const std::string cache = " --stage-cache " + path("cache");
  const ProgramResult first = run("if_ttn.actio", cache + " --scores " + path("scores.csv"));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("stage 3 of 3: ttn"), HasSubstr("new 1: scores.weight"), HasSubstr("epoch   2/2")));
  const net::Model model = net::read_model(path("if_ttn.actio"));
  const auto stage = [](const std::string& name) {
    for (const auto& entry : fs::directory_iterator(path("cache"))) {
      if (entry.path().filename().string().starts_with(name)) return net::read_model(entry.path());
    }
    throw std::runtime_error("no model of " + name);
  };
  const auto same = [](const Tensor& a, const Tensor& b) { return std::equal(a.raw(), a.raw() + a.bytes(), b.raw()); };
  for (const auto& [name, tensor] : stage("spatial-").weights) {
    if (name == "scores.weight") continue;
    EXPECT_TRUE(same(model.weights.at(name), tensor)) << name << " was frozen";
  }
  for (const auto& [name, tensor] : stage("motion-").weights) EXPECT_TRUE(same(model.weights.at(name), tensor)) << name;
  const std::string scores = testing::file_content(path("scores.csv"));
  EXPECT_GT(std::ranges::count(scores, '\n'), 2);

  const ProgramResult second = run("again.actio", cache);
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.out, AllOf(HasSubstr("is trained already"), HasSubstr("wrote " + path("again.actio"))));
  EXPECT_EQ(net::read_model(path("again.actio")).hash, model.hash);
  // A flag may be meant for one stage alone.
  const ProgramResult other = run("other.actio", cache + " --seed 2 --dropout-ttn 0.5");
  EXPECT_EQ(other.exit_code, 0) << other.err;
  EXPECT_THAT(other.out, Not(HasSubstr("is trained already")));
  EXPECT_THAT(run("other.actio", " --stfn-design b").err, HasSubstr("--stfn-design belongs to stfn"));
  // The other stages are what they were.
  const ProgramResult dropout = run("dropout.actio", cache + " --seed 2 --dropout-ttn 0.3");
  EXPECT_THAT(dropout.out, AllOf(HasSubstr("spatial-"), HasSubstr("is trained already")));
  EXPECT_THAT(dropout.out.substr(dropout.out.find("stage 3 of 3")), HasSubstr("epoch "));
  // What would be refused at the end is refused before the first stage.
  const std::string emptied = " --resume --stage-cache " + path("emptied");
  const ProgramResult refused = run("again.actio", emptied + " --learning-rate 0.02");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("again.actio: is the finished model of another training"), HasSubstr("0.02 here")));
  EXPECT_FALSE(fs::exists(path("emptied"))) << "trained first";

  write("stages.toml", "[[stage]]\nname = \"a\"\ninit = \"nowhere\"\n");
  EXPECT_THAT(run("x.actio", "").err, HasSubstr("init 'nowhere' is neither an earlier stage (), 'first_weights' nor a file"));
  write("stages.toml", "[[stage]]\nname = \"first_weights\"\n");
  EXPECT_THAT(run("x.actio", "").err, HasSubstr("'first_weights' stands for what --init names"));
  write("stages.toml", "[[stage]]\nname = \"a\"\nnetwrok = {}\n");
  EXPECT_THAT(run("x.actio", "").err, HasSubstr("the nearest is 'network'"));
}

TEST_F(TrainResume, finds_flow_of_other_parameters_before_the_first_stage) {
  // The stage that reads no motion has no part in it, whatever the file says of motion.
  write("flow.toml", "[train]\nepochs = 1\nbatch_size = 4\n[network]\nsegments = 2\nbackbone = \"resnet18\"\nwidth = 0.125\n"
                     "[preprocess]\ninput_size = 32\nshort_side = 36\nmotion = \"flow\"\nflow_quality = \"realtime\"\nflow_short_side = 36\n"
                     "[[stage]]\nname = \"spatial\"\nnetwork = {network = \"tsn\", streams = \"rgb\"}\n"
                     "[[stage]]\nname = \"flow\"\nnetwork = {network = \"tsn\", streams = \"motion\"}\npreprocess = {motion_bound = 9}\n");
  const auto run = [](const std::string& model, const std::string& more) {
    return run_program("train " + data() + " -o " + path(model) + " --threads 1 --group part --fold test --config " + path("flow.toml") +
                       " --flow-cache " + path("flow_cache") + more);
  };
  const ProgramResult first = run("flow_a.actio", "");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(run("flow_a.actio", " --resume").out, HasSubstr("is trained already"));
  const ProgramResult other = run("flow_b.actio", " --motion-bound 8");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, AllOf(HasSubstr("stage flow: "), HasSubstr("motion_bound 9.0, but 8.0 is asked for")));
  EXPECT_THAT(other.out, Not(HasSubstr("epoch ")));
}

TEST_F(TrainResume, starts_a_later_stage_from_the_first_weights_where_it_says_so) {
  ASSERT_EQ(train("pretrained.actio", "--epochs 1 --group part --fold test").exit_code, 0);
  const std::string common = "[train]\nepochs = 1\nbatch_size = 4\n[network]\nsegments = 2\n[preprocess]\ninput_size = 32\nshort_side = 36\n"
                             "[[stage]]\nname = \"spatial\"\nnetwork = {network = \"tsn\", streams = \"rgb\"}\n"
                             "[[stage]]\nname = \"motion\"\ninit = \"first_weights\"\nnetwork = {network = \"tsn\", streams = \"motion\"}\n";
  write("two.toml", common);
  const auto run = [](const std::string& more) {
    return run_program("train " + data() + " -o " + path("motion.actio") + " --group part --fold test --restart --config " + path("two.toml") + more);
  };
  const ProgramResult pretrained = run(" --init " + path("pretrained.actio"));
  ASSERT_EQ(pretrained.exit_code, 0) << pretrained.err;
  const std::string said = "first weights from " + path("pretrained.actio");
  EXPECT_NE(pretrained.out.find(said), pretrained.out.rfind(said)) << pretrained.out;
  EXPECT_THAT(pretrained.out, HasSubstr("resnet18"));
  // Without --init, random ones: not those of the stage before.
  const ProgramResult random = run(" --backbone resnet18 --width 0.125");
  ASSERT_EQ(random.exit_code, 0) << random.err;
  EXPECT_THAT(random.out, Not(HasSubstr("first weights from")));
}

TEST_F(TrainResume, holds_out_every_group_in_turn_and_goes_on_where_it_was_stopped) {
  std::ofstream table(path("data/people.csv"));
  table << "path,label,person\n";
  for (const char* label : {"stand_up", "sit_down"}) {
    std::vector<std::string> clips;
    for (const auto& entry : fs::recursive_directory_iterator(path("data"))) {
      if (entry.path().extension() != ".mp4" && entry.path().extension() != ".avi") continue;
      if (entry.path().string().find(label) != std::string::npos) clips.push_back(fs::relative(entry.path(), path("data")).string());
    }
    std::ranges::sort(clips);
    for (std::size_t i = 0; i < clips.size(); ++i) table << clips[i] << "," << label << "," << 9 + i % 3 << "\n";
  }
  table.close();
  const auto run = [](const std::string& more) {
    return run_program("train " + path("data/people.csv") + " -o " + path("folds") + kTiny + " --epochs 1 --group person --folds " + more);
  };
  ASSERT_EQ(run("10").exit_code, 0);
  const ProgramResult all = run("all");
  ASSERT_EQ(all.exit_code, 0) << all.err;
  EXPECT_THAT(all.out, AllOf(HasSubstr("is trained already"), HasSubstr("mean of the folds"), HasSubstr("95 % interval")));
  EXPECT_LT(all.out.find("fold 1 of 3: 9"), all.out.find("fold 2 of 3: 10"));
  const std::string scores = testing::file_content(path("folds/scores.csv"));
  EXPECT_EQ(std::ranges::count(scores, '\n'), 13);
  const Json result = Json::parse(testing::file_content(path("folds/result.json")));
  EXPECT_EQ(result.at("clips"), 12);
  // The scores are those that the saved models give.
  const ProgramResult evaluated = run_program("evaluate " + path("folds/fold_9/model.actio") + " " + path("data/people.csv") +
                                              " --group person --fold 9 --scores " + path("nine.csv"));
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_EQ(run("11,12").exit_code, 2);
}

TEST_F(TrainResume, takes_a_model_for_finished_only_with_its_settings_clips_and_first_weights) {
  ASSERT_EQ(train("done.actio", "--epochs 1 --group part --fold test --resume").exit_code, 0);
  const ProgramResult other = train("done.actio", "--epochs 2 --group part --fold test --resume");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, AllOf(HasSubstr("done.actio: is the finished model of another training"), HasSubstr("epochs: 1 there, 2 here")));
  // Scores alone need no training.
  const std::string before = testing::file_content(path("done.actio"));
  const ProgramResult scores = train("done.actio", "--epochs 1 --group part --fold test --resume --scores " + path("done.csv"));
  EXPECT_EQ(scores.exit_code, 0) << scores.err;
  EXPECT_THAT(scores.out, AllOf(HasSubstr("is trained already"), Not(HasSubstr("epoch "))));
  EXPECT_TRUE(fs::exists(path("done.csv")));
  EXPECT_EQ(testing::file_content(path("done.actio")), before);
  // A limit for features that are not kept, and an option of other networks, decide nothing.
  const ProgramResult same = train("done.actio", "--epochs 1 --group part --fold test --resume --cache-gigabytes 8 --workers 1");
  EXPECT_THAT(same.out, HasSubstr("is trained already")) << same.err;
  // The same clips elsewhere are the same; fewer are not.
  fs::copy(path("data"), path("moved"), fs::copy_options::recursive);
  const std::string moved = "train " + path("moved/labels.csv") + " -o " + path("done.actio") + kTiny + "--epochs 1 --group part --fold test --resume";
  EXPECT_THAT(run_program(moved).out, HasSubstr("is trained already"));
  const std::string list = testing::file_content(path("moved/labels.csv"));
  const std::size_t line = list.find("train", list.find('\n'));
  write("moved/labels.csv", list.substr(0, list.rfind('\n', line) + 1) + list.substr(list.find('\n', line) + 1));
  const ProgramResult fewer = run_program(moved);
  EXPECT_EQ(fewer.exit_code, 2);
  EXPECT_THAT(fewer.err, HasSubstr("clips: "));
  // So is a clip that was encoded anew.
  write("moved/labels.csv", list);
  EXPECT_THAT(run_program(moved).out, HasSubstr("is trained already"));
  const std::size_t clip = list.rfind('\n', line) + 1;
  std::ofstream(path("moved/" + list.substr(clip, list.find(',', clip) - clip)), std::ios::app) << " ";
  EXPECT_THAT(run_program(moved).err, HasSubstr("clips: "));
}

TEST_F(TrainResume, tests_a_fold_again_where_its_clips_changed_and_trains_all_again_on_request) {
  fs::copy(path("data"), path("folds_data"), fs::copy_options::recursive);
  const std::string command = "train " + path("folds_data/labels.csv") + " -o " + path("folds") + kTiny + "--epochs 1 --group part --folds test ";
  ASSERT_EQ(run_program(command).exit_code, 0);
  const std::string list = testing::file_content(path("folds_data/labels.csv"));
  const std::size_t line = list.find(",test,");
  write("folds_data/labels.csv", list.substr(0, list.rfind('\n', line) + 1) + list.substr(list.find('\n', line) + 1));
  const ProgramResult fewer = run_program(command);
  EXPECT_EQ(fewer.exit_code, 0) << fewer.err;
  // A label that was mended counts, though nothing is trained anew.
  const std::string left = testing::file_content(path("folds_data/labels.csv"));
  const std::size_t clip = left.rfind('\n', left.find(",test,")) + 1, label = left.find(',', clip) + 1;
  const std::string was = left.substr(label, left.find(',', label) - label), now = was == "stand_up" ? "sit_down" : "stand_up";
  write("folds_data/labels.csv", left.substr(0, label) + now + left.substr(label + was.size()));
  const ProgramResult mended = run_program(command);
  EXPECT_EQ(mended.exit_code, 0) << mended.err;
  EXPECT_THAT(mended.out, HasSubstr("is trained already"));
  EXPECT_THAT(testing::file_content(path("folds/scores.csv")), HasSubstr(left.substr(clip, label - clip) + now + ","));
  const auto rows = std::ranges::count(testing::file_content(path("folds/scores.csv")), '\n');
  EXPECT_EQ(rows, std::ranges::count(testing::file_content(path("folds/fold_test/scores.csv")), '\n'));
  EXPECT_THAT(fewer.out, AllOf(HasSubstr("is trained already"), HasSubstr(fmt::format("all clips         {:>5}", rows - 1))));
  EXPECT_THAT(run_program(command + "--restart").out, AllOf(HasSubstr("epoch   1/1"), Not(HasSubstr("is trained already"))));
  EXPECT_EQ(run_program("train " + data() + " -o " + path("twice") + kTiny + "--group part --folds test,test").exit_code, 2);
}

TEST_F(TrainResume, tests_again_only_where_scores_are_older_than_a_clip) {
  fs::copy(path("data"), path("fresh_data"), fs::copy_options::recursive);
  const auto now = fs::file_time_type::clock::now(), mark = now - std::chrono::hours(1), old = now - std::chrono::hours(2);
  for (const auto& file : fs::recursive_directory_iterator(path("fresh_data"))) fs::last_write_time(file, old);
  for (const std::string name : {"fresh.csv", "fresh.npy"}) {
    SCOPED_TRACE(name);
    const std::string command = "train " + path("fresh_data/labels.csv") + " -o " + path(name + ".actio") + kTiny +
                                "--epochs 1 --group part --fold test --resume --scores " + path(name);
    ASSERT_EQ(run_program(command).exit_code, 0);
    const std::string before = testing::file_content(path(name));
    fs::last_write_time(path(name), mark);
    ASSERT_EQ(run_program(command).exit_code, 0);
    EXPECT_EQ(fs::last_write_time(path(name)), mark) << "tested again";
    // A clip of the other action in the place of one.
    std::ifstream list(path("fresh_data/labels.csv"));
    std::map<std::string, std::string> test_clips;  // of a label, the last one
    for (std::string line; std::getline(list, line);) {
      if (line.find(",test,") != line.npos) test_clips[line.substr(0, line.find('/'))] = line.substr(0, line.find(','));
    }
    const std::string replaced = test_clips.at("stand_up");
    fs::copy_file(path("fresh_data/" + test_clips.at("sit_down")), path("fresh_data/" + replaced), fs::copy_options::overwrite_existing);
    // A clock that is wrong makes a clip newer than its scores for ever.
    fs::last_write_time(path("fresh_data/" + replaced), now + std::chrono::hours(24));
    ASSERT_EQ(run_program(command).exit_code, 0);
    EXPECT_EQ(fs::last_write_time(path(name)), mark) << "tested again";
    fs::last_write_time(path("fresh_data/" + replaced), now);
    ASSERT_EQ(run_program(command).exit_code, 0);
    EXPECT_NE(testing::file_content(path(name)), before);
    fs::copy_file(path("data/" + replaced), path("fresh_data/" + replaced), fs::copy_options::overwrite_existing);
    fs::last_write_time(path("fresh_data/" + replaced), old);
  }
}

TEST_F(TrainResume, replaces_what_other_settings_left_only_on_request) {
  const std::string command = "train " + data() + " -o " + path("changed") + kTiny + "--group part --save-minutes 0.0001 ";
  const auto of_test = command + "--folds test ";
  ASSERT_EQ(run_program(of_test + "--epochs 1").exit_code, 0);
  const std::string model = path("changed/fold_test/model.actio"), before = testing::file_content(model);
  const ProgramResult refused = run_program(of_test + "--epochs 2");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("fold_test/model.actio: is the finished model of another training"), HasSubstr("--restart-changed")));
  EXPECT_EQ(testing::file_content(model), before);
  // All folds before the first one is trained.
  const ProgramResult both = run_program(command + "--epochs 2 --folds train,test");
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_FALSE(fs::exists(path("changed/fold_train")));
  const ProgramResult replaced = run_program(of_test + "--epochs 2 --restart-changed");
  EXPECT_THAT(replaced.out, HasSubstr("epoch   2/2")) << replaced.err;
  EXPECT_THAT(run_program(of_test + "--epochs 2 --restart-changed").out, HasSubstr("is trained already"));
  // The same of a training that did not end.
  RunningProgram training(of_test + "--epochs 4000 --restart-changed");
  EXPECT_TRUE(training.wait_until([&] { return fs::exists(model + ".state"); }));
  training.signal(SIGINT);
  ASSERT_EQ(training.wait().exit_code, 130) << training.err();
  EXPECT_THAT(run_program(of_test + "--epochs 1").err, HasSubstr("epochs: 4000 there, 1 here); --restart-changed replaces it"));
  ASSERT_TRUE(fs::exists(model + ".state"));
  fs::copy_file(model + ".state", path("foreign.state"));
  const ProgramResult anew = run_program(of_test + "--epochs 1 --restart-changed");
  EXPECT_EQ(anew.exit_code, 0) << anew.err;
  EXPECT_THAT(anew.out, Not(HasSubstr("going on")));
  EXPECT_THAT(anew.err, HasSubstr("model.actio.state: cannot be gone on with ([train] epochs: 4000 there, 1 here)"));
  // A finished model is finished, whatever lies beside it.
  fs::copy_file(path("foreign.state"), model + ".state");
  EXPECT_THAT(run_program(of_test + "--epochs 1").out, HasSubstr("is trained already"));
  // What cannot be opened may be whole.
  fs::create_directory(model + ".state");
  EXPECT_EQ(run_program(of_test + "--epochs 2 --restart-changed").exit_code, 1);
  fs::remove(model + ".state");
  EXPECT_EQ(testing::file_content(model), before);
  EXPECT_EQ(run_program(of_test + "--restart --restart-changed").exit_code, 2);
}

TEST_F(TrainResume, finds_what_is_wrong_with_a_later_stage_or_an_output_before_it_trains) {
  write("wrong.toml", "[[stage]]\nname = \"a\"\n[[stage]]\nname = \"b\"\ntrain = {epoch = 3}\n");
  const ProgramResult wrong = train("wrong.actio", "--epochs 1 --config " + path("wrong.toml"));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("wrong.toml: [[stage]] b"), HasSubstr("epoch")));
  write("foreign.toml", "[[stage]]\nname = \"a\"\nnetwork = {network = \"tsn\", dropout_ttn = 0.5}\n[[stage]]\nname = \"b\"\nnetwork = {network = \"if_ttn\"}\n");
  EXPECT_THAT(run_program("train " + data() + " -o " + path("wrong.actio") + " --backbone resnet18 --config " + path("foreign.toml")).err,
              HasSubstr("stage a: --dropout-ttn belongs to if_ttn"));
  EXPECT_FALSE(fs::exists(path("wrong.stages")));
  write("frozen.toml", "[[stage]]\nname = \"a\"\n[[stage]]\nname = \"b\"\ntrain = {freeze = [\"rgb.layer1\", \"rgb.features\"]}\n");
  const ProgramResult frozen = train("wrong.actio", "--epochs 1 --config " + path("frozen.toml"));
  EXPECT_EQ(frozen.exit_code, 2);
  EXPECT_THAT(frozen.err, AllOf(HasSubstr("stage b: "), HasSubstr("nothing in tsn_rgb(resnet18) stands below 'rgb.features'")));
  EXPECT_FALSE(fs::exists(path("wrong.stages")));
  write("fp16.toml", "[[stage]]\nname = \"a\"\n[[stage]]\nname = \"b\"\ntrain = {fp16 = true}\n");
  EXPECT_THAT(train("wrong.actio", "--epochs 1 --config " + path("fp16.toml")).err, HasSubstr("stage b: fp16: needs --device cuda"));
  write("nothing.toml", "[[stage]]\nname = \"a\"\n[[stage]]\nname = \"b\"\ntrain = {freeze = [\"rgb\"]}\n");
  EXPECT_THAT(train("wrong.actio", "--epochs 1 --config " + path("nothing.toml")).err,
              HasSubstr("stage b: freeze: no head of tsn_rgb(resnet18) depends on anything that is left to train"));
  EXPECT_FALSE(fs::exists(path("wrong.stages")));
  write("right.toml", "[train]\nepochs = 1\n");
  for (const std::string& options : {"--scores " + path("s.txt"), "--config " + path("right.toml") + " --log " + path("right.toml"),
                                     "--log " + path("wrong.actio"), std::string("--fold ''"), "--log " + data()}) {
    SCOPED_TRACE(options);
    const ProgramResult result = train("wrong.actio", "--epochs 1 --group part --test-share 0.5 " + options);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_FALSE(fs::exists(path("wrong.actio")));
  }
  EXPECT_EQ(testing::file_content(path("right.toml")), "[train]\nepochs = 1\n");
}

TEST_F(TrainResume, finds_a_class_that_a_file_of_scores_cannot_name_before_it_trains) {
  std::ifstream labels(data());
  std::ofstream list(path("data/renamed.csv"));
  for (std::string line; std::getline(labels, line);) {
    const std::size_t at = line.find("stand_up", line.find(','));  // the label, not the folder
    list << (at == std::string::npos ? line : line.replace(at, 8, "path")) << "\n";
  }
  list.close();
  const std::string options = kTiny + std::string(" --epochs 1 --group part --fold test");
  const std::string command = "train " + path("data/renamed.csv") + " -o " + path("named.actio") + options + " --scores ";
  const ProgramResult refused = run_program(command + path("named.csv"));
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
  EXPECT_THAT(refused.err, AllOf(HasSubstr("two columns 'path'"), HasSubstr("write .npy instead")));
  EXPECT_FALSE(fs::exists(path("named.actio")));
  const ProgramResult as_array = run_program(command + path("named.npy"));
  EXPECT_EQ(as_array.exit_code, 0) << as_array.err;
}

}  // namespace
}  // namespace actio::cli
