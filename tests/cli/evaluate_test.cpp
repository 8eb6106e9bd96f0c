#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "cli/tiny_model.h"
#include "data/clip_reader.h"
#include "data/protocol.h"
#include "eval/fusion.h"
#include "eval/score_file.h"
#include "net/model_file.h"
#include "runtime/compile.h"
#include "support/compare.h"
#include "support/synthetic_clip.h"

namespace actio::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class EvaluateProtocols : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new TempDir;
    write_tiny_model(path("tsn.actio"), "tsn", "none");
    write_tiny_model(path("mv.actio"), "if_ttn", "mv");
    int number = 0;
    for (const std::string name : {"clap", "jump"}) {
      std::filesystem::create_directories(path("data/" + name));
      for (const std::string group : {"1", "2"}) {
        const std::string clip = path("data/" + name + "/v_" + name + "_g0" + group + "_c01.mp4");
        write_synthetic_clip(
            {.path = clip, .frames = 30 + 7 * number, .dx = 1.0 + number, .seed = static_cast<std::uint64_t>(++number)});
      }
    }
  }
  static void TearDownTestSuite() { delete dir_; }

  static std::string path(const std::string& name) { return *dir_ / name; }
  static std::string command(const std::string& model, const std::string& more = "") {
    return "evaluate " + path(model) + " " + path("data") + " " + more;
  }
  static eval::ScoreTable scores(const std::string& model, const std::string& more) {
    const std::string file = path("scores.csv");
    const ProgramResult result = run_program(command(model, more + " --scores " + file));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return eval::read_scores(file);
  }
  static json figures(const std::string& model, const std::string& more) {
    const ProgramResult result = run_program(command(model, "--json " + more));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  }

  // Each view read and run alone: the means of probabilities and of logits, [clips, classes].
  static std::pair<Tensor, Tensor> expected_means(const std::string& model_file, const std::vector<std::string>& clips,
                                                  const data::Protocol& protocol) {
    net::Model model = net::read_model(path(model_file));
    if (protocol.segments > 0) model.spec.segments = protocol.segments;
    const auto classifier = runtime::compile(model.spec, model.weights, {.threads = 1});
    std::vector<float> probabilities, logits;
    for (const std::string& clip : clips) {
      std::vector<double> sums(6);
      const std::vector<data::View> views = protocol.views(model.inputs.framing);
      for (const data::View& view : views) {
        data::ClipRequest request;
        request.path = clip;
        request.segments = model.spec.segments;
        request.inputs = model.inputs;
        request.views = {view};
        request.crops = protocol.crops;
        const TensorMap values = classifier->run(data::read_clip(request).inputs);
        for (std::size_t c = 0; c < 3; ++c) {
          sums[c] += values.at(model.spec.output).values<float>()[c] / static_cast<double>(views.size());
          sums[3 + c] += values.at(model.spec.scores).values<float>()[c] / static_cast<double>(views.size());
        }
      }
      for (std::size_t c = 0; c < 3; ++c) {
        probabilities.push_back(static_cast<float>(sums[c]));
        logits.push_back(static_cast<float>(sums[3 + c]));
      }
    }
    const auto count = static_cast<std::int64_t>(clips.size());
    return {Tensor::of({count, 3}, probabilities), Tensor::of({count, 3}, logits)};
  }

  static TempDir* dir_;
};

TempDir* EvaluateProtocols::dir_ = nullptr;

