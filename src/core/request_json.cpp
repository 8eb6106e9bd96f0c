#include "core/request_json.h"

#include <algorithm>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "core/json_text.h"

namespace actio {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr const char* kVersionKey = "actio.request";
constexpr const char* kKindKey = "kind";
constexpr const char* kChosenKey = "chosen";
constexpr const char* kOpenKey = "open";
constexpr const char* kBytesKey = "latin-1";

bool is_utf8(const Json& text) {
  try {
    text.dump();
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

std::string latin1_text(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) text += c;
    else text.append({static_cast<char>(0xC0 | (byte >> 6)), static_cast<char>(0x80 | (byte & 0x3F))});
  }
  return text;
}

std::optional<std::string> bytes_of_latin1(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      bytes += text[i];
    } else if ((byte == 0xC2 || byte == 0xC3) && i + 1 < text.size()) {
      bytes += static_cast<char>((byte << 6) | (static_cast<unsigned char>(text[++i]) & 0x3F));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

// Names of files need not be UTF-8; JSON must.
void encode_bytes(Json& value) {
  if (value.is_string()) {
    if (!is_utf8(value)) value = {{kBytesKey, latin1_text(value.get<std::string>())}};
  } else if (value.is_structured()) {
    for (Json& part : value) encode_bytes(part);
  }
}

void decode_bytes(Json& value, const std::string& where) {
  if (value.is_object() && value.size() == 1 && value.contains(kBytesKey) && value.at(kBytesKey).is_string()) {
    const std::optional<std::string> bytes = bytes_of_latin1(value.at(kBytesKey).get<std::string>());
    if (!bytes) fail_data("{}: {}: has a character that is no byte", where, value.dump());
    value = *bytes;
  } else if (value.is_structured()) {
    for (Json& part : value) decode_bytes(part, where);
  }
}

// Text that is JSON. Of keys that occur twice the parser would take one without a word.
Json parse_unique_keys(const std::string& text, const std::string& where) {
  std::vector<std::set<std::string>> keys;  // of each object that is open
  const auto look = [&](int, Json::parse_event_t event, const Json& value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    const bool repeated = event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second;
    if (repeated) fail_data("{}: the key '{}' occurs twice", where, value.get<std::string>());
    return true;
  };
  return Json::parse(text, look);
}

void check_version(const Json& document, const std::string& where) {
  if (!document.is_object() || !document.contains(kVersionKey)) fail_data("{}: is no request: it has no '{}'", where, kVersionKey);
  const Json& version = document.at(kVersionKey);
  if (!version.is_number_integer() || version < 1) {
    fail_data("{}: {} is {}, a version from 1 to {} was expected", where, kVersionKey, version.dump(), kVersion);
  }
  if (version <= kVersion) return;
  fail("{}: is a request of version {}, this program reads up to {}; use a newer actio", where, version.dump(), kVersion);
}

void check_kind(const Json& document, const std::string& kind, const std::string& where) {
  const Json there = document.contains(kKindKey) ? document.at(kKindKey) : Json();
  if (there != kind) fail_data("{}: is no request for '{}': its {} is {}", where, kind, kKindKey, there.dump());
}

void check_names(const Json& object, std::string_view what, const std::vector<std::string>& known, const std::string& where) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) == known.end()) fail_usage("{}: {}", where, unknown_name_text(what, name, known));
  }
}

// The names of what was read, "train.epochs".
std::vector<std::string> read_tables(const RequestForm& form, const Json& document, const char* key, const std::string& file) {
  std::vector<std::string> names, tables;
  if (!document.contains(key)) return names;
  const Json& object = document.at(key);
  const std::string where = fmt::format("{}: {}", file, key);
  if (!object.is_object()) fail_usage("{}: tables of options were expected, got {}", where, json_text(object));
  for (const RequestForm::Table& table : form.tables) tables.push_back(table.name);
  check_names(object, "table", tables, where);
  for (const RequestForm::Table& table : form.tables) {
    if (!object.contains(table.name)) continue;
    fields_from_json(table.fields, object.at(table.name), fmt::format("{}: [{}]", where, table.name));
    for (const auto& [option, value] : object.at(table.name).items()) names.push_back(table.name + "." + option);
  }
  return names;
}

}  // namespace

void write_request_json(const std::filesystem::path& path, const RequestForm& form, const Chosen& chosen, const Json& others) {
  Json document = {{kVersionKey, kVersion}, {kKindKey, form.kind}};
  document.update(fields_to_json(form.keys));
  Json by_user = Json::object(), open = Json::object();
  for (const RequestForm::Table& table : form.tables) {
    const Json all = fields_to_json(table.fields);
    for (const auto& [name, value] : all.items()) {
      Json& place = chosen.has_name(table.name + "." + name) ? by_user : open;
      place[table.name][name] = value;
    }
  }
  document[kChosenKey] = std::move(by_user);
  document.update(others);
  document[kOpenKey] = std::move(open);
  encode_bytes(document);
  write_file_atomically(path, document.dump(2) + "\n");
}

Json read_request_json(const std::filesystem::path& path, const RequestForm& form, Chosen& chosen) {
  const std::string where = path.string();
  const std::string text = read_text_file(path);
  Json document = parse_json(text, where);
  check_version(document, where);
  check_kind(document, form.kind, where);
  document = parse_unique_keys(text, where);
  decode_bytes(document, where);
  std::vector<std::string> known = {kVersionKey, kKindKey, kChosenKey, kOpenKey};
  for (const Field& field : form.keys) known.push_back(field.name);
  known.insert(known.end(), form.others.begin(), form.others.end());
  check_names(document, "key", known, where);
  for (const std::string& key : form.required) {
    if (!document.contains(key)) fail_usage("{}: has no '{}'", where, key);
  }
  Json keys = Json::object(), others = Json::object();
  for (const Field& field : form.keys) {
    if (document.contains(field.name)) keys[field.name] = document.at(field.name);
  }
  fields_from_json(form.keys, keys, where);
  const std::vector<std::string> by_user = read_tables(form, document, kChosenKey, where);
  for (const std::string& name : read_tables(form, document, kOpenKey, where)) {
    if (std::ranges::find(by_user, name) != by_user.end()) fail_usage("{}: {} is both chosen and open", where, name);
  }
  for (const std::string& name : by_user) chosen.add_name(name);
  for (const std::string& key : form.others) {
    if (document.contains(key)) others[key] = document.at(key);
  }
  return others;
}

}  // namespace actio
