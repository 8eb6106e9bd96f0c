// core: enums whose values have names in files, flags and messages. Each has one table, beside the enum.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace actio {

template <class E, std::size_t N>
using NameTable = std::array<std::pair<E, std::string_view>, N>;

// template <> inline constexpr auto kNames<Motion> = NameTable<Motion, 2>{{{Motion::kNone, "none"}, {Motion::kFlow, "flow"}}};
template <class E>
inline constexpr auto kNames = nullptr;

template <class E>
constexpr std::string_view name_of(E value) {
  for (const auto& [known, name] : kNames<E>) {
    if (known == value) return name;
  }
  return "?";
}

template <class E>
std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const auto& [value, name] : kNames<E>) names.emplace_back(name);
  return names;
}

// Returns: whether there is a value of that name.
template <class E>
constexpr bool set_by_name(std::string_view wanted, E& value) {
  for (const auto& [known, name] : kNames<E>) {
    if (name != wanted) continue;
    value = known;
    return true;
  }
  return false;
}

}  // namespace actio
