#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "eval/score_file.h"
#include "support/shared_data.h"

namespace actio::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class Fuse : public ::testing::Test {
 protected:
  void SetUp() override {
    text("a.csv", "path,label,kind,run,jump\nx.avi,run,logits,2,1\ny.avi,run,logits,1,2\nz.avi,jump,logits,3,1\n");
    text("b.csv", "path,label,kind,run,jump\nz.mp4,1,logits,0,4\nx.mp4,0,logits,0,0.5\ny.mp4,0,logits,5,0\n");
    text("va.csv", "path,label,kind,run,jump\nv1.avi,run,logits,0,1\nv2.avi,jump,logits,4,0\n");
    text("vb.csv", "path,label,kind,run,jump\nv1.avi,run,logits,3,0\nv2.avi,jump,logits,0,3\n");
  }

  std::string path(const std::string& name) const { return dir_ / name; }
  void text(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }

  // Names that are files of the folder become paths.
  ProgramResult fuse(const std::string& arguments) const {
    std::istringstream words(arguments);
    std::string all = "fuse", word;
    while (words >> word) {
      const bool named = word.ends_with(".csv") || word.ends_with(".f32") || word.ends_with(".npy") ||
                         word.ends_with(".txt") || word.ends_with(".json");
      all += " " + (named && word[0] != '/' ? path(word) : word);
    }
    return run_program(all);
  }
  json figures(const std::string& arguments) const {
    const ProgramResult result = fuse(arguments + " --json");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  }
  void expect_refused(const std::string& arguments, int code, const std::string& part) const {
    const ProgramResult result = fuse(arguments);
    EXPECT_EQ(result.exit_code, code) << arguments << ": " << result.err;
    EXPECT_THAT(result.err, HasSubstr(part));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "");
  }

  TempDir dir_;
};

TEST_F(Fuse, adds_rows_of_the_same_clip_whatever_their_order_and_extension) {
  const json j = figures("a.csv b.csv -o f.csv");
  const eval::ScoreTable table = eval::read_scores(path("f.csv"));
  EXPECT_THAT(table.paths, ::testing::ElementsAre("x.avi", "y.avi", "z.avi"));
  EXPECT_THAT(table.scores.values<float>(), ::testing::ElementsAre(1, 0.75, 3, 1, 1.5, 2.5));
  EXPECT_EQ(table.kind, eval::ScoreKind::kLogits);
  EXPECT_NEAR(j.at("inputs")[0].at("top1"), 1.0 / 3, 1e-12);
  EXPECT_NEAR(j.at("inputs")[1].at("top1"), 2.0 / 3, 1e-12);
  EXPECT_EQ(j.at("fusion").at("top1"), 1);
  EXPECT_EQ(j.at("fusion").at("confusion"), json::parse("[[2,0],[0,1]]"));
  EXPECT_EQ(j.at("comparison").at("second"), path("b.csv"));
  EXPECT_EQ(j.at("comparison").at("only_first"), 1);
  EXPECT_EQ(j.at("comparison").at("mcnemar_p"), 1);
}

TEST_F(Fuse, prints_every_figure_of_files_and_fusion_and_writes_the_report) {
  const ProgramResult result = fuse("a.csv b.csv --weights 1,1.5 --report r.json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* part :
       {"3 clips, 2 classes, scores raw", "a.csv            1   33.33", "b.csv          1.5   66.67",
        "fusion              100.00", "fusion less b.csv: +33.33 points", "McNemar's exact test", "10000 draws"}) {
    EXPECT_THAT(result.out, HasSubstr(part));
  }
  EXPECT_EQ(json::parse(file_content(path("r.json"))), figures("a.csv b.csv --weights 1,1.5"));
}

TEST_F(Fuse, turns_scores_into_probabilities_and_measures_their_calibration) {
  const json j = figures("a.csv b.csv --softmax -o f.csv");
  EXPECT_EQ(eval::read_scores(path("f.csv")).kind, eval::ScoreKind::kProbabilities);
  EXPECT_TRUE(j.at("fusion").contains("brier"));
  EXPECT_FALSE(figures("a.csv b.csv").at("fusion").contains("brier"));
  EXPECT_EQ(figures("a.csv b.csv --normalise softmax").at("fusion"), j.at("fusion"));
  // They stay probabilities: softmax is not taken twice.
  EXPECT_EQ(figures("f.csv --softmax").at("inputs")[0].at("brier"), j.at("fusion").at("brier"));
}

