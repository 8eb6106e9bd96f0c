// core: a plain struct lists its fields once; from that list come the TOML reader, the flags, --help, printing and the copy
// that is kept in a model. In: JSON, TOML or text. Out: a filled struct, or an error that names the nearest field.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/names.h"

namespace actio {

using Json = nlohmann::ordered_json;

// An enum of any type, by its names.
struct Choice {
  void* value;
  std::string_view (*get)(const void* value);
  bool (*set)(void* value, std::string_view name);  // false where no value has that name
};

struct Field {
  using Target = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::int64_t>*, std::vector<double>*,
                              std::vector<std::string>*, Choice>;
  std::string name;                  // snake_case; the flag is --name with dashes
  Target target;
  std::string help;                  // one sentence, unit included
  std::vector<std::string> choices = {};  // for text: the only values allowed; empty allows any
  double low = -1e300;               // for numbers: the smallest and largest value allowed
  double high = 1e300;
};

using Fields = std::vector<Field>;

// Throws: Error(kUsage) "unknown WHAT 'NAME'; ..." where no value of E has that name.
template <class E>
E value_named(std::string_view what, std::string_view name);

// A field that is an enum with a table of names.
template <class E>
Field choice_field(std::string name, E* value, std::string help) {
  const Choice choice = {value, [](const void* at) { return name_of(*static_cast<const E*>(at)); },
                         [](void* at, std::string_view wanted) { return set_by_name(wanted, *static_cast<E*>(at)); }};
  return {std::move(name), choice, std::move(help), all_names<E>()};
}

// A value for a field of a table, as a flag gives it. `where` names its origin in messages: "the flag --epochs".
struct Setting {
  std::string table, field, text, where;
};

// Sets one field from text ("0.001", "true", "1,2,3"). Throws: Error(kUsage) naming `where`, the field and the text.
void set_field(const Field& field, std::string_view text, std::string_view where);

// Text as set_field reads it.
std::string field_text(const Field& field);

Json fields_to_json(const Fields& fields);

// Sets every field that `object` has and leaves the rest. Throws: Error(kUsage) for an unknown key or a wrong type.
void fields_from_json(const Fields& fields, const Json& object, std::string_view where);

// A TOML file as JSON. Throws: Error(kUsage) with file, line and column.
Json read_toml(const std::filesystem::path& path);

// "motion_length" -> "--motion-length", the flag of a field's name.
std::string flag_name(std::string_view field);

// The candidate with the smallest edit distance to `word`, or "" where none is near.
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

// "unknown KIND 'WORD'; the nearest is 'X'" or, where nothing is near, "...; known: a, b, c".
std::string unknown_name_text(std::string_view kind, std::string_view word, const std::vector<std::string>& candidates);

[[noreturn]] void fail_unknown_name(std::string_view kind, std::string_view word, const std::vector<std::string>& candidates);

template <class E>
E value_named(std::string_view what, std::string_view name) {
  E value{};
  if (!set_by_name(name, value)) fail_unknown_name(what, name, all_names<E>());
  return value;
}

}  // namespace actio
