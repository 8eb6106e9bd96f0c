#include "cli/train_run.h"

#include <cstdio>
#include <filesystem>

#include "cli/first_weights.h"
#include "cli/interrupt.h"
#include "cli/json_text.h"
#include "cli/output_check.h"
#include "cli/terminal_progress.h"
#include "cli/train_log.h"
#include "core/error.h"
#include "core/file.h"
#include "data/utf8.h"
#include "eval/score_file.h"
#include "motion/flow_image.h"
#include "net/model_file.h"
#include "torch/distributed/group.h"
#include "torch/state_file.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;

// What divided the data, without the folders of this machine.
Json data_record(data::DatasetOptions options) {
  for (std::string* path : {&options.root, &options.annotations, &options.test_list, &options.class_names}) {
    const std::filesystem::path whole = std::filesystem::path(*path).lexically_normal();
    const std::string name = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
    *path = data::is_utf8(name) ? name : data::escaped(name);
  }
  return fields_to_json(options.fields());
}

// Once the network's defaults are in place.
void check_flow(const TrainTables& tables, bool is_stage) {
  if (tables.preprocess.motion == "flow") {
    motion::flow_settings(tables.preprocess);
    if (!tables.cache.flow_cache.empty()) data::make_cache_folder(tables.cache.flow_cache);
  } else if (!tables.cache.flow_cache.empty() && tables.preprocess.motion != "none" && !is_stage) {
    fail_usage("--flow-cache needs --motion flow; the motion is '{}'", tables.preprocess.motion);
  }
}

std::string init_text(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += (text.empty() ? "" : ",") + fs::path(file).filename().string();
  return text;
}

// Of the clips and first weights, by which a model of the cache is found again.
std::string cache_key(const Json& config, const TrainRun& run, const data::Split& split) {
  std::string text = config.dump();
  for (const std::string& file : run.init) text += content_hash_of_file(file);
  for (const auto* part : {&split.train, &split.validation}) {
    for (const data::Item& item : *part) text += fmt::format("{} {}\n", item.path, item.label);
    text += "\n";
  }
  return content_hash(std::as_bytes(std::span(text))).substr(0, 16);
}

std::string state_path(const std::string& model) { return model + ".state"; }

Json config_of(const net::Model& model) {
  Json config = model.training;
  config.erase("epochs");
  config.erase("finished");
  return config;
}

// Whether `path` is the finished model of this configuration already.
bool is_finished(const std::string& path, const Json& config) {
  std::error_code ignored;
  if (!fs::exists(path, ignored) || !net::is_model_file(path)) return false;
  const net::Model model = net::read_model(path);
  if (!model.training.contains("finished")) return false;
  return torch_train::config_difference(config_of(model), config).empty();
}

class Run {
 public:
  Run(const TrainRun& run, const OptionFlags& flags, TrainTables tables, const data::Dataset& dataset, const data::Split& split)
      : run_(run), tables_(std::move(tables)), split_(split) {
    tables_.network.classes = static_cast<std::int64_t>(dataset.classes.size());
    model_.classes = dataset.classes;
    initialise_model(run.init, run.partial, flags, tables_, model_);
    check_flow(tables_, !run.name.empty());  // another stage may read flow
    model_.training = {{"network", fields_to_json(tables_.network.fields())},
                       {"preprocess", fields_to_json(tables_.preprocess.fields())},
                       {"data", data_record(tables_.dataset)},
                       {"train", fields_to_json(tables_.train.fields())},
                       {"init", init_text(run.init)},
                       {"epochs", Json::array()}};
    config_ = config_of(model_);
    output_ = run.output;
    if (run.cache_folder.empty()) return;
    cached_ = (fs::path(run.cache_folder) / fmt::format("{}-{}.actio", run.name, cache_key(config_, run, split))).string();
    if (run.only_in_cache) output_ = cached_;
  }