TEST_F(EvaluateProtocols, average_what_each_view_gives_alone) {
  const std::tuple<std::string, std::string, data::Protocol> cases[] = {
      {"tsn.actio", "--protocol tsn", data::named_protocol(data::ProtocolName::kTsn)},
      {"mv.actio", "--protocol stfn", data::named_protocol(data::ProtocolName::kStfn)},
      {"mv.actio", "--test-places 0.2,0.8 --test-crops three", {0, {0.2, 0.8}, data::ViewCrops::kThree}}};
  for (const auto& [model, flags, protocol] : cases) {
    SCOPED_TRACE(flags);
    const eval::ScoreTable mean = scores(model, flags);
    ASSERT_EQ(mean.clips(), 4);
    const auto [probabilities, logits] = expected_means(model, mean.paths, protocol);
    EXPECT_EQ(mean.kind, eval::ScoreKind::kProbabilities);
    EXPECT_TRUE(close(mean.scores, probabilities, 1e-4));
    const eval::ScoreTable raw = scores(model, "--average logits " + flags);
    EXPECT_EQ(raw.kind, eval::ScoreKind::kLogits);
    EXPECT_TRUE(close(raw.scores, logits, 1e-4));
    EXPECT_FALSE(close(scores(model, "").scores, probabilities, 1e-3)) << "the views differ from the middle";
  }
}

TEST_F(EvaluateProtocols, of_several_places_are_the_mean_of_each_place_alone) {
  std::vector<double> sums(12);
  for (const std::string place : {"0.1", "0.3", "0.5", "0.7", "0.9"}) {
    const eval::ScoreTable one = scores("tsn.actio", "--test-places " + place);
    for (std::size_t i = 0; i < 12; ++i) sums[i] += one.scores.values<float>()[i] / 5;
  }
  const std::vector<float> means(sums.begin(), sums.end());
  EXPECT_TRUE(close(scores("tsn.actio", "--protocol stfn").scores, Tensor::of({4, 3}, means), 1e-5));
}

TEST_F(EvaluateProtocols, do_not_depend_on_how_many_views_are_read_at_once) {
  const eval::ScoreTable whole = scores("mv.actio", "--protocol slowfast --average logits");
  const eval::ScoreTable parts = scores("mv.actio", "--protocol slowfast --average logits --test-memory 1 --workers 3");
  EXPECT_EQ(whole.paths, parts.paths);
  EXPECT_EQ(std::memcmp(whole.scores.raw(), parts.scores.raw(), whole.scores.bytes()), 0);
}

TEST_F(EvaluateProtocols, are_told_with_the_figures_and_can_be_changed_in_part) {
  const json plain = figures("tsn.actio", "").at("protocol");
  EXPECT_EQ(plain.at("name"), "centre");
  EXPECT_EQ(plain.at("views"), 1);
  EXPECT_EQ(plain.at("segments"), 3);
  EXPECT_EQ(figures("tsn.actio", "--protocol tsn").at("protocol").at("segments"), 25);
  const json changed = figures("tsn.actio", "--protocol tsn --test-segments 0 --test-places 0.25,0.75").at("protocol");
  EXPECT_EQ(changed.at("views"), 20);
  EXPECT_EQ(changed.at("segments"), 3);
  std::ofstream(path("test.toml")) << "[test]\nprotocol = \"stfn\"\ntest_crops = \"three\"\n";
  const json from_file = figures("tsn.actio", "--config " + path("test.toml") + " --test-places 0.5").at("protocol");
  EXPECT_EQ(from_file.at("name"), "stfn");
  EXPECT_EQ(from_file.at("views"), 3);
  const ProgramResult unknown = run_program(command("tsn.actio", "--protocol tns"));
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("the nearest is 'tsn'"));
  EXPECT_EQ(run_program(command("tsn.actio", "--test-places 1.5")).exit_code, 2);
}

