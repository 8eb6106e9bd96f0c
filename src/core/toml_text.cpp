#include "core/toml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/error.h"

namespace actio {
namespace {

std::string key_text(const std::string& key) {
  const auto is_bare = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; };
  return !key.empty() && std::ranges::all_of(key, is_bare) ? key : Json(key).dump();
}

// JSON's numbers, texts and flags are TOML's too.
std::string value_text(const Json& value) {
  if (value.is_object()) {
    std::string text;
    for (const auto& [key, inner] : value.items())
      text += (text.empty() ? "" : ", ") + key_text(key) + " = " + value_text(inner);
    return "{" + text + "}";
  }
  if (value.is_array()) {
    std::string text;
    for (const Json& inner : value) text += (text.empty() ? "" : ", ") + value_text(inner);
    return "[" + text + "]";
  }
  return value.dump();
}

bool is_list_of_tables(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::ranges::all_of(value, [](const Json& inner) { return inner.is_object(); });
}

std::string lines_of(const Json& table) {
  std::string text;
  for (const auto& [key, value] : table.items()) text += key_text(key) + " = " + value_text(value) + "\n";
  return text;
}

}  // namespace

std::string toml_text(const Json& tables) {
  std::string text;
  for (const auto& [name, content] : tables.items()) {
    if (is_list_of_tables(content)) {
      for (const Json& table : content)
        text += fmt::format("{}[[{}]]\n{}", text.empty() ? "" : "\n", key_text(name), lines_of(table));
    } else {
      if (!content.is_object()) fail_usage("{}: only tables can be written as TOML, got {}", name, content.dump());
      text += fmt::format("{}[{}]\n{}", text.empty() ? "" : "\n", key_text(name), lines_of(content));
    }
  }
  return text;
}

}  // namespace actio
