#include "training/reproduce/reproduction.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/hooks.h"
#include "core/toml_text.h"
#include "data/group.h"
#include "data/list_file.h"
#include "eval/score_file.h"
#include "net/zoo.h"
#include "training/reproduce/command_text.h"
#include "training/fold_names.h"

namespace actio::training {
namespace {

namespace fs = std::filesystem;

constexpr data::ProtocolName kOwnProtocol = data::ProtocolName::kCentre;  // by which the trainer tests its models

void make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail("{}: cannot be made: {}", folder.string(), code.message());
}

std::vector<std::string> split_words(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::set<std::string> groups_of(const data::Dataset& dataset) {
  std::set<std::string> groups;
  for (const data::Item& item : dataset.items) groups.insert(item.group);
  return groups;
}

std::string hash_of(const std::string& text) { return content_hash(std::as_bytes(std::span(text))); }

constexpr const char* kOwnScores = "scores.csv";  // which it leaves: probabilities of the whole network's answer

std::string score_name(data::ProtocolName protocol, eval::Average average, const std::string& head) {
  const bool logits = average == eval::Average::kLogits;
  if (protocol == kOwnProtocol && !logits && head.empty()) return kOwnScores;
  return fmt::format("scores_{}{}{}{}.csv", name_of(protocol), logits ? "_logits" : "", head.empty() ? "" : "_", head);
}

// What was said of the model of other settings, or of other clips.
void remove_scores(const fs::path& fold) {
  std::error_code code, ignored;
  for (fs::directory_iterator file(fold, code), end; !code && file != end; file.increment(code)) {
    const std::string name = file->path().filename().string();
    if (name.starts_with("scores")) fs::remove(file->path(), ignored);
  }
}

constexpr const char* kUnfinished = "unfinished ";  // before the key of a training that was begun

// Folds that are trained or begun, with the key of what they depend on.
Json read_record(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return Json::object();
  const Json record = Json::parse(read_text_file(file), nullptr, false);
  const auto is_text = [](const Json& value) { return value.is_string(); };
  return record.is_object() && std::ranges::all_of(record, is_text) ? record : Json::object();
}

struct FirstWeights {
  std::string backbone;  // empty: any
  std::string file;
};

FirstWeights first_weights(const std::string& entry) {
  const std::size_t equals = entry.find('=');
  const std::vector<std::string> known = net::backbone_names();
  if (equals == std::string::npos || std::ranges::find(known, entry.substr(0, equals)) == known.end()) return {"", entry};
  return {entry.substr(0, equals), entry.substr(equals + 1)};
}

// What of a training, besides its configuration and clips, decides what is learned.
std::string settings_text(const RowTraining& work) {
  std::string text = fmt::format("--seed {}", work.seed);
  if (!work.init.empty()) text += fmt::format(" --init {}", fmt::join(work.init, ","));
  for (const Setting& option : work.data_options) text += fmt::format(" {} {}", flag_name(option.field), option.text);
  return text;
}

}  // namespace

struct Reproduction::Training {
  std::string folder;
  std::string config_text;
  RowTraining work;
  std::vector<std::string> folds;
  data::ProtocolName protocol = kOwnProtocol;  // of the row that it is trained for
  eval::Average average = eval::Average::kProbabilities;
  std::string flow_cache;  // for the model that comes out
  std::string key;         // of all that it depends on

