#include "training/identity.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "data/utf8.h"
#include "training/state_file.h"

namespace actio::training {
namespace {

namespace fs = std::filesystem;

// A video that was mended or encoded anew is another one.
std::uintmax_t size_of(const std::string& path) {
  std::error_code code;
  const std::uintmax_t size = fs::file_size(path, code);
  return code ? 0 : size;
}

// Of what is learned from; `root` is left out of the paths.
std::string clip_list(const data::Split& split, const std::string& root) {
  std::string text;
  for (const auto* part : {&split.train, &split.validation}) {
    for (const data::Item& item : *part) text += fmt::format("{} {} {}\n", item.path.substr(root.size()), item.label, size_of(item.path));
    text += "\n";
  }
  return text;
}

// The folders that all clips have in common, which may be elsewhere when training goes on.
std::string common_root(const data::Split& split) {
  std::optional<std::string> root;
  for (const auto* part : {&split.train, &split.validation}) {
    for (const data::Item& item : *part) {
      if (!root) root = item.path;
      const auto [here, there] = std::mismatch(root->begin(), root->end(), item.path.begin(), item.path.end());
      root->erase(here, root->end());
    }
  }
  return root ? root->substr(0, root->rfind('/') + 1) : "";
}

// What the user chose of these; the rest may follow from the first weights.
Json chosen(const std::string& table, const Fields& fields, const Chosen& chosen_ones) {
  Json json = Json::object();
  const Json all = fields_to_json(fields);
  for (const auto& [name, value] : all.items()) {
    if (chosen_ones.has_name(table + "." + name)) json[name] = value;
  }
  return json;
}

// Of a network of one's own: what it is, whichever way it was made.
Json own_record(const OwnNetwork& own) {
  return {{"own_network", {{"name", own.spec.name}, {"hash", short_hash(net::to_json(own.spec).dump() + to_json(own.inputs).dump())}}}};
}

}  // namespace

Json network_record(TrainSpec& spec) {
  if (spec.own) return own_record(*spec.own);
  return {{"network", fields_to_json(spec.network.fields())}, {"preprocess", fields_to_json(spec.preprocess.fields())}};
}

Json chosen_record(const TrainSpec& spec) {
  if (spec.own) return own_record(*spec.own);
  net::NetworkOptions network = spec.network;
  net::reset_foreign_options(network);
  Preprocess preprocess = spec.preprocess;
  return {{"network", chosen("network", network.fields(), spec.chosen)}, {"preprocess", chosen("preprocess", preprocess.fields(), spec.chosen)}};
}

Json train_record(TrainOptions options) {
  options.teacher = init_text(options.teacher.empty() ? std::vector<std::string>{} : std::vector{options.teacher});
  return fields_to_json(options.fields());
}

Json data_record(data::DatasetOptions options) {
  for (std::string* path : {&options.root, &options.annotations, &options.test_list, &options.class_names}) {
    const fs::path whole = fs::path(*path).lexically_normal();
    const std::string name = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
    *path = data::is_utf8(name) ? name : data::escaped(name);
  }
  return fields_to_json(options.fields());
}

std::string clips_record(const data::Split& split) {
  return fmt::format("{}+{} clips, {}", split.train.size(), split.validation.size(), short_hash(clip_list(split, common_root(split))));
}

std::string init_text(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += (text.empty() ? "" : ",") + fs::path(file).filename().string();
  return text;
}

std::string init_record(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += content_hash_of_file(file);
  return text.empty() ? "" : short_hash(text);
}

std::string short_hash(const std::string& text) { return content_hash(std::as_bytes(std::span(text))).substr(0, 16); }

std::string cache_key(const Json& config, const data::Split& split) {
  return short_hash(identity_of(config).dump() + clip_list(split, ""));
}

Json config_of(const net::Model& model) {
  Json config = model.training;
  config.erase("epochs");
  config.erase("finished");
  return config;
}

std::optional<std::string> finished_difference(const std::string& path, const Json& config) {
  std::error_code ignored;
  if (!fs::exists(path, ignored) || !net::is_model_file(path)) return std::nullopt;
  const net::Model model = net::read_model(path);
  if (!model.training.contains("finished")) return std::nullopt;
  return config_difference(config_of(model), config);
}

std::string state_path(const std::string& model) { return model + ".state"; }

void refuse_finished(const std::string& path, const std::string& difference) {
  fail_usage("{}: is the finished model of another training ({}); --restart-changed replaces it", path, difference);
}

}  // namespace actio::training
