#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/file.h"
#include "core/json_text.h"
#include "core/output_check.h"
#include "eval/fusion.h"
#include "eval/fusion_report.h"
#include "eval/score_file.h"
#include "eval/significance.h"
#include "eval/weight_search.h"

namespace actio::cli {
namespace {

struct FuseOptions {
  std::vector<double> weights;
  std::vector<std::string> kinds;
  eval::FusionOptions fusion;
  eval::BootstrapOptions bootstrap;

  Fields fields() {
    Fields fields = {
        {"weights", &weights, "of the files, in their order; empty: equal", {}, 0, 1e9},
        {"kinds",
         &kinds,
         "what arrays hold, which cannot say it: logits or probabilities, one for all files or one each",
         {"logits", "probabilities"}},
    };
    for (const Field& field : fusion.fields()) fields.push_back(field);
    for (const Field& field : bootstrap.fields()) fields.push_back(field);
    return fields;
  }
};

struct FuseArguments {
  std::vector<std::string> files, indices, search, search_indices;
  std::string output;
  std::string report;
  bool raw = false, softmax = false, compare = false, json = false;
  FuseOptions options;
  std::unique_ptr<OptionFlags> flags;
};

const std::string& one_of(const std::vector<std::string>& values, std::size_t i, const char* flag, std::size_t files) {
  static const std::string kNone;
  if (values.empty()) return kNone;
  if (values.size() == 1) return values[0];
  if (values.size() != files) fail_usage("{}: {} files need one for all or one each, got {}", flag, files, values.size());
  return values[i];
}

std::vector<eval::ScoreTable> read_tables(const std::vector<std::string>& files, const std::vector<std::string>& indices,
                                          const char* index_flag, const std::vector<std::string>& kinds) {
  std::vector<eval::ScoreTable> tables;
  for (std::size_t i = 0; i < files.size(); ++i) {
    eval::ScoreTable table = eval::read_scores(files[i], one_of(indices, i, index_flag, files.size()));
    const std::string& said = one_of(kinds, i, "--kinds", files.size());
    if (!said.empty()) {
      const eval::ScoreKind kind = eval::score_kind_from_name(said);
      if (table.kind != eval::ScoreKind::kUnknown && table.kind != kind) {
        fail_usage("{}: says that it holds {}, but --kinds says {}", files[i], eval::score_kind_name(table.kind), said);
      }
      table.kind = kind;
      eval::check_table(table);
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

std::vector<eval::ScoreTable> prepared(std::vector<eval::ScoreTable> tables, const eval::FusionOptions& options) {
  tables = eval::align(std::move(tables), options);
  for (eval::ScoreTable& table : tables) table = eval::normalised(table, options.normalise);
  return tables;
}

void settle_options(FuseArguments& a) {
  eval::FusionOptions& fusion = a.options.fusion;
  if (a.raw && a.softmax) fail_usage("--raw and --softmax contradict each other");
  if ((a.raw || a.softmax) && a.flags->chosen().has_name("fuse.normalise")) {
    fail_usage("{} and --normalise contradict each other", a.raw ? "--raw" : "--softmax");
  }
  if (a.raw) fusion.normalise = eval::Normalisation::kRaw;
  if (a.softmax) fusion.normalise = eval::Normalisation::kSoftmax;
  if (!a.search.empty() && !a.options.weights.empty())
    fail_usage("--search finds weights and --weights gives them: choose one");
  if (!a.search.empty() && a.search.size() != a.files.size()) {
    fail_usage("--search: {} files need as many validation files, in their order, got {}", a.files.size(), a.search.size());
  }
  if (a.compare && a.files.size() != 2) fail_usage("--compare needs two files, got {}", a.files.size());
  if (a.compare && !(a.output.empty() && a.search.empty() && a.options.weights.empty())) {
    fail_usage("--compare fuses nothing: it takes neither --output, --weights nor --search");
  }
  if (a.options.weights.empty()) a.options.weights.assign(a.files.size(), 1);
}

void check_fuse_files(const FuseArguments& a) {
  for (const std::string& validation : a.search) {
    for (const std::string& test : a.files) {
      if (is_same_file(validation, test)) {
        fail_usage("{}: is given for the test and for --search: weights must not be searched on test clips", validation);
      }
    }
  }
  std::vector<std::string> inputs;
  for (const auto* list : {&a.files, &a.indices, &a.search, &a.search_indices})
    inputs.insert(inputs.end(), list->begin(), list->end());
  for (std::size_t i = 0; i < a.search.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (is_same_file(a.search[i], a.search[k])) fail_usage("--search: {} is given twice", a.search[i]);
    }
  }
  for (std::size_t i = 0; i < a.files.size(); ++i) {
    if (!path_exists(a.files[i])) fail("{}: no such file", a.files[i]);
    for (const std::string& file : eval::score_sources_of(a.files[i], one_of(a.indices, i, "--index", a.files.size())))
      inputs.push_back(file);
  }
  if (!a.report.empty()) check_output(a.report, inputs);
  if (a.output.empty()) return;
  for (const std::string& file : eval::score_files_of(a.output)) {
    check_output(file, inputs);
    if (is_same_file(file, a.report)) fail_usage("{}: is given for the scores and for the report", file);
  }
}

eval::FoundWeights search(const FuseArguments& a, const std::vector<eval::ScoreTable>& test) {
  std::vector<eval::ScoreTable> tables = read_tables(a.search, a.search_indices, "--search-index", a.options.kinds);
  for (std::size_t i = 0; i < tables.size(); ++i) eval::check_disjoint(tables[i], test[i], a.options.fusion.match);
  for (std::size_t i = 0; i < tables.size(); ++i) eval::agree_on_classes(tables[i], test[i]);
  return eval::search_weights(prepared(std::move(tables), a.options.fusion));
}

int run_fuse(FuseArguments& a) {
  a.flags->apply();
  settle_options(a);
  check_fuse_files(a);
  std::vector<eval::ScoreTable> tables = read_tables(a.files, a.indices, "--index", a.options.kinds);
  eval::FusionSetup setup;
  setup.files = a.files;
  setup.search_files = a.search;
  setup.fusion = a.options.fusion;
  setup.bootstrap = a.options.bootstrap;
  setup.compare = a.compare;
  setup.output = a.output;
  if (!a.search.empty()) {
    setup.found = search(a, tables);
    a.options.weights = setup.found->weights;
  }
  setup.weights = a.options.weights;
  std::vector<std::int64_t> clips_of_files;
  for (const eval::ScoreTable& table : tables) clips_of_files.push_back(table.clips());
  for (const std::string& line : eval::softmax_warnings(tables, setup.fusion)) print_warning(line);
  tables = prepared(std::move(tables), setup.fusion);
  for (const std::string& line : a.compare ? std::vector<std::string>() : eval::kind_warnings(tables)) print_warning(line);
  if (eval::labelled_rows(tables[0]).clips() == 0 && a.output.empty())
    fail_usage("no class is known and no --output given: there is nothing to do");
  const eval::ScoreTable fused = eval::fuse(tables, setup.weights);
  const eval::FusionReport report = eval::report_of(setup, tables, fused, std::move(clips_of_files));
  const std::string json = json_text(eval::to_json(setup, report), 2) + "\n";
  if (!a.report.empty()) write_file_atomically(a.report, json);
  if (!a.output.empty()) eval::write_scores(a.output, fused);
  std::fputs(a.json ? json.c_str() : eval::text_of(setup, report).c_str(), stdout);
  return 0;
}

}  // namespace

void add_fuse(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("fuse", "add up the scores of several models, or compare two");
  auto a = std::make_shared<FuseArguments>();
  command.add_option("SCORES", a->files, "score files of the same clips: .csv, .npy or .f32")->required();
  command.add_option("-o,--output", a->output, "write the fused scores to this file");
  const auto one_each = CLI::MultiOptionPolicy::TakeAll;
  command
      .add_option("--index", a->indices,
                  "what lists the rows of .npy and .f32: once for all files, or once for each [STEM.index.txt]")
      ->allow_extra_args(false)
      ->multi_option_policy(one_each);
  command.add_option("--search", a->search,
                     "behind SCORES: find the weights on these score files of validation clips, one for each");
  command.add_option("--search-index", a->search_indices, "the same as --index for those")
      ->allow_extra_args(false)
      ->multi_option_policy(one_each);
  command.add_flag("--raw", a->raw, "add up the scores as they are, which is the default");
  command.add_flag("--softmax", a->softmax, "turn scores into probabilities first");
  command.add_flag("--compare", a->compare, "fuse nothing: is the first of two files better than the second?");
  command.add_option("--report", a->report, "also write the figures to this JSON file");
  command.add_flag("--json", a->json, "print JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add("fuse", a->options.fields());
  a->flags->add_config();
  on_run(command, [a] { return run_fuse(*a); });
}

}  // namespace actio::cli
