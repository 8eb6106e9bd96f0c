#include "training/run.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/output_check.h"
#include "data/flow_cache.h"
#include "eval/score_file.h"
#include "motion/flow_image.h"
#include "net/defaults.h"
#include "net/head_weights.h"
#include "net/model_file.h"
#include "training/epoch_log.h"
#include "training/first_weights.h"
#include "training/fit_heads.h"
#include "training/identity.h"
#include "training/state_file.h"

namespace actio::training {
namespace {

namespace fs = std::filesystem;

// Once the network's defaults are in place.
void check_flow(const TrainSpec& spec, bool is_stage) {
  if (spec.own) {
    if (spec.own->inputs.has(InputKind::kFlow) && !spec.cache.flow_cache.empty()) data::make_cache_folder(spec.cache.flow_cache);
    return;
  }
  const std::vector<Motion> motions = net::motions_of(spec.network, spec.preprocess);
  if (std::ranges::find(motions, Motion::kFlow) != motions.end()) {
    motion::flow_settings(spec.preprocess);
    if (!spec.cache.flow_cache.empty()) data::make_cache_folder(spec.cache.flow_cache);
  } else if (!spec.cache.flow_cache.empty() && !motions.empty() && !is_stage) {
    fail_usage("--flow-cache needs --motion flow; the motion is '{}'", name_of(motions.front()));
  }
}

bool is_finished(const std::string& path, const Json& config) { return finished_difference(path, config) == ""; }

class Run {
 public:
  Run(const TrainRun& run, TrainSpec spec, const data::Dataset& dataset, const data::Split& split, const TrainHooks& hooks)
      : run_(run), spec_(std::move(spec)), split_(split), hooks_(hooks), warnings_(hooks.warn) {
    spec_.network.classes = static_cast<std::int64_t>(dataset.classes.size());
    model_.classes = dataset.classes;
    if (const std::string text = initialise_model(run.init, run.partial, spec_, model_); !text.empty()) hooks_.tell(text);
    net::reset_foreign_options(spec_.network);
    check_flow(spec_, !run.name.empty());  // another stage may read flow
    model_.training = network_record(spec_);
    model_.training.update({{"data", data_record(spec_.dataset)},
                            {"train", train_record(spec_.train)},
                            {"clips", clips_record(split)},
                            {"init", init_text(run.init)},
                            {"init_content", init_record(run.init)},
                            {"ranks", run.team.size()},  // a batch is that of each
                            {"epochs", Json::array()}});
    learn_from_teacher();
    config_ = config_of(model_);
    output_ = run.output;
    if (run.cache_folder.empty()) return;
    cached_ = (fs::path(run.cache_folder) / fmt::format("{}-{}.actio", run.name, cache_key(config_, split))).string();
    if (run.only_in_cache) output_ = cached_;
  }

  TrainRunResult run() {
    agree();
    if (resumes() || run_.only_in_cache) {
      const auto difference = finished_difference(output_, config_);
      agree_on("the finished model", difference.value_or("none"));
      if (difference == "") return take_finished();
      if (difference && !replaces_other()) refuse_finished(output_, *difference);
      if (difference) hooks_.tell(fmt::format("{}: is replaced ({})", output_, *difference));
    }
    prepare_job();
    if (!cached_.empty() && cached_ != output_ && is_finished(cached_, config_)) return take_from_cache();
    prepare_output();
    hooks_.tell(fmt::format("{}: {} classes, {} clips to train on, {}{} to test on, input {} px, {} segments", model_.spec.name,
                          model_.classes.size(), split_.train.size(),
                          split_.validation.empty() ? "" : fmt::format("{} to choose by, ", split_.validation.size()),
                          split_.test.size(), model_.inputs.framing.size, model_.spec.segments));
    TrainResult result = train();
    if (result.interrupted) interrupted(result);
    fit_heads_of(result);
    TrainRunResult outcome{output_, table_of(result.test)};
    if (leads()) write(outcome, result.last_weights);
    wait_for_all();
    tell_of_unread(result);
    if (result.stopped_early) hooks_.tell(fmt::format("no better model for {} epochs: stopped early", spec_.train.early_stop));
    hooks_.tell(fmt::format("wrote {}", output_));
    return outcome;
  }

