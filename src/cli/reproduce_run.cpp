#include "cli/reproduce_run.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <set>

#include "cli/child_process.h"
#include "cli/embedded_configs.h"
#include "cli/fold_names.h"
#include "cli/interrupt.h"
#include "cli/trainer_program.h"
#include "core/error.h"
#include "core/file.h"
#include "core/toml_text.h"
#include "data/list_file.h"
#include "eval/score_file.h"
#include "net/zoo.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOwnProtocol = "centre";  // by which the trainer tests its models

void say(const std::string& text) { std::fputs((text + "\n").c_str(), stderr); }

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

// As a shell takes it.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain = "-_./=,:+@";
  const auto is_plain = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.find(c) != kPlain.npos;
  };
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

std::string command_text(const std::vector<std::string>& words) {
  std::string text = "actio";
  for (const std::string& word : words) text += " " + quoted(word);
  return text;
}

std::string this_program() {
  std::error_code code;
  const fs::path path = fs::read_symlink("/proc/self/exe", code);
  if (code) fail("/proc/self/exe: {}", code.message());
  return path.string();
}

std::set<std::string> groups_of(const data::Dataset& dataset) {
  std::set<std::string> groups;
  for (const data::Item& item : dataset.items) groups.insert(item.group);
  return groups;
}

std::string hash_of(const std::string& text) { return content_hash(std::as_bytes(std::span(text))); }

Json config_of(const std::string& name) {
  for (const EmbeddedConfig& config : embedded_configs()) {
    if (config.path == name) return parse_toml(config.text, "configs/" + name);
  }
  fail("configs/{}: is not part of this program", name);
}

std::string score_name(const std::string& protocol, const std::string& head) {
  if (protocol == kOwnProtocol && head.empty()) return "scores.csv";
  return fmt::format("scores_{}{}{}.csv", protocol, head.empty() ? "" : "_", head);
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

}  // namespace

struct Reproduction::Training {
  std::string folder;
  std::string config_file, config_text;
  std::vector<std::string> words;  // "train", and what follows
  std::vector<std::string> folds;
  std::string protocol;
  std::string flow_cache;  // for the model that comes out
  std::string key;         // of all that it depends on

  fs::path record() const { return fs::path(folder) / "done.json"; }
  std::string file(const std::string& fold, const std::string& name) const {
    return (fs::path(folder) / fold_folder(fold) / name).string();
  }
};