  fs::path record() const { return fs::path(folder) / "done.json"; }
  std::string file(const std::string& fold, const std::string& name) const {
    return (fs::path(folder) / fold_folder(fold) / name).string();
  }
  std::string scores(const std::string& fold, const eval::PaperPart& part) const {
    return file(fold, score_name(protocol, average, part.head));
  }
};

Reproduction::Reproduction(ReproduceOptions options, Runner& runner, ReproduceHooks hooks)
    : options_(std::move(options)),
      runner_(runner),
      hooks_(std::move(hooks)),
      dataset_(data::load_dataset(options_.data, options_.dataset)) {
  if (!options_.dataset.fold.empty() || options_.dataset.test_share != 0) {
    fail_usage("reproduce divides the clips by itself; leave out --fold and --test-share, --folds names groups or splits");
  }
  official_ = data::is_official(dataset_.layout) && options_.dataset.group.empty();
  const std::set<std::string> groups = groups_of(dataset_);
  if (!official_ && groups.size() < 2) {
    fail_usage("{}: one group only; --group names the column that divides the clips", options_.data);
  }
  if (official_ && options_.dataset.split != 0) {
    fail_usage("--split {0}: reproduce chooses official splits by --folds {0}", options_.dataset.split);
  }
  for (const std::string& group : groups) {
    if (official_ || data::can_be_listed(group)) continue;
    fail_usage("{}: the group '{}' cannot be the value of an option", options_.data, data::shown(group));
  }
  std::vector<std::string> known = {"1", "2", "3"};
  if (!official_) known.assign(groups.begin(), groups.end());
  if (!options_.folds.empty() && options_.folds != "all") {
    std::set<std::string> seen;
    for (const std::string& fold : data::group_names_of(split_words(options_.folds), {known.begin(), known.end()})) {
      if (!seen.insert(fold).second) fail_usage("--folds: '{}' is given twice", fold);
      if (std::ranges::find(known, fold) != known.end()) continue;
      fail_usage("--folds: {}", unknown_name_text(official_ ? "split" : "group", fold, known));
    }
  }
  std::string text;
  for (const data::Item& item : dataset_.items) {
    std::error_code ignored;  // a video that was encoded anew is another one, as for the trainer
    text += fmt::format("{} {} {} {} {}\n", item.path, item.label, item.group, data::part_name(item.part), fs::file_size(item.path, ignored));
  }
  clips_hash_ = hash_of(text);
  for (const std::string& entry : options_.init) {
    const std::string file = first_weights(entry).file;
    init_hashes_[file] = content_hash_of_file(file);
  }
}

std::vector<std::string> Reproduction::folds_of(const eval::PaperTable& table) const {
  return options_.folds.empty() ? paper_folds(table) : named_folds(options_.folds);
}

std::vector<std::string> Reproduction::paper_folds(const eval::PaperTable& table) const {
  return named_folds(official_ ? table.splits : "all");
}

std::vector<std::string> Reproduction::named_folds(const std::string& folds) const {
  std::vector<std::string> names;
  if (folds == "all" && !official_) {
    for (const std::string& group : groups_of(dataset_)) names.push_back(group);
    return names;
  }
  if (!official_) return data::group_names_of(split_words(folds), groups_of(dataset_));
  for (const std::string& name : folds == "all" ? std::vector<std::string>{"1", "2", "3"} : split_words(folds)) {
    names.push_back("split" + name);
  }
  return names;
}

// Of the backbone that the first stage has.
std::vector<std::string> Reproduction::init_of(const Json& config) const {
  const Json named = effective(config, config.at("stage").at(0), "network", "backbone");
  const std::string backbone = named.is_string() ? named.get<std::string>() : std::string(name_of(net::NetworkOptions().backbone));
  std::vector<std::string> files;
  for (const std::string& entry : options_.init) {
    const FirstWeights weights = first_weights(entry);
    if (weights.backbone.empty() || weights.backbone == backbone) files.push_back(weights.file);
  }
  if (!options_.init.empty() && files.empty())
    fail_usage("--init names no first weights for {}: add {}=FILE", backbone, backbone);
  return files;
}

// As the trainer takes them.
std::string Reproduction::folds_flag(const std::vector<std::string>& folds) const {
  if (!official_ && (options_.folds.empty() || options_.folds == "all")) return "all";
  std::string text;
  for (const std::string& fold : folds) text += (text.empty() ? "" : ",") + (official_ ? fold.substr(5) : fold);
  return text;
}

Reproduction::Training Reproduction::training_of(const eval::PaperTable& table, const eval::PaperRow& row,
                                                 const eval::PaperPart& part, std::int64_t seed) const {
  Json config = changed_config(hooks_.config(part.config), options_.changes, table.keep);
  const std::vector<std::string> init = init_of(config);
  Training training;
  const fs::path output = options_.output;
  training.folder = (output / "runs" / fs::path(part.config).replace_extension() / fmt::format("seed{}", seed)).string();
  training.folds = folds_of(table);
  training.protocol = options_.protocol.value_or(row.protocol);
  training.average = row.average;
  training.work = {.data = options_.data,
                   .output = training.folder,
                   .config = (output / "configs" / part.config).string(),
                   .stage_cache = (output / "stages").string(),
                   .folds = folds_flag(training.folds),
                   .seed = seed,
                   .init = init,
                   .data_options = options_.data_options};
  std::string key = fmt::format("{}\n{}\n{}", toml_text(config), settings_text(training.work), clips_hash_);
  for (const std::string& file : init) key += " " + init_hashes_.at(file);
  training.key = hash_of(key);
  if (effective(config, config.at("stage").back(), "preprocess", "motion") == "flow")
    training.flow_cache = options_.flow_cache;
  set_flow_cache(config, options_.flow_cache);
  training.config_text = fmt::format("# configs/{} as `actio reproduce` changed it.\n\n{}", part.config, toml_text(config));
  return training;
}

bool Reproduction::is_trained(const Training& training) const {
  const Json record = read_record(training.record());
  return std::ranges::all_of(training.folds, [&](const std::string& fold) {
    std::error_code code;
    return record.value(fold, "") == training.key && fs::exists(training.file(fold, "model.actio"), code) &&
           fs::exists(training.file(fold, "scores.csv"), code);
  });
}

// Folds that the trainer may overwrite are nobody's result until it has ended.
Json Reproduction::begin(const Training& training) const {
  Json record = read_record(training.record());
  const std::string unfinished = kUnfinished + training.key;
  for (const std::string& fold : training.folds) {
    const std::string there = record.value(fold, "");
    if (there == training.key || there == unfinished) continue;
    remove_scores(fs::path(training.file(fold, "")));
    record[fold] = unfinished;
  }
  write_file_atomically(training.record(), record.dump(2) + "\n");
  return record;
}

void Reproduction::train(const Training& training) {
  const std::string attempt = command_text(training.work);
  if (const auto earlier = attempts_.find(attempt); earlier != attempts_.end()) {
    if (!earlier->second.empty()) fail("{}", earlier->second);
    return;
  }
  if (is_trained(training)) return;
  make_folder(fs::path(training.work.config).parent_path());
  write_file_atomically(training.work.config, training.config_text);
  attempts_[attempt] = "";
  if (options_.dry_run) {
    hooks_.command(attempt);
    return;
  }
  hooks_.note(attempt);
  make_folder(training.folder);
  Json record = begin(training);
  try {
    runner_.train(training.work);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInterrupted) attempts_[attempt] = error.what();
    throw;
  }
  for (const std::string& fold : training.folds) record[fold] = training.key;
  write_file_atomically(training.record(), record.dump(2) + "\n");
}