 private:
  // From clips that the network has not learned from, where that is asked for.
  void fit_heads_of(TrainResult& result) {
    if (spec_.train.fit_heads == HeadFit::kNone) return;
    if (net::fused_heads(model_.spec).empty()) {
      return warn(fmt::format("fit_heads: {} does not add up the scores of several heads, so there is nothing to fit", model_.spec.name));
    }
    const bool inner = spec_.train.fit_heads == HeadFit::kInner;
    Trainer& trainer = *run_.team.trainer;
    const Answers held_out = inner ? inner_answers(trainer, job_, model_.classes, run_.train_inner, hooks_)
                                   : answers_of(trainer, job_, model_, split_.validation);
    if (held_out.labels.empty()) return warn("fit_heads: there is no clip to fit the heads' weights on; they stay as they are");
    const eval::HeadFusion fusion = fit_heads(model_, held_out, inner ? split_.train : split_.validation);
    hooks_.tell(head_text(fusion, model_.spec));
    if (result.test) apply_head_weights(model_, *result.test);
    net::NetSpec same = model_.spec;
    if (!result.last_weights.empty()) net::set_head_weights(same, result.last_weights, fusion.factors);
  }

  void learn_from_teacher() {
    const TrainOptions& options = spec_.train;
    if (options.teacher.empty()) return;
    job_.teacher = teacher_answers(options.teacher, options.teacher_temperature, model_.classes, split_.train);
    std::string text;
    for (const auto& [path, row] : job_.teacher) text += fmt::format("{}\n", fmt::join(row, " "));
    model_.training["teacher_content"] = short_hash(text);
    std::size_t right = 0;
    for (const data::Item& item : split_.train) {
      const std::vector<float>& row = job_.teacher.at(item.path);
      right += model_.classes[static_cast<std::size_t>(std::ranges::max_element(row) - row.begin())] == item.label;
    }
    hooks_.tell(fmt::format("teacher: names {:.1f} % of the {} clips to learn from", 100.0 * static_cast<double>(right) / static_cast<double>(split_.train.size()),
                            split_.train.size()));
  }

  bool resumes() const { return run_.existing == Existing::kResume || replaces_other(); }
  bool replaces_other() const { return run_.existing == Existing::kReplaceChanged; }

  void warn(const std::string& message) const {
    if (hooks_.warn) hooks_.warn(message);
  }

  bool leads() const { return run_.team.leads(); }

  // No rank reads what rank 0 has not written yet.
  void wait_for_all() {
    if (run_.team.peers != nullptr) run_.team.peers->barrier();
  }

  void agree_on(const std::string& what, const std::string& text) {
    if (run_.team.peers != nullptr) run_.team.peers->require_same(what, text);
  }

  void tell_of_unread(const TrainResult& result) const {
    if (result.replaced_clips > 0) {
      warn(fmt::format("clips that could not be read: {}; others took their places", result.replaced_clips));
    }
    if (result.untested_clips > 0) {
      warn(fmt::format("clips to test on or to choose by that could not be read: {}; they are left out", result.untested_clips));
    }
  }

  void agree() {
    if (run_.team.peers == nullptr) return;
    run_.team.peers->require_same("the configuration", config_.dump());
    std::string clips;
    for (const auto* part : {&split_.train, &split_.validation, &split_.test}) {
      for (const data::Item& item : *part) clips += fmt::format("{} {}\n", item.path, item.label);
    }
    run_.team.peers->require_same("the list of clips", clips);
  }

  // "model.actio" and, where a later epoch was not better, "model.last.actio".
  void write(const TrainRunResult& outcome, const TensorMap& last_weights) {
    if (!run_.scores.empty() && outcome.test) eval::write_scores(run_.scores, *outcome.test);
    model_.training["finished"] = true;
    std::error_code ignored;
    const fs::path last_path = fs::path(output_).replace_extension(".last.actio");
    if (!last_weights.empty() && !run_.only_in_cache) {
      net::Model last = model_;
      last.weights = last_weights;
      net::write_model(last_path, last);
    } else {
      fs::remove(last_path, ignored);  // an earlier training's
    }
    net::write_model(output_, model_);  // last of all: it says that all is done
    if (!cached_.empty() && cached_ != output_) share(output_, cached_);
    fs::remove(state_path(output_), ignored);
  }