  TrainRunResult run() {
    agree();
    if ((run_.resume || run_.only_in_cache) && is_finished(output_, config_) && has_scores()) {
      std::puts(fmt::format("{}: is trained already", output_).c_str());
      return {output_, std::nullopt};
    }
    prepare_job();
    if (!cached_.empty() && cached_ != output_ && is_finished(cached_, config_)) return take_from_cache();
    prepare_output();
    std::puts(fmt::format("{}: {} classes, {} clips to train on, {}{} to test on, input {} px, {} segments", model_.spec.name,
                          model_.classes.size(), split_.train.size(),
                          split_.validation.empty() ? "" : fmt::format("{} to choose by, ", split_.validation.size()),
                          split_.test.size(), tables_.preprocess.input_size, model_.spec.segments)
                  .c_str());
    std::fflush(stdout);
    const torch_train::TrainResult result = train();
    progress_.clear();
    if (result.interrupted) interrupted(result);
    TrainRunResult outcome{output_, table_of(result.test)};
    if (leads()) write(outcome, result.last_weights);
    wait_for_all();
    if (result.skipped_clips > 0) {
      print_warning(fmt::format("clips that could not be read: {}; others took their places", result.skipped_clips));
    }
    if (result.stopped_early) std::puts(fmt::format("no better model for {} epochs: stopped early", tables_.train.early_stop).c_str());
    std::puts(fmt::format("wrote {}", output_).c_str());
    return outcome;
  }

 private:
  bool leads() const { return run_.group == nullptr || run_.group->rank() == 0; }

  // No rank reads what rank 0 has not written yet.
  void wait_for_all() {
    if (run_.group != nullptr) run_.group->barrier();
  }

  void agree() {
    if (run_.group == nullptr) return;
    run_.group->require_same("the configuration", config_.dump());
    std::string clips;
    for (const auto* part : {&split_.train, &split_.validation, &split_.test}) {
      for (const data::Item& item : *part) clips += fmt::format("{} {}\n", item.path, item.label);
    }
    run_.group->require_same("the list of clips", clips);
  }

  // "model.actio" and, where a later epoch was not better, "model.last.actio".
  void write(const TrainRunResult& outcome, const TensorMap& last_weights) {
    if (!run_.scores.empty() && outcome.test) eval::write_scores(run_.scores, *outcome.test);
    model_.training["finished"] = true;
    net::write_model(output_, model_);
    if (!last_weights.empty() && !run_.only_in_cache) {
      net::Model last = model_;
      last.weights = last_weights;
      net::write_model(fs::path(output_).replace_extension(".last.actio"), last);
    }
    if (!cached_.empty() && cached_ != output_) share(output_, cached_);
    std::error_code ignored;
    fs::remove(state_path(output_), ignored);
  }

  bool has_scores() const {
    std::error_code ignored;
    return run_.scores.empty() || split_.test.empty() || fs::exists(run_.scores, ignored);
  }

  void prepare_output() {
    const fs::path folder = fs::path(output_).parent_path();
    std::error_code ignored;
    if (!run_.name.empty() && !folder.empty()) fs::create_directories(folder, ignored);
    if (leads()) check_output(output_, run_.init);
    const std::string state = state_path(output_);
    if (run_.restart && leads()) fs::remove(state, ignored);
    wait_for_all();
    if (fs::exists(state, ignored)) {
      if (!run_.resume && !run_.only_in_cache) {
        fail_usage("{}: is the state of a training that did not end; --resume continues it, --restart begins anew", state);
      } else {
        job_.resume = torch_train::read_state(state, config_);
        const auto& done = job_.resume->progress.at("epochs");
        std::puts(fmt::format("{}: going on after epoch {} of {}", state, done.size(), tables_.train.epochs).c_str());
        for (const Json& record : done) model_.training["epochs"].push_back(lasting_record(record));
      }
    }
    wait_for_all();  // rank 0 may write a new state soon
    if (leads()) check_writable(state);
  }

