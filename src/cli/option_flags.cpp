#include "cli/option_flags.h"

#include <algorithm>
#include <cstdio>

#include "core/error.h"
#include "core/toml_text.h"

namespace actio::cli {
namespace {

std::string type_text(const Field& field) {
  if (!field.choices.empty()) return fmt::format("{{{}}}", fmt::join(field.choices, ","));
  static constexpr const char* kNames[] = {"", "INT", "NUMBER", "TEXT", "INT,...", "NUMBER,...", "TEXT,...", "TEXT"};
  return kNames[field.target.index()];
}

// JSON's lists, numbers and texts are TOML's too.
std::string toml_value(const Field& field) { return fields_to_json({field}).at(field.name).dump(); }

bool is_list(const Field& field) { return field.target.index() >= 4 && !std::holds_alternative<Choice>(field.target); }

}  // namespace

void OptionFlags::add(const std::string& table, const Fields& fields) {
  tables_.push_back({table, fields});
  for (const Field& field : tables_.back().fields) {
    const std::string flag = flag_name(field.name);
    const std::string key = table + "." + field.name;
    const std::string help = fmt::format("{} [{}]", field.help, field_text(field));
    if (std::holds_alternative<bool*>(field.target)) {
      app_.add_flag_function(flag + ",!--no-" + flag.substr(2), [this, &field, key](std::int64_t count) {
        flags_.emplace_back(&field, count > 0 ? "true" : "false");
        chosen_.add_name(key);
      }, help)->group("[" + table + "]");
      continue;
    }
    app_.add_option_function<std::vector<std::string>>(flag, [this, &field, key](const std::vector<std::string>& values) {
      flags_.emplace_back(&field, fmt::format("{}", fmt::join(values, ",")));
      chosen_.add_name(key);
    }, help)->type_name(type_text(field))->group("[" + table + "]")->expected(1)->allow_extra_args(false)
        ->multi_option_policy(is_list(field) ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
  }
}

void OptionFlags::add_config() {
  app_.add_option("--config", config_, "a TOML file with the tables named below; flags win over it")->type_name("FILE");
  app_.add_flag_callback("--print-config", [this] {
    apply();
    std::fputs(toml_text().c_str(), stdout);
    throw CLI::Success();
  }, "print every option with its value as TOML, fit for --config, and exit");
}

std::string OptionFlags::toml_text() const {
  std::string text;
  for (const Table& table : tables_) {
    text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", table.name);
    for (const Field& field : table.fields) {
      const std::string choices = field.choices.empty() ? "" : fmt::format(" ({})", fmt::join(field.choices, ", "));
      const char* open = chosen_.has_name(table.name + "." + field.name) ? "" : "#";
      text += fmt::format("# {}{}\n{}{} = {}\n", field.help, choices, open, field.name, toml_value(field));
    }
  }
  const Json carried = carried_tables();
  return carried.empty() ? text : text + "\n" + actio::toml_text(carried);
}

// Without what a flag wins over, which stands in the tables above.
Json OptionFlags::carried_tables() const {
  Json carried = Json::object();
  for (const std::string& name : carried_) {
    if (!file_.contains(name) || file_.at(name).empty()) continue;
    Json list = file_.at(name);
    for (Json& entry : list) {
      for (const Table& table : tables_) {
        if (!entry.is_object() || !entry.contains(table.name) || !entry.at(table.name).is_object()) continue;
        for (const auto& [flag, text] : flags_) {
          if (std::ranges::any_of(table.fields, [&](const Field& field) { return &field == flag; })) entry.at(table.name).erase(flag->name);
        }
      }
    }
    carried[name] = std::move(list);
  }
  return carried;
}

void OptionFlags::read_tables(const Json& tables, const std::string& where) {
  std::vector<std::string> known;
  for (const Table& table : tables_) known.push_back(table.name);
  known.insert(known.end(), tolerated_.begin(), tolerated_.end());
  for (const auto& [name, content] : tables.items()) {
    if (std::ranges::find(tolerated_, name) != tolerated_.end()) continue;
    const auto table = std::ranges::find(tables_, name, &Table::name);
    if (table == tables_.end()) fail_usage("{}: {}", where, unknown_name_text("table", name, known));
    fields_from_json(table->fields, content, fmt::format("{}: [{}]", where, name));
    for (const auto& [key, value] : content.items()) chosen_.add_name(name + "." + key);
  }
}

void OptionFlags::apply() {
  if (!config_.empty()) {
    file_ = read_toml(config_);
    read_tables(file_, config_);
  }
  for (const auto& [field, text] : flags_) set_field(*field, text, "the flag " + flag_name(field->name));
}

void OptionFlags::overlay(const Json& tables, const std::string& where) {
  read_tables(tables, where);
  for (const auto& [field, text] : flags_) set_field(*field, text, "the flag " + flag_name(field->name));
}

std::vector<Setting> OptionFlags::settings() const {
  std::vector<Setting> settings;
  for (const Table& table : tables_) {
    for (const auto& [flag, text] : flags_) {
      if (std::ranges::any_of(table.fields, [&](const Field& field) { return &field == flag; }))
        settings.push_back({table.name, flag->name, text, "the flag " + flag_name(flag->name)});
    }
  }
  return settings;
}

}  // namespace actio::cli