  // As rank 0 sees it: clips may lie on each machine.
  bool all_have_scores() {
    const bool here = has_scores();
    return run_.team.peers == nullptr ? here : run_.team.peers->all_gather(here ? "1" : "0").front() == "1";
  }

  // Of these clips as they are now.
  bool has_scores() const {
    std::error_code missing;
    if (run_.scores.empty() || split_.test.empty()) return true;
    const auto written = fs::last_write_time(run_.scores, missing);
    if (missing) return false;
    const auto now = fs::file_time_type::clock::now();  // a clip of a time to come is always newer, and tells nothing
    std::set<std::pair<std::string, std::string>> test, tested;  // path, class
    for (const data::Item& item : split_.test) {
      test.emplace(item.path, item.label);
      const auto time = fs::last_write_time(item.path, missing);
      if (!missing && time > written && time <= now) return false;
    }
    try {
      const eval::ScoreTable there = eval::read_scores(run_.scores);
      const std::vector<std::string>& classes = there.classes.empty() ? model_.classes : there.classes;  // arrays name none
      for (std::size_t i = 0; i < there.paths.size(); ++i) {
        const std::int64_t label = there.labels[i];
        const bool is_known = label >= 0 && label < static_cast<std::int64_t>(classes.size());
        tested.emplace(there.paths[i], is_known ? classes[static_cast<std::size_t>(label)] : "");
      }
      return test == tested;
    } catch (const Error&) {
      return false;
    }
  }

  TrainRunResult take_finished() {
    hooks_.tell(fmt::format("{}: is trained already", output_));
    std::error_code ignored;
    if (leads()) fs::remove(state_path(output_), ignored);
    if (all_have_scores()) return {output_, std::nullopt};
    prepare_job();
    model_ = net::read_model(output_);
    TrainRunResult outcome{output_, test_again()};
    wait_for_all();
    return outcome;
  }

  // With a model from a file.
  std::optional<eval::ScoreTable> test_again() {
    auto table = table_of(run_.team.trainer->answers_to_test(job_, model_.weights));
    throw_if_stopped(hooks_.stop);
    if (leads() && !run_.scores.empty() && table) eval::write_scores(run_.scores, *table);
    return table;
  }

  // By rank 0.
  void remove_state_of_another(const std::string& state) const {
    std::error_code ignored;
    if (!replaces_other() || !fs::exists(state, ignored)) return;
    const std::string difference = state_difference(state, config_);
    if (difference.empty()) return;
    if (hooks_.note) hooks_.note(fmt::format("{}: cannot be gone on with ({}); begins anew", state, difference));
    fs::remove(state, ignored);
  }

  void prepare_output() {
    const fs::path folder = fs::path(output_).parent_path();
    std::error_code ignored;
    if (!run_.name.empty() && !folder.empty()) fs::create_directories(folder, ignored);
    if (leads()) check_output(output_, run_.init);
    const std::string state = state_path(output_);
    if (leads() && run_.existing == Existing::kRestart) fs::remove(state, ignored);
    if (leads()) remove_state_of_another(state);
    wait_for_all();
    if (fs::exists(state, ignored)) {
      if (!resumes() && !run_.only_in_cache) {
        fail_usage("{}: is the state of a training that did not end; --resume continues it, --restart begins anew", state);
      } else {
        job_.resume = read_state(state, config_);
        const auto& done = job_.resume->progress.at("epochs");
        hooks_.tell(fmt::format("{}: going on after epoch {} of {}", state, done.size(), spec_.train.epochs));
        for (const Json& record : done) model_.training["epochs"].push_back(lasting_record(record));
      }
    }
    agree_on("the state to go on from, which all must see,", job_.resume ? short_hash(job_.resume->progress.dump()) : "none");
    wait_for_all();  // rank 0 may write a new state soon
    if (leads()) check_writable(state);
  }