TEST_F(EvaluateProtocols, run_on_other_segments_where_the_network_has_a_meaning_for_them) {
  for (const std::string network : {"trn", "stfn", "two_stream"}) write_tiny_model(path(network + ".actio"), network, "mv");
  const auto run = [&](const std::string& model, const std::string& segments) {
    return run_program(command(model + ".actio", "--test-segments " + segments));
  };
  EXPECT_EQ(run("two_stream", "5").err, "");
  for (const std::string model : {"stfn", "mv"}) {
    const ProgramResult other = run(model, "5");
    EXPECT_EQ(other.exit_code, 0) << other.err;
    EXPECT_THAT(other.err, HasSubstr("3 segments follow each other; on 5"));
    EXPECT_EQ(run(model, "3").err, "");
  }
  for (const std::string segments : {"2", "5"}) {
    const ProgramResult refused = run("trn", segments);
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err,
                HasSubstr("trn.actio: trn_both(resnet18) has 3 segments and cannot be tested on " + segments + ": "));
    EXPECT_EQ(std::ranges::count(refused.err, '\n'), 1);
  }
  EXPECT_EQ(run("trn", "3").exit_code, 0);
  const ProgramResult alone = run("mv", "1");
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.err, HasSubstr("segment_diff needs at least 2 segments"));
}

TEST_F(EvaluateProtocols, measure_a_head_alone_and_heads_add_up_to_the_answer) {
  const std::string all = "--average logits --protocol stfn";
  std::vector<double> sums(12);
  for (const std::string head : {"rgb", "motion", "ttn"}) {
    const eval::ScoreTable table = scores("mv.actio", all + " --head " + head);
    EXPECT_EQ(table.kind, eval::ScoreKind::kLogits);
    for (std::size_t i = 0; i < 12; ++i) sums[i] += table.scores.values<float>()[i] / 3;
    const eval::ScoreTable soft = scores("mv.actio", "--head " + head),
                           raw = scores("mv.actio", "--average logits --head " + head);
    EXPECT_EQ(soft.kind, eval::ScoreKind::kProbabilities);
    EXPECT_TRUE(close(soft.scores, eval::normalised(raw, eval::Normalisation::kSoftmax).scores, 1e-6));
  }
  const std::vector<float> means(sums.begin(), sums.end());
  EXPECT_TRUE(close(scores("mv.actio", all).scores, Tensor::of({4, 3}, means), 1e-5));
  const ProgramResult unknown = run_program(command("mv.actio", "--head tnn"));
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("unknown head 'tnn'; the nearest is 'ttn'"));
}

TEST_F(EvaluateProtocols, give_calibration_and_the_accuracy_of_every_group) {
  const json with = figures("tsn.actio", "");
  for (const char* name : {"expected_calibration_error", "negative_log_likelihood", "brier"})
    EXPECT_GT(with.at(name), 0) << name;
  const eval::ScoreTable table = scores("tsn.actio", "");
  double nll = 0;
  for (std::size_t i = 0; i < 4; ++i)
    nll -= std::log(table.scores.values<float>()[3 * i + static_cast<std::size_t>(table.labels[i])]) / 4;
  EXPECT_NEAR(with.at("negative_log_likelihood"), nll, 1e-6);
  // With one view the softmax of the mean logits is the mean of the probabilities.
  EXPECT_NEAR(figures("tsn.actio", "--average logits").at("brier"), with.at("brier"), 1e-6);
  const json groups = with.at("groups").at("rows");
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].at("group"), "g01");
  EXPECT_EQ(groups[1].at("clips"), 2);
  EXPECT_NEAR(with.at("groups").at("mean"), with.at("top1"), 1e-12);
  const ProgramResult text = run_program(command("tsn.actio"));
  for (const char* part : {"top-1 of a group", "2 groups", "calibration error", "-log likelihood", "Brier score",
                           "1   (3 segments, centre crops"}) {
    EXPECT_THAT(text.out, HasSubstr(part));
  }
}

TEST_F(EvaluateProtocols, say_probabilities_where_a_network_has_no_logits) {
  write_tiny_model(path("late.actio"), "two_stream", "mv");
  const eval::ScoreTable asked_for_logits = scores("late.actio", "--average logits");
  EXPECT_EQ(asked_for_logits.kind, eval::ScoreKind::kProbabilities);
  EXPECT_TRUE(close(asked_for_logits.scores, scores("late.actio", "").scores, 1e-6));
  EXPECT_EQ(scores("late.actio", "--average logits --head motion").kind, eval::ScoreKind::kLogits);
}