TEST_F(Fuse, warns_where_logits_meet_probabilities) {
  text("p.csv",
       "path,label,kind,run,jump\nx.avi,run,probabilities,0.5,0.5\ny.avi,run,probabilities,1,0\nz.avi,jump,probabilities,0,"
       "1\n");
  EXPECT_THAT(fuse("a.csv p.csv").err, HasSubstr("--softmax makes them alike"));
  EXPECT_EQ(fuse("a.csv p.csv --softmax").err, "");
  EXPECT_EQ(fuse("a.csv p.csv --compare").err, "");
}

TEST_F(Fuse, warns_where_softmax_would_be_taken_of_probabilities) {
  text("p.csv", "path,label,kind,run,jump\nx.avi,run,probabilities,0.5,0.5\ny.avi,run,probabilities,1,0\n");
  ASSERT_EQ(fuse("p.csv p.csv -o p.npy").exit_code, 0);
  EXPECT_THAT(fuse("p.npy --softmax").err, HasSubstr("p.npy: its rows add up to 1, but --softmax takes them for logits"));
  const ProgramResult said = fuse("p.npy --softmax --kinds probabilities --json");
  EXPECT_EQ(said.err, "");
  EXPECT_EQ(json::parse(said.out).at("inputs")[0].at("brier"), figures("p.csv").at("inputs")[0].at("brier"));
}

TEST_F(Fuse, searches_weights_on_validation_files_and_applies_them_to_the_test) {
  const json j = figures("a.csv b.csv --search va.csv vb.csv -o f.csv");
  EXPECT_EQ(j.at("search").at("clips"), 2);
  EXPECT_EQ(j.at("search").at("top1"), 1);
  EXPECT_EQ(j.at("search").at("top1_equal_weights"), 0.5);
  const double weight = j.at("search").at("weights")[1];
  EXPECT_GT(weight, 4.0 / 7);
  EXPECT_EQ(j.at("inputs")[1].at("weight"), weight);
  const eval::ScoreTable table = eval::read_scores(path("f.csv"));
  EXPECT_NEAR(table.scores.values<float>()[0], 2 * (1 - weight), 1e-6);
  EXPECT_THAT(fuse("a.csv b.csv --search va.csv vb.csv").out,
              HasSubstr("weights from 2 validation clips: 100.00 % right there, 50.00 %"));
}

TEST_F(Fuse, never_searches_weights_on_test_clips) {
  const std::string why = "weights must not be searched on test clips";
  expect_refused("a.csv b.csv --search a.csv b.csv", 2, why);
  expect_refused("a.csv b.csv --search va.csv a.csv", 2, why);
  std::filesystem::create_symlink(path("a.csv"), path("link.csv"));
  std::filesystem::copy_file(path("b.csv"), path("copy.csv"));
  expect_refused("a.csv b.csv --search link.csv vb.csv", 2, why);
  expect_refused("a.csv b.csv --search va.csv copy.csv", 2, why);
  text("one.csv", "path,label,run,jump\nv1.avi,run,1,2\ny.mkv,run,5,6\n");
  expect_refused("a.csv b.csv --search one.csv vb.csv", 2, "'y.mkv' is in " + path("a.csv"));
  text("renamed.csv", "path,label,run,jump\nr1.avi,run,2,1\nr2.avi,run,1,2\nr3.avi,jump,3,1\n");
  expect_refused("a.csv b.csv --search renamed.csv vb.csv", 2, "3 of 3 rows of scores are in");
}

TEST_F(Fuse, compares_two_files_without_fusing_them) {
  const json j = figures("a.csv b.csv --compare");
  EXPECT_FALSE(j.contains("fusion"));
  EXPECT_EQ(j.at("comparison").at("first"), path("a.csv"));
  EXPECT_EQ(j.at("comparison").at("only_second"), 2);
  EXPECT_EQ(j.at("comparison").at("only_first"), 1);
  EXPECT_NEAR(j.at("comparison").at("difference"), -1.0 / 3, 1e-12);
  EXPECT_THAT(fuse("a.csv b.csv --compare").out, HasSubstr("a.csv less b.csv: -33.33 points"));
}

TEST_F(Fuse, measures_one_file_alone) {
  const ProgramResult result = fuse("a.csv");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("33.33"));
  EXPECT_THAT(result.out, ::testing::Not(HasSubstr("fusion")));
}

TEST_F(Fuse, writes_scores_of_clips_whose_class_nobody_knows) {
  text("u.csv", "path,label,run,jump\nx.avi,,1,2\ny.avi,,1,2\n");
  const ProgramResult result = fuse("u.csv u.csv -o f.npy");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("2 clips have no known class"));
  EXPECT_EQ(eval::read_scores(path("f.npy")).labels[0], -1);
  expect_refused("u.csv u.csv", 2, "nothing to do");
}