// By the paper's protocol, or of a head alone: what the trainer has not done.
void Reproduction::evaluate(const Training& training, const std::string& fold, const eval::PaperPart& part) {
  const RowEvaluation work = {.model = training.file(fold, "model.actio"),
                              .data = options_.data,
                              .data_options = options_.data_options,
                              .fold = official_ ? fold.substr(5) : fold,
                              .official = official_,
                              .protocol = training.protocol,
                              .average = training.average,
                              .head = part.head,
                              .flow_cache = training.flow_cache,
                              .scores = training.scores(fold, part)};
  std::error_code ignored;
  if (work.scores == training.file(fold, kOwnScores) || fs::exists(work.scores, ignored)) return;
  if (options_.dry_run) {
    if (attempts_.emplace(work.scores, "").second) hooks_.command(command_text(work));
    return;
  }
  hooks_.note(command_text(work));
  runner_.evaluate(work);
}

void Reproduction::obtain(const eval::PaperTable& table, const eval::PaperRow& row) {
  for (const std::int64_t seed : options_.seeds) {
    for (const eval::PaperPart& part : row.parts) {
      const Training training = training_of(table, row, part, seed);
      train(training);
      for (const std::string& fold : training.folds) evaluate(training, fold, part);
    }
  }
}

bool Reproduction::is_ready(const eval::PaperTable& table, const eval::PaperRow& row) const {
  for (const std::int64_t seed : options_.seeds) {
    for (const eval::PaperPart& part : row.parts) {
      const Training training = training_of(table, row, part, seed);
      if (!is_trained(training)) return false;
      for (const std::string& fold : training.folds) {
        std::error_code ignored;
        if (!fs::exists(training.scores(fold, part), ignored)) return false;
      }
    }
  }
  return true;
}

eval::RowFigures Reproduction::figures_of(const eval::PaperTable& table, const eval::PaperRow& row) const {
  std::vector<double> weights;
  for (const eval::PaperPart& part : row.parts) weights.push_back(part.weight);
  std::vector<eval::SeedFigures> seeds;
  for (const std::int64_t seed : options_.seeds) {
    std::vector<std::vector<eval::FoldScores>> models;
    for (const eval::PaperPart& part : row.parts) {
      const Training training = training_of(table, row, part, seed);
      auto& folds = models.emplace_back();
      for (const std::string& fold : training.folds) {
        folds.push_back({fold, eval::read_scores(training.scores(fold, part))});
      }
    }
    seeds.push_back(eval::measure_seed(seed, eval::fuse_folds(std::move(models), weights), official_));
  }
  return eval::summarise(std::move(seeds));
}

void Reproduction::report_row(const eval::PaperTable& table, bool chosen, eval::RowReport& row) {
  if (row.row.parts.empty()) return;
  try {
    if (chosen) {
      hooks_.note(fmt::format("{}: {}", table.name, row.row.label));
      obtain(table, row.row);
    }
    if (!options_.dry_run && (chosen || is_ready(table, row.row))) row.ours = figures_of(table, row.row);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    row.error = error.what();
    if (chosen) hooks_.note(fmt::format("{}: {}: failed: {}", table.name, row.row.label, row.error));
  }
}

eval::TableReport Reproduction::run(const eval::PaperTable& table, const std::vector<std::string>& labels,
                                    const std::function<void(const eval::TableReport&)>& saved) {
  eval::TableReport report = empty_report(table);
  for (const eval::PaperRow& row : table.rows) {
    report.rows.push_back({row, std::nullopt, ""});
    if (options_.protocol) report.rows.back().row.protocol = *options_.protocol;
  }
  const auto is_chosen = [&](const eval::RowReport& row) {
    return labels.empty() ||
           std::ranges::any_of(labels, [&](const std::string& label) { return eval::is_label_of(label, row.row); });
  };
  for (eval::RowReport& row : report.rows) {
    throw_if_stopped(hooks_.stop);
    report_row(table, is_chosen(row), row);
    if (saved) saved(report);
  }
  return report;
}

}  // namespace actio::training
