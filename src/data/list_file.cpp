#include "data/list_file.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "data/label.h"
#include "data/utf8.h"

namespace actio::data {
namespace {

constexpr std::size_t kMostLineBytes = 8192;  // twice the longest path of the system
constexpr std::size_t kMostShownBytes = 200;
constexpr std::string_view kBlanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_whole_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Takes a number and the separators before it off the end of `line`; empty where no number stands there.
std::string_view take_last_number(std::string_view& line, std::string_view separators) {
  const std::size_t last = line.find_last_of(separators);
  if (last == std::string_view::npos || last == 0) return {};
  const std::string_view number = line.substr(last + 1);
  const std::size_t end = line.find_last_not_of(separators, last);
  if (!is_whole_number(number) || end == std::string_view::npos) return {};
  line = line.substr(0, end + 1);
  return number;
}

// Where every line is "INDEX NAME" and the indices count up from 0 or 1, the names alone.
bool drop_indices(std::vector<ListLine>& lines) {
  std::vector<std::string> names;
  std::size_t first = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& text = lines[i].text;
    std::size_t index = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), index);
    const std::size_t digits = static_cast<std::size_t>(end - text.data());
    if (code != std::errc() || digits >= text.size() || kBlanks.find(text[digits]) == std::string_view::npos) return false;
    if (i == 0) first = index;
    if (first > 1 || index != first + i) return false;
    names.emplace_back(trimmed(std::string_view(text).substr(digits)));
  }
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].text = std::move(names[i]);
  return true;
}

}  // namespace

void ListedClips::add(const std::string& clip, const std::string& listed, const std::string& file, std::size_t line) {
  const auto [known, is_new] = place_of_.try_emplace(clip, file, line);
  if (is_new) return;
  const auto& [first_file, first_line] = known->second;
  if (first_file == file) fail_data("{} line {}: '{}' is on line {} too", file, line, shown(listed), first_line);
  fail_data("{} line {}: '{}' is on line {} of {} too; a clip has one place", file, line, shown(listed), first_line,
            first_file);
}

std::string shown(std::string_view value) {
  std::string text = escaped(value.substr(0, kMostShownBytes));
  return value.size() > kMostShownBytes ? text + "..." : text;
}

ListFile read_list_file(const std::string& path) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const std::string content = read_text_file(path);
  std::string_view text = content;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  ListFile list{path, {}};
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.size() > kMostLineBytes) {
      fail_data("{} line {}: {} bytes; at most {} are read as one line", path, number, line.size(), kMostLineBytes);
    }
    if (line.find('\0') != std::string_view::npos) fail_data("{} line {}: a NUL byte; text was expected", path, number);
    if (!line.empty()) list.lines.push_back({number, std::string(line)});
  }
  if (list.lines.empty()) fail_data("{}: empty; one entry a line was expected", path);
  return list;
}

std::optional<ListEntry> parse_list_entry(std::string_view line) {
  for (const std::string_view separators : {kBlanks, std::string_view(", \t")}) {
    std::string_view rest = line;
    const std::string_view label = take_last_number(rest, separators);
    if (label.empty()) continue;
    const std::string_view path_and_frames = rest;
    const std::string_view frames = take_last_number(rest, separators);
    // A third number: an offset, or more labels than one.
    std::string_view before = rest;
    if (!frames.empty() && !take_last_number(before, separators).empty()) return std::nullopt;
    return ListEntry{std::string(frames.empty() ? path_and_frames : rest), std::string(frames), std::string(label)};
  }
  return std::nullopt;
}

std::pair<std::string, std::string> split_last_word(std::string_view line) {
  const std::size_t last = line.find_last_of(kBlanks);
  if (last == std::string_view::npos) return {std::string(line), {}};
  return {std::string(trimmed(line.substr(0, last))), std::string(line.substr(last + 1))};
}

std::vector<std::string> read_class_names(const std::string& path) {
  ListFile list = read_list_file(path);
  drop_indices(list.lines);
  for (ListLine& line : list.lines) line.text = std::string(trimmed_label(line.text));
  std::erase_if(list.lines, [](const ListLine& line) { return line.text.empty(); });
  std::map<std::string, std::size_t> line_of;
  std::vector<std::string> names;
  for (const ListLine& line : list.lines) {
    if (!is_utf8(line.text)) fail_data("{} line {}: the class name '{}' is not UTF-8", path, line.number, shown(line.text));
    if (const auto [known, is_new] = line_of.emplace(line.text, line.number); !is_new) {
      fail_data("{} line {}: class '{}' is on line {} too", path, line.number, shown(line.text), known->second);
    }
    names.push_back(line.text);
  }
  return names;
}

}  // namespace actio::data