  TrainResult train() {
    TrainLog log(leads() ? run_.log : "", leads() ? run_.tensorboard : "", job_.resume ? job_.resume->progress.at("steps").get<std::int64_t>() : 0, config_);
    job_.on_step = [&](std::int64_t step, double loss, double rate) { log.step(step, loss, rate); };
    job_.on_epoch = [&](const EpochRecord& record, const TensorMap&) {
      hooks_.tell(record_text(record, spec_.train.epochs));
      model_.training["epochs"].push_back(lasting_record(record_json(record)));
      log.epoch(record);
      if (hooks_.epoch) hooks_.epoch(record);
    };
    job_.on_state = [&](const TrainState& state, const TensorMap& weights) {
      log.flush();  // steps before the state are not repeated
      save(state, weights);
    };
    log.on_warning(job_.warn);
    return run_.team.trainer->train(job_, model_.weights);
  }

  void prepare_job() {
    job_.spec = model_.spec;
    job_.inputs = model_.inputs;
    job_.train = split_.train;
    job_.validation = split_.validation;
    job_.test = split_.test;
    job_.options = spec_.train;
    job_.flow_cache = model_.inputs.has(InputKind::kFlow) ? spec_.cache.flow_cache : "";
    job_.limits = spec_.read;
    job_.progress = hooks_.progress;
    job_.warn = [this](const std::string& message) { warnings_.add(message); };
    job_.stop = hooks_.stop;
  }

  // Another training had this stage, too.
  TrainRunResult take_from_cache() {
    hooks_.tell(fmt::format("{}: is trained already", cached_));
    model_ = net::read_model(cached_);
    TrainRunResult outcome{output_, test_again()};
    std::error_code ignored;
    if (leads()) {
      share(cached_, output_);
      fs::remove(state_path(output_), ignored);  // another training's
    }
    wait_for_all();
    hooks_.tell(fmt::format("wrote {}", output_));
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
  void save(const TrainState& state, const TensorMap& weights) {
    try {
      net::Model snapshot = model_;
      snapshot.weights = weights;
      write_state(state_path(output_), state, config_);
      net::write_model(output_, snapshot);
    } catch (const Error& error) {
      if (hooks_.stop.stop_requested()) throw;
      warnings_.add(fmt::format("{}; training goes on, what was saved before is still there", error.what()));
    }
  }

  [[noreturn]] void interrupted(const TrainResult& result) const {
    if (result.steps == 0) fail(ErrorCode::kInterrupted, "interrupted before the first step; {} is not written", output_);
    fail(ErrorCode::kInterrupted, "interrupted after {} epochs; {} holds what was learned, --resume goes on", result.epochs.size(),
         output_);
  }

  std::optional<eval::ScoreTable> table_of(const std::optional<Answers>& answers) const {
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
  TrainSpec spec_;
  const data::Split& split_;
  const TrainHooks& hooks_;
  FewWarnings warnings_;  // of clips, and of saving
  net::Model model_;
  Json config_;
  std::string output_, cached_;
  TrainJob job_;
};

}  // namespace

TrainRunResult run_training(const TrainRun& run, TrainSpec spec, const data::Dataset& dataset, const data::Split& split,
                            const TrainHooks& hooks) {
  return Run(run, std::move(spec), dataset, split, hooks).run();
}

void refuse_others_output(const TrainRun& run, const TrainSpec& spec, const data::Split& split) {
  std::error_code ignored;
  const std::string state = state_path(run.output);
  if (run.existing != Existing::kResume || run.only_in_cache) return;
  if (!fs::exists(run.output, ignored) && !fs::exists(state, ignored)) return;
  Json known = chosen_record(spec);
  known.update({{"train", train_record(spec.train)},
                {"data", data_record(spec.dataset)},
                {"clips", clips_record(split)},
                {"ranks", run.team.size()}});
  if (run.name.empty()) known.update({{"init", init_text(run.init)}, {"init_content", init_record(run.init)}});
  const std::optional<std::string> difference = finished_difference(run.output, known);
  if (difference && !difference->empty()) refuse_finished(run.output, *difference);
  if (!difference && fs::exists(state, ignored)) read_state(state, known);
}

}  // namespace actio::training
