// data: text files with one entry a line. In: a file, with or without a byte order mark and carriage returns. Out: lines
// that know their number, and the clips of a list as TSN and MMAction2 write it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace actio::data {

struct ListLine {
  std::size_t number = 0;  // from 1
  std::string text;        // without blanks at either end; never empty
};

struct ListFile {
  std::string source;  // the file, for messages
  std::vector<ListLine> lines;
};

// Throws: Error(kBadData) naming file and line for a NUL byte and a line of more than 8192 bytes, and for a file without a
// line; as read_text_file.
ListFile read_list_file(const std::string& path);

struct ListEntry {
  std::string path;
  std::string frames;  // as written; empty where there are only path and label
  std::string label;   // a whole number, as written; may be negative or absurdly large
};

// "path label" or "path frames label", divided by blanks or by commas. The path may have blanks in it. Nothing where the
// line is neither.
std::optional<ListEntry> parse_list_entry(std::string_view line);

// Splits "NAME REST" at the last run of blanks; the second is empty where there is none.
std::pair<std::string, std::string> split_last_word(std::string_view line);

// The class names in the order of their indices: one a line, or "INDEX NAME" with indices that count up from 0 or 1.
// Throws: Error(kBadData) naming file, line and value for a name that occurs twice or is not UTF-8; as read_list_file.
std::vector<std::string> read_class_names(const std::string& path);

// Which clips were listed, and where.
class ListedClips {
 public:
  // `listed` is the clip as the list has it. Throws: Error(kBadData) naming both places where `clip` was added before.
  void add(const std::string& clip, const std::string& listed, const std::string& file, std::size_t line);

 private:
  std::map<std::string, std::pair<std::string, std::size_t>> place_of_;
};

// Text of a message: at most 200 bytes of `value`, on one line.
std::string shown(std::string_view value);

}  // namespace actio::data