TEST_F(Fuse, says_what_arrays_hold_where_the_user_knows) {
  text("r.f32", std::string("\0\0\0\x3f\0\0\0\x3f", 8));
  text("r.index.txt", "x.avi 0\n");
  EXPECT_TRUE(figures("r.f32 --kinds probabilities").at("inputs")[0].contains("brier"));
  EXPECT_FALSE(figures("r.f32 --kinds logits").at("inputs")[0].contains("brier"));
  expect_refused("a.csv --kinds probabilities", 2, "says that it holds logits, but --kinds says probabilities");
  expect_refused("a.csv b.csv --kinds logits,logits,logits", 2, "one each, got 3");
  text("other.txt", "q.avi 1\n");
  EXPECT_EQ(figures("--kinds logits --index other.txt r.f32").at("inputs")[0].at("top1"), 0);
  text("s.f32", std::string("\0\0\0\x3f\0\0\0\x3f", 8));
  EXPECT_EQ(figures("r.f32 s.f32 --index r.index.txt --index r.index.txt").at("clips"), 1);
  expect_refused("r.f32 s.f32 s.f32 --index r.index.txt --index r.index.txt", 2,
                 "3 files need one for all or one each, got 2");
}

TEST_F(Fuse, refuses_what_contradicts_itself_or_would_replace_an_input) {
  expect_refused("a.csv b.csv --weights 1", 2, "2 files need as many weights, got 1");
  expect_refused("a.csv b.csv --weights 0,0", 2, "above 0");
  expect_refused("a.csv b.csv --weights 1,-1", 2, "-1");
  expect_refused("a.csv b.csv --raw --softmax", 2, "contradict");
  expect_refused("a.csv b.csv --raw --normalise l2", 2, "--raw and --normalise contradict");
  expect_refused("a.csv b.csv --search va.csv vb.csv --weights 1,1", 2, "choose one");
  expect_refused("a.csv b.csv --search va.csv", 2, "got 1");
  expect_refused("a.csv --compare", 2, "two files, got 1");
  expect_refused("a.csv b.csv --compare -o f.csv", 2, "fuses nothing");
  expect_refused("a.csv b.csv -o a.csv", 2, "is an input");
  expect_refused("a.csv b.csv --search va.csv vb.csv -o vb.csv", 2, "is an input");
  expect_refused("a.csv b.csv -o f.csv --report f.csv", 2, "f.csv");
  expect_refused("a.csv b.csv -o f.txt", 2, "f.txt");
  expect_refused("none.csv", 1, "none.csv: no such file");
  expect_refused("a.csv va.csv", 3, "va.csv: clip 'x.avi' of " + path("a.csv") + " is missing");
  text("r.f32", std::string(8, '\0'));
  text("r.index.txt", "x.avi 0\n");
  expect_refused("r.f32 -o r.npy", 2, "r.index.txt: is an input");
  EXPECT_EQ(eval::read_scores(path("a.csv")).clips(), 3);
}

TEST_F(Fuse, lists_its_options_and_reads_them_from_a_file) {
  const ProgramResult printed = run_program("fuse --print-config --weights 1,2 --match name");
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("\nweights = [1.0,2.0]\n"));
  text("c.toml", printed.out);
  EXPECT_EQ(run_program("fuse --print-config --config " + path("c.toml")).out, printed.out);
  for (const char* flag : {"--weights", "--normalise", "--match", "--common", "--kinds", "--resamples", "--bootstrap-seed",
                           "--search", "--index"}) {
    EXPECT_THAT(run_program("fuse --help").out, HasSubstr(flag));
  }
}

TEST_F(Fuse, gives_the_published_accuracies_of_two_streams) {
  const std::string folder = shared_file("data/scores");
  ACTIO_NEEDS_SHARED(folder);
  const std::string scores = folder + "/ucf101_split1_";
  const auto top1 = [&](const std::string& files, const std::string& more) {
    return figures(files + " --index " + scores + "index.txt " + more).at("fusion").at("top1").get<double>();
  };
  const std::string two = scores + "rgb.f32 " + scores + "flow.f32";
  EXPECT_NEAR(top1(two, ""), 0.9331, 5e-5);
  EXPECT_NEAR(top1(two, "--weights 1,1.5"), 0.9368, 5e-5);
  EXPECT_NEAR(top1(two + " " + scores + "idt.f32", "--weights 1,1.5,1"), 0.9381, 5e-5);
}

}  // namespace
}  // namespace actio::testing
