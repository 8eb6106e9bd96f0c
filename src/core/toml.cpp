// toml++ stays in this one file: it costs seconds to compile.
#include <sstream>
#include <toml++/toml.h>

#include "core/error.h"
#include "core/file.h"
#include "core/options.h"

namespace actio {
namespace {

Json to_json(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table) object[std::string(key.str())] = to_json(value);
    return object;
  }
  if (const auto* array = node.as_array()) {
    Json list = Json::array();
    for (const auto& value : *array) list.push_back(to_json(value));
    return list;
  }
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_boolean()) return value->get();
  std::ostringstream text;
  text << toml::node_view<const toml::node>(node);
  return text.str();
}

}  // namespace

Json read_toml(const std::filesystem::path& path) {
  const std::string content = read_text_file(path);
  try {
    return to_json(toml::parse(content, path.string()));
  } catch (const toml::parse_error& error) {
    const auto& place = error.source().begin;
    fail_usage("{}:{}:{}: {}", path.string(), place.line, place.column, error.description());
  }
}

}  // namespace actio