Reproduction::Reproduction(ReproduceOptions options)
    : options_(std::move(options)), dataset_(data::load_dataset(options_.data, options_.dataset)) {
  if (!options_.dataset.fold.empty() || options_.dataset.test_share != 0) {
    fail_usage("reproduce divides the clips by itself; leave out --fold and --test-share, --folds names groups or splits");
  }
  official_ = (dataset_.layout == "ucf101" || dataset_.layout == "hmdb51") && options_.dataset.group.empty();
  const std::set<std::string> groups = groups_of(dataset_);
  if (!official_ && groups.size() < 2) {
    fail_usage("{}: one group only; --group names the column that divides the clips", options_.data);
  }
  if (official_ && options_.dataset.split != 0) {
    fail_usage("--split {0}: reproduce chooses official splits by --folds {0}", options_.dataset.split);
  }
  for (const std::string& group : groups) {
    const bool has_name = !group.empty() && group.find(',') == std::string::npos;
    if (!official_ && !has_name) fail_usage("{}: the group '{}' cannot be the value of an option", options_.data, data::shown(group));
  }
  std::vector<std::string> known = {"1", "2", "3"};
  if (!official_) known.assign(groups.begin(), groups.end());
  if (!options_.folds.empty() && options_.folds != "all") {
    std::set<std::string> seen;
    for (const std::string& fold : split_words(options_.folds)) {
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
  for (const std::string& name : folds == "all" ? std::vector<std::string>{"1", "2", "3"} : split_words(folds)) {
    names.push_back(official_ ? "split" + name : name);
  }
  return names;
}

// Of the backbone that the first stage has.
std::vector<std::string> Reproduction::init_of(const Json& config) const {
  const Json named = effective(config, config.at("stage").at(0), "network", "backbone");
  const std::string backbone = named.is_string() ? named.get<std::string>() : net::NetworkOptions().backbone;
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

Reproduction::Training Reproduction::training_of(const eval::PaperTable& table, const eval::PaperPart& part,
                                                 std::int64_t seed) const {
  Json config = changed_config(config_of(part.config), options_.changes, table.keep);
  const std::vector<std::string> init = init_of(config);
  Training training;
  const fs::path output = options_.output;
  training.folder = (output / "runs" / fs::path(part.config).replace_extension() / fmt::format("seed{}", seed)).string();
  training.config_file = (output / "configs" / part.config).string();
  training.folds = folds_of(table);
  training.protocol = options_.protocol.empty() ? table.protocol : options_.protocol;
  std::vector<std::string> settings = {"--seed", fmt::format("{}", seed)};
  if (!init.empty()) settings.insert(settings.end(), {"--init", fmt::format("{}", fmt::join(init, ","))});
  settings.insert(settings.end(), options_.data_flags.begin(), options_.data_flags.end());
  training.words = {"train",
                    options_.data,
                    "-o",
                    training.folder,
                    "--config",
                    training.config_file,
                    "--stage-cache",
                    (output / "stages").string(),
                    "--folds",
                    folds_flag(training.folds),
                    "--restart-changed"};
  training.words.insert(training.words.end(), settings.begin(), settings.end());
  std::string key = fmt::format("{}\n{}\n{}", toml_text(config), fmt::join(settings, " "), clips_hash_);
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
  const std::string attempt = command_text(training.words);
  if (const auto earlier = attempts_.find(attempt); earlier != attempts_.end()) {
    if (!earlier->second.empty()) fail("{}", earlier->second);
    return;
  }
  if (is_trained(training)) return;
  make_folder(fs::path(training.config_file).parent_path());
  write_file_atomically(training.config_file, training.config_text);
  attempts_[attempt] = "";
  if (options_.dry_run) {
    std::puts(attempt.c_str());
    return;
  }
  say(attempt);
  make_folder(training.folder);
  Json record = begin(training);
  const ChildEnd end = run_child(trainer_command_line({training.words.begin() + 1, training.words.end()}));
  if (end.exit_code != 0) {
    attempts_[attempt] = end.error.empty() ? fmt::format("training failed with exit code {}", end.exit_code) : end.error;
    fail("{}", attempts_[attempt]);
  }
  for (const std::string& fold : training.folds) record[fold] = training.key;
  write_file_atomically(training.record(), record.dump(2) + "\n");
}

// By the paper's protocol, or of a head alone: what the trainer has not done.
void Reproduction::evaluate(const Training& training, const std::string& fold, const eval::PaperPart& part) {
  if (training.protocol == kOwnProtocol && part.head.empty()) return;
  const std::string scores = training.file(fold, score_name(training.protocol, part.head));
  std::error_code ignored;
  if (fs::exists(scores, ignored)) return;
  std::vector<std::string> words = {"evaluate", training.file(fold, "model.actio"), options_.data};
  words.insert(words.end(), options_.data_flags.begin(), options_.data_flags.end());
  const auto add = [&](const char* flag, const std::string& value) { words.insert(words.end(), {flag, value}); };
  if (official_)
    add("--split", fold.substr(5));
  else
    add("--fold", fold);
  add("--protocol", training.protocol);
  if (!part.head.empty()) add("--head", part.head);
  if (!training.flow_cache.empty()) add("--flow-cache", training.flow_cache);
  add("--scores", scores);
  if (options_.dry_run) {
    if (attempts_.emplace(scores, "").second) std::puts(command_text(words).c_str());
    return;
  }
  say(command_text(words));
  std::vector<std::string> command_line = words;
  command_line.insert(command_line.begin(), this_program());
  const ChildEnd end = run_child(command_line);
  // Clips that cannot be read are counted, and are no failure.
  if (end.exit_code == 0 || fs::exists(scores, ignored)) return;
  fail("{}", end.error.empty() ? fmt::format("evaluation failed with exit code {}", end.exit_code) : end.error);
}

void Reproduction::obtain(const eval::PaperTable& table, const eval::PaperRow& row) {
  for (const std::int64_t seed : options_.seeds) {
    for (const eval::PaperPart& part : row.parts) {
      const Training training = training_of(table, part, seed);
      train(training);
      for (const std::string& fold : training.folds) evaluate(training, fold, part);
    }
  }
}

bool Reproduction::is_ready(const eval::PaperTable& table, const eval::PaperRow& row) const {
  for (const std::int64_t seed : options_.seeds) {
    for (const eval::PaperPart& part : row.parts) {
      const Training training = training_of(table, part, seed);
      if (!is_trained(training)) return false;
      for (const std::string& fold : training.folds) {
        std::error_code ignored;
        if (!fs::exists(training.file(fold, score_name(training.protocol, part.head)), ignored)) return false;
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
      const Training training = training_of(table, part, seed);
      auto& folds = models.emplace_back();
      for (const std::string& fold : training.folds) {
        folds.push_back({fold, eval::read_scores(training.file(fold, score_name(training.protocol, part.head)))});
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
      say(fmt::format("{}: {}", table.name, row.row.label));
      obtain(table, row.row);
    }
    if (!options_.dry_run && (chosen || is_ready(table, row.row))) row.ours = figures_of(table, row.row);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInterrupted) throw;
    row.error = error.what();
    if (chosen) say(fmt::format("{}: {}: failed: {}", table.name, row.row.label, row.error));
  }
}

eval::TableReport Reproduction::run(const eval::PaperTable& table, const std::vector<std::string>& labels,
                                    const std::function<void(const eval::TableReport&)>& saved) {
  eval::TableReport report = empty_report(table);
  for (const eval::PaperRow& row : table.rows) report.rows.push_back({row, std::nullopt, ""});
  const auto is_chosen = [&](const eval::RowReport& row) {
    return labels.empty() ||
           std::ranges::any_of(labels, [&](const std::string& label) { return eval::is_label_of(label, row.row); });
  };
  for (eval::RowReport& row : report.rows) {
    throw_if_interrupted();
    report_row(table, is_chosen(row), row);
    if (saved) saved(report);
  }
  return report;
}

}  // namespace actio::cli
