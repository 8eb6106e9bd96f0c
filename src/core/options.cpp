#include "core/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/json_text.h"

namespace actio {
namespace {

template <typename... Ts> struct Overloaded : Ts... { using Ts::operator()...; };
template <typename... Ts> Overloaded(Ts...) -> Overloaded<Ts...>;

[[noreturn]] void fail_value(const Field& field, std::string_view text, std::string_view where, std::string_view wanted) {
  fail_usage("{}: {} must be {}, got '{}'", where, field.name, wanted, text);
}

void check_range(const Field& field, double value, std::string_view where) {
  if (std::isnan(value) || value < field.low || value > field.high) {
    fail_usage("{}: {} must be between {} and {}, got {}", where, field.name, field.low, field.high, value);
  }
}

void check_choice(const Field& field, const std::string& value, std::string_view where) {
  if (field.choices.empty() || std::ranges::find(field.choices, value) != field.choices.end()) return;
  fail_usage("{}: {}: {}", where, field.name, unknown_name_text("value", value, field.choices));
}

void choose(const Field& field, const Choice& choice, std::string_view name, std::string_view where) {
  if (!choice.set(choice.value, name)) fail_usage("{}: {}: {}", where, field.name, unknown_name_text("value", name, field.choices));
}

template <typename T> T parse_number(const Field& field, std::string_view text, std::string_view where) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) {
    fail_value(field, text, where, std::is_integral_v<T> ? "a whole number" : "a number");
  }
  check_range(field, static_cast<double>(value), where);
  return value;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

void set_from_json(const Field& field, const Json& value, std::string_view where) {
  const auto wrong = [&](std::string_view wanted) { fail_value(field, json_text(value), where, wanted); };
  const auto number = [&](const Json& item) {
    if (!item.is_number()) wrong("a number");
    check_range(field, item.get<double>(), where);
    return item.get<double>();
  };
  const auto whole = [&](const Json& item) {
    if (!item.is_number_integer()) wrong("a whole number");
    check_range(field, item.get<double>(), where);
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    if (item.is_number_unsigned() && item.get<std::uint64_t>() > kMost) wrong(fmt::format("{} at most", kMost));
    return item.get<std::int64_t>();
  };
  const auto list = [&] {
    if (!value.is_array()) wrong("a list");
  };
  std::visit(Overloaded{
                 [&](bool* target) {
                   if (!value.is_boolean()) wrong("true or false");
                   *target = value.get<bool>();
                 },
                 [&](std::int64_t* target) { *target = whole(value); },
                 [&](double* target) { *target = number(value); },
                 [&](std::string* target) {
                   if (!value.is_string()) wrong("text");
                   check_choice(field, value.get<std::string>(), where);
                   *target = value.get<std::string>();
                 },
                 [&](const Choice& choice) {
                   if (!value.is_string()) wrong("text");
                   choose(field, choice, value.get<std::string>(), where);
                 },
                 [&](std::vector<std::int64_t>* target) {
                   list();
                   target->clear();
                   for (const Json& item : value) target->push_back(whole(item));
                 },
                 [&](std::vector<double>* target) {
                   list();
                   target->clear();
                   for (const Json& item : value) target->push_back(number(item));
                 },
                 [&](std::vector<std::string>* target) {
                   list();
                   target->clear();
                   for (const Json& item : value) {
                     if (!item.is_string()) wrong("a list of texts");
                     check_choice(field, item.get<std::string>(), where);
                     target->push_back(item.get<std::string>());
                   }
                 },
             },
             field.target);
}

std::vector<std::string> names_of(const Fields& fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.push_back(field.name);
  return names;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

void set_field(const Field& field, std::string_view text, std::string_view where) {
  std::visit(Overloaded{
                 [&](bool* target) {
                   if (text != "true" && text != "false") fail_value(field, text, where, "true or false");
                   *target = text == "true";
                 },
                 [&](std::int64_t* target) { *target = parse_number<std::int64_t>(field, text, where); },
                 [&](double* target) { *target = parse_number<double>(field, text, where); },
                 [&](std::string* target) {
                   check_choice(field, std::string(text), where);
                   *target = text;
                 },
                 [&](const Choice& choice) { choose(field, choice, text, where); },
                 [&](std::vector<std::int64_t>* target) {
                   std::vector<std::int64_t> values;
                   for (const auto& part : split_list(text)) values.push_back(parse_number<std::int64_t>(field, part, where));
                   *target = std::move(values);
                 },
                 [&](std::vector<double>* target) {
                   std::vector<double> values;
                   for (const auto& part : split_list(text)) values.push_back(parse_number<double>(field, part, where));
                   *target = std::move(values);
                 },
                 [&](std::vector<std::string>* target) {
                   std::vector<std::string> values = split_list(text);
                   std::erase(values, std::string());  // "a,,b": no name is empty
                   for (const auto& value : values) check_choice(field, value, where);
                   *target = std::move(values);
                 },
             },
             field.target);
}

std::string field_text(const Field& field) {
  return std::visit(Overloaded{
                        [](const bool* value) { return std::string(*value ? "true" : "false"); },
                        [](const std::string* value) { return *value; },
                        [](const Choice& choice) { return std::string(choice.get(choice.value)); },
                        [](const std::int64_t* value) { return fmt::format("{}", *value); },
                        [](const double* value) { return fmt::format("{}", *value); },
                        [](const auto* list) { return fmt::format("{}", fmt::join(*list, ",")); },
                    },
                    field.target);
}

Json fields_to_json(const Fields& fields) {
  Json object = Json::object();
  for (const Field& field : fields) {
    std::visit(Overloaded{
                   [&](const Choice& choice) { object[field.name] = choice.get(choice.value); },
                   [&](const auto* value) { object[field.name] = *value; },
               },
               field.target);
  }
  return object;
}

void fields_from_json(const Fields& fields, const Json& object, std::string_view where) {
  if (!object.is_object()) fail_usage("{}: a table of options was expected, got {}", where, json_text(object));
  for (const auto& [key, value] : object.items()) {
    const auto field = std::ranges::find(fields, key, &Field::name);
    if (field == fields.end()) fail_usage("{}: {}", where, unknown_name_text("option", key, names_of(fields)));
    set_from_json(*field, value, where);
  }
}

std::string flag_name(std::string_view field) {
  std::string name = "--" + std::string(field);
  std::ranges::replace(name, '_', '-');
  return name;
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string unknown_name_text(std::string_view kind, std::string_view word, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(word, candidates);
  if (!nearest.empty()) return fmt::format("unknown {} '{}'; the nearest is '{}'", kind, word, nearest);
  return fmt::format("unknown {} '{}'; known: {}", kind, word, fmt::join(candidates, ", "));
}

void fail_unknown_name(std::string_view kind, std::string_view word, const std::vector<std::string>& candidates) {
  fail_usage("{}", unknown_name_text(kind, word, candidates));
}

}  // namespace actio
