// core: which options somebody chose. What was left open may follow from something else: a network's paper, first weights.
#pragma once

#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/error.h"
#include "core/options.h"

namespace actio {

// Of the member that the field is.
inline const void* address_of(const Field& field) {
  if (const Choice* choice = std::get_if<Choice>(&field.target)) return choice->value;
  return std::visit(
      [](const auto& target) -> const void* {
        if constexpr (std::is_pointer_v<std::decay_t<decltype(target)>>) return target;
        else return nullptr;
      },
      field.target);
}

// "network.segments" of &NetworkOptions::segments. `Options` has a kTable and lists the member in its fields().
template <class Options, class Member>
std::string option_name(Member Options::*member) {
  Options options;
  const void* const place = &(options.*member);
  for (const Field& field : options.fields()) {
    if (address_of(field) != place) continue;
    return std::string(Options::kTable) + "." + field.name;
  }
  fail("an option of [{}] is not among its fields", Options::kTable);
}

class Chosen {
 public:
  // A member that the options lack does not compile.
  template <class Options, class Member>
  bool has(Member Options::*member) const {
    return names_.contains(option_name(member));
  }

  template <class Options, class Member>
  void add(Member Options::*member) {
    names_.insert(option_name(member));
  }

  // For those who go through all fields of a table: "network.segments".
  bool has_name(const std::string& name) const { return names_.contains(name); }
  void add_name(std::string name) { names_.insert(std::move(name)); }

  bool empty() const { return names_.empty(); }

 private:
  std::set<std::string> names_;
};

}  // namespace actio