TEST_F(EvaluateProtocols, write_scores_as_csv_npy_and_raw_floats_alike) {
  const eval::ScoreTable csv = scores("tsn.actio", "");
  EXPECT_THAT(csv.classes, ElementsAre("clap", "jump", "wave"));
  EXPECT_THAT(csv.labels, ElementsAre(0, 0, 1, 1));
  for (const std::string file : {"s.npy", "s.f32"}) {
    ASSERT_EQ(run_program(command("tsn.actio", "--scores " + path(file))).exit_code, 0);
    const eval::ScoreTable array = eval::read_scores(path(file));
    EXPECT_EQ(array.paths, csv.paths);
    EXPECT_EQ(array.labels, csv.labels);
    EXPECT_EQ(std::memcmp(array.scores.raw(), csv.scores.raw(), csv.scores.bytes()), 0);
  }
}

TEST_F(EvaluateProtocols, measure_the_part_that_a_training_chooses_by) {
  const std::string list = path("parts.csv");
  std::ofstream table(list);
  table << "path,label,group\n";
  const eval::ScoreTable all = scores("tsn.actio", "");
  ASSERT_EQ(all.clips(), 4);
  for (std::size_t i = 0; i < 4; ++i) table << all.paths[i] << "," << all.classes[static_cast<std::size_t>(all.labels[i])] << ",g" << i << "\n";
  table.close();
  const auto paths = [&](const std::string& flags) {
    const std::string file = path("part.csv");
    const ProgramResult result = run_program("evaluate " + path("tsn.actio") + " " + list + " --group group --scores " + file + " " + flags);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return eval::read_scores(file).paths;
  };
  const std::string held = "--fold g3 --validation-share 0.4 --part ";
  std::vector<std::string> parts = paths(held + "validation");
  EXPECT_FALSE(parts.empty());
  for (const char* part : {"train", "test"}) {
    for (const std::string& clip : paths(held + part)) parts.push_back(clip);
  }
  std::vector<std::string> every = all.paths;
  std::ranges::sort(parts);
  std::ranges::sort(every);
  EXPECT_EQ(parts, every);
  EXPECT_THAT(run_program("evaluate " + path("tsn.actio") + " " + list + " --part validation").err, HasSubstr("needs --validation-share"));
}

TEST_F(EvaluateProtocols, leave_clips_that_cannot_be_read_out_of_the_scores) {
  const std::string broken = path("data/jump/v_jump_g03_c01.mp4");
  std::ofstream(broken) << "broken";
  const ProgramResult result =
      run_program(command("mv.actio", "--json --protocol slowfast --test-memory 1 --scores " + path("some.csv")));
  std::filesystem::remove(broken);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_EQ(json::parse(result.out).at("failures").size(), 1U);
  EXPECT_EQ(eval::read_scores(path("some.csv")).clips(), 4);
}

TEST_F(EvaluateProtocols, refuse_before_any_work_a_score_file_that_cannot_be_written) {
  const auto refused = [&](const std::string& more, int code, const std::string& text) {
    const ProgramResult result = run_program(command("tsn.actio", more));
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(text));
    EXPECT_EQ(result.out, "");
  };
  refused("--scores " + path("s.pkl"), 2, ".csv, .npy or .f32");
  refused("--scores " + path("none/s.csv"), 1, "none/s.csv");
  refused("--scores " + path("r.csv") + " --report " + path("r.csv"), 2, "r.csv");
  refused("--scores " + path("r.npy") + " --report " + path("r.index.txt"), 2, "r.index.txt");
  net::Model model = net::read_model(path("tsn.actio"));
  model.classes = {"clap", "jump", "label"};
  net::write_model(path("label.actio"), model);
  const std::string broken = path("data/jump/v_jump_g09_c01.mp4");  // whose warning would come with the work
  std::ofstream(broken) << "broken";
  const ProgramResult label = run_program(command("label.actio", "--scores " + path("l.csv")));
  std::filesystem::remove(broken);
  EXPECT_EQ(label.exit_code, 2);
  EXPECT_EQ(std::ranges::count(label.err, '\n'), 1) << label.err;
  EXPECT_THAT(label.err, HasSubstr("two columns 'label'"));
  EXPECT_FALSE(std::filesystem::exists(path("l.csv")));
  EXPECT_EQ(run_program(command("label.actio", "--scores " + path("l.npy"))).exit_code, 0);
}

