#include "data/group.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

namespace actio::data {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

// Takes the part behind the last '_' off `text`; empty where there is none.
std::string_view take_last_part(std::string_view& text) {
  const std::size_t line = text.rfind('_');
  if (line == std::string_view::npos) return {};
  const std::string_view part = text.substr(line + 1);
  text = text.substr(0, line);
  return part;
}

// SOURCE_CLASS_{visible part}_{camera motion}_np{people}_{view}_{quality}_{take}
std::optional<std::string> hmdb51_group(std::string_view stem) {
  std::string_view head = stem;
  if (!is_number(take_last_part(head))) return std::nullopt;
  if (!is_one_of(take_last_part(head), {"goo", "med", "bad"})) return std::nullopt;
  if (!is_one_of(take_last_part(head), {"ba", "fr", "le", "ri"})) return std::nullopt;
  const std::string_view people = take_last_part(head);
  if (!people.starts_with("np") || !is_number(people.substr(2))) return std::nullopt;
  if (!is_one_of(take_last_part(head), {"cm", "nm"})) return std::nullopt;
  if (!is_one_of(take_last_part(head), {"f", "h", "l", "u"})) return std::nullopt;
  return head.empty() ? std::nullopt : std::optional(std::string(head));
}

std::optional<std::string> ucf101_group(const std::string& stem) {
  for (std::size_t at = stem.rfind("_g"); at != std::string::npos && at + 2 < stem.size(); at = stem.rfind("_g", at - 1)) {
    const std::size_t end = std::min(stem.find_first_not_of("0123456789", at + 2), stem.size());
    if (end > at + 2 && (end == stem.size() || stem[end] == '_')) return stem.substr(at + 1, end - at - 1);
    if (at == 0) break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> group_of_file_name(const std::string& path) {
  const std::string stem = std::filesystem::path(path).stem().string();
  if (auto group = hmdb51_group(stem)) return group;
  return ucf101_group(stem);
}

std::vector<std::string> group_names_of(const std::vector<std::string>& words, const std::set<std::string>& groups) {
  if (std::ranges::all_of(words, [&](const std::string& word) { return groups.contains(word); })) return words;
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < words.size();) {
    std::string name, longest = words[begin];
    std::size_t end = begin + 1;
    for (std::size_t i = begin; i < words.size(); ++i) {
      name += (i == begin ? "" : ",") + words[i];
      if (!groups.contains(name)) continue;
      longest = name;
      end = i + 1;
    }
    names.push_back(std::move(longest));
    begin = end;
  }
  return names;
}

bool can_be_listed(const std::string& group) {
  return !group.empty() && !group.starts_with(',') && !group.ends_with(',') && group.find(",,") == std::string::npos;
}

}  // namespace actio::data
