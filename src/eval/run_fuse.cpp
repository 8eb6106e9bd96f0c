#include "eval/run_fuse.h"

#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/json_text.h"
#include "core/output_check.h"
#include "eval/fusion_report.h"
#include "eval/score_file.h"
#include "eval/significance.h"
#include "eval/weight_search.h"

namespace actio::eval {
namespace {

const std::string& one_of(const std::vector<std::string>& values, std::size_t i, const char* flag, std::size_t files) {
  static const std::string kNone;
  if (values.empty()) return kNone;
  if (values.size() == 1) return values[0];
  if (values.size() != files) fail_usage("{}: {} files need one for all or one each, got {}", flag, files, values.size());
  return values[i];
}

std::vector<ScoreTable> read_tables(const std::vector<std::string>& files, const std::vector<std::string>& indices,
                                          const char* index_flag, const std::vector<std::string>& kinds) {
  std::vector<ScoreTable> tables;
  for (std::size_t i = 0; i < files.size(); ++i) {
    ScoreTable table = read_scores(files[i], one_of(indices, i, index_flag, files.size()));
    const std::string& said = one_of(kinds, i, "--kinds", files.size());
    if (!said.empty()) {
      const ScoreKind kind = score_kind_from_name(said);
      if (table.kind != ScoreKind::kUnknown && table.kind != kind) {
        fail_usage("{}: says that it holds {}, but --kinds says {}", files[i], score_kind_name(table.kind), said);
      }
      table.kind = kind;
      check_table(table);
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

std::vector<ScoreTable> prepared(std::vector<ScoreTable> tables, const FusionOptions& options) {
  tables = align(std::move(tables), options);
  for (ScoreTable& table : tables) table = normalised(table, options.normalise);
  return tables;
}

void settle_options(FuseRequest& a) {
  FusionOptions& fusion = a.options.fusion;
  if (a.raw && a.softmax) fail_usage("--raw and --softmax contradict each other");
  if ((a.raw || a.softmax) && a.normalise_chosen) {
    fail_usage("{} and --normalise contradict each other", a.raw ? "--raw" : "--softmax");
  }
  if (a.raw) fusion.normalise = Normalisation::kRaw;
  if (a.softmax) fusion.normalise = Normalisation::kSoftmax;
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

void check_fuse_files(const FuseRequest& a) {
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
    for (const std::string& file : score_sources_of(a.files[i], one_of(a.indices, i, "--index", a.files.size())))
      inputs.push_back(file);
  }
  if (!a.report.empty()) check_output(a.report, inputs);
  if (a.output.empty()) return;
  for (const std::string& file : score_files_of(a.output)) {
    check_output(file, inputs);
    if (is_same_file(file, a.report)) fail_usage("{}: is given for the scores and for the report", file);
  }
}

FoundWeights search(const FuseRequest& a, const std::vector<ScoreTable>& test) {
  std::vector<ScoreTable> tables = read_tables(a.search, a.search_indices, "--search-index", a.options.kinds);
  for (std::size_t i = 0; i < tables.size(); ++i) check_disjoint(tables[i], test[i], a.options.fusion.match);
  for (std::size_t i = 0; i < tables.size(); ++i) agree_on_classes(tables[i], test[i]);
  return search_weights(prepared(std::move(tables), a.options.fusion));
}

}  // namespace

Fields FuseOptions::fields() {
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

FuseOutcome run_fuse(FuseRequest a, const WarnFn& warn) {
  settle_options(a);
  check_fuse_files(a);
  std::vector<ScoreTable> tables = read_tables(a.files, a.indices, "--index", a.options.kinds);
  FusionSetup setup;
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
  for (const ScoreTable& table : tables) clips_of_files.push_back(table.clips());
  for (const std::string& line : softmax_warnings(tables, setup.fusion)) warn(line);
  tables = prepared(std::move(tables), setup.fusion);
  for (const std::string& line : a.compare ? std::vector<std::string>() : kind_warnings(tables)) warn(line);
  if (labelled_rows(tables[0]).clips() == 0 && a.output.empty())
    fail_usage("no class is known and no --output given: there is nothing to do");
  const ScoreTable fused = fuse(tables, setup.weights);
  const FusionReport report = report_of(setup, tables, fused, std::move(clips_of_files));
  const std::string json = json_text(to_json(setup, report), 2) + "\n";
  if (!a.report.empty()) write_file_atomically(a.report, json);
  if (!a.output.empty()) write_scores(a.output, fused);
  return {text_of(setup, report), json};
}

}  // namespace actio::eval