TEST_F(EvaluateProtocols, are_fused_from_two_models_as_by_hand) {
  const auto write = [&](const std::string& model, const std::string& file) {
    ASSERT_EQ(run_program(command(model, "--average logits --scores " + path(file))).exit_code, 0);
  };
  write("tsn.actio", "a.csv");
  write("mv.actio", "b.npy");
  const ProgramResult fuse =
      run_program("fuse " + path("a.csv") + " " + path("b.npy") + " --weights 1,3 -o " + path("ab.csv"));
  ASSERT_EQ(fuse.exit_code, 0) << fuse.err;
  const eval::ScoreTable a = eval::read_scores(path("a.csv")), b = eval::read_scores(path("b.npy")),
                         ab = eval::read_scores(path("ab.csv"));
  EXPECT_EQ(ab.paths, a.paths);
  EXPECT_EQ(ab.classes, a.classes);
  std::vector<float> expected;
  for (std::size_t i = 0; i < 12; ++i)
    expected.push_back((a.scores.values<float>()[i] + 3 * b.scores.values<float>()[i]) / 4);
  EXPECT_TRUE(close(ab.scores, Tensor::of({4, 3}, expected), 1e-6));
}

TEST_F(EvaluateProtocols, of_one_view_give_what_recognize_gives) {
  const eval::ScoreTable table = scores("mv.actio", "");
  const ProgramResult one = run_program("recognize " + path("mv.actio") + " " + table.paths[2] + " --json");
  for (const json& entry : json::parse(one.out).at("top")) {
    EXPECT_FLOAT_EQ(table.scores.values<float>()[6 + entry.at("class").get<std::size_t>()],
                    entry.at("probability").get<float>());
  }
}

TEST_F(EvaluateProtocols, adds_up_the_heads_of_a_model_file_by_the_weights_that_lie_in_it_whatever_they_add_up_to) {
  net::Model model = net::read_model(path("mv.actio"));
  const auto scores_node = std::ranges::find(model.spec.nodes, model.spec.scores, &net::Node::name);
  scores_node->attrs.weights = {1, 1.5, 2};  // as versions that did not make shares of them wrote
  model.weights.at("scores.weight") = Tensor::of({3}, std::vector<float>{1, 1.5F, 2});
  net::write_model(path("earlier.actio"), model);
  EXPECT_THAT(net::read_model(path("earlier.actio")).spec.node(model.spec.scores).attrs.weights, ElementsAre(1, 1.5, 2));
  const Tensor whole = scores("earlier.actio", "--average logits").scores;
  const std::vector<Tensor> heads = {scores("earlier.actio", "--average logits --head rgb").scores,
                                     scores("earlier.actio", "--average logits --head motion").scores,
                                     scores("earlier.actio", "--average logits --head ttn").scores};
  Tensor sum(whole.shape());
  for (std::int64_t i = 0; i < sum.numel(); ++i) {
    sum.data<float>()[i] = heads[0].data<float>()[i] + 1.5F * heads[1].data<float>()[i] + 2 * heads[2].data<float>()[i];
  }
  EXPECT_LE(range_error(whole, sum), 1e-5);
}

}  // namespace
}  // namespace actio::testing