  torch_train::TrainResult train() {
    TrainLog log(leads() ? run_.log : "", leads() ? run_.tensorboard : "", job_.resume ? job_.resume->progress.at("steps").get<std::int64_t>() : 0, config_);
    job_.on_step = [&](std::int64_t step, double loss, double rate) { log.step(step, loss, rate); };
    job_.on_epoch = [&](const torch_train::EpochRecord& record, const TensorMap&) {
      progress_.clear();
      std::puts(record_text(record, tables_.train.epochs).c_str());
      std::fflush(stdout);
      model_.training["epochs"].push_back(lasting_record(record_json(record)));
      log.epoch(record);
    };
    job_.on_state = [&](const torch_train::TrainState& state, const TensorMap& weights) { save(state, weights); };
    log.on_warning(job_.warn);
    return torch_train::train(job_, model_.weights);
  }

  void prepare_job() {
    job_.spec = model_.spec;
    job_.preprocess = tables_.preprocess;
    job_.train = split_.train;
    job_.validation = split_.validation;
    job_.test = split_.test;
    job_.options = tables_.train;
    job_.flow_cache = tables_.preprocess.motion == "flow" ? tables_.cache.flow_cache : "";
    job_.progress = progress_.fn();
    job_.warn = [&](const std::string& message) {
      progress_.clear();
      warnings_.print(message);
    };
    job_.stop = interrupt_token();
    job_.group = run_.group;
  }

  // Another training had this stage, too.
  TrainRunResult take_from_cache() {
    std::puts(fmt::format("{}: is trained already", cached_).c_str());
    model_ = net::read_model(cached_);
    const auto answers = torch_train::answers_to_test(job_, model_.weights);
    throw_if_interrupted();
    TrainRunResult outcome{output_, table_of(answers)};
    if (leads()) {
      if (!run_.scores.empty() && outcome.test) eval::write_scores(run_.scores, *outcome.test);
      share(cached_, output_);
    }
    wait_for_all();
    std::puts(fmt::format("wrote {}", output_).c_str());
    return outcome;
  }

  // One file under two names where the file system can.
  void share(const std::string& from, const std::string& to) {
    std::error_code code;
    fs::create_directories(fs::path(to).parent_path(), code);
    fs::remove(to, code);
    fs::create_hard_link(from, to, code);
    if (code) net::write_model(to, model_);
  }

  // A disk that is full now may not be so in an hour; what was saved before stays.
  void save(const torch_train::TrainState& state, const TensorMap& weights) {
    try {
      net::Model snapshot = model_;
      snapshot.weights = weights;
      torch_train::write_state(state_path(output_), state, config_);
      net::write_model(output_, snapshot);
    } catch (const Error& error) {
      if (interrupt_token().stop_requested()) throw;
      job_.warn(fmt::format("{}; training goes on, what was saved before is still there", error.what()));
    }
  }

  [[noreturn]] void interrupted(const torch_train::TrainResult& result) const {
    if (result.steps == 0) fail(ErrorCode::kInterrupted, "interrupted before the first step; {} is not written", output_);
    fail(ErrorCode::kInterrupted, "interrupted after {} epochs; {} holds what was learned, --resume goes on", result.epochs.size(),
         output_);
  }

  std::optional<eval::ScoreTable> table_of(const std::optional<torch_train::Answers>& answers) const {
    if (!answers) return std::nullopt;
    eval::ScoreTable table;
    table.source = output_;
    table.paths = answers->paths;
    table.labels = answers->labels;
    table.classes = model_.classes;
    table.scores = answers->probabilities;
    table.kind = eval::ScoreKind::kProbabilities;
    return table;
  }

  const TrainRun& run_;
  TrainTables tables_;
  const data::Split& split_;
  net::Model model_;
  Json config_;
  std::string output_, cached_;
  TerminalProgress progress_;
  WarningPrinter warnings_;
  torch_train::TrainJob job_;
};

}  // namespace

TrainRunResult run_training(const TrainRun& run, const OptionFlags& flags, TrainTables tables, const data::Dataset& dataset,
                            const data::Split& split) {
  return Run(run, flags, std::move(tables), dataset, split).run();
}

}  // namespace actio::cli
