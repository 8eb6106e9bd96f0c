// data: the names of classes as users write them. In: a label as it stands in a file, or the name of a folder. Out: the
// label without what cannot be seen, and which labels are hard to tell apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace actio::data {

// Without blanks of any script and byte order marks at either end.
std::string_view trimmed_label(std::string_view text);

// Equal for labels that differ only in case or in whether their accents are characters of their own, and for no others: of
// Latin, Greek, Cyrillic, kana and Hangul letters; others stand for themselves. `text` is UTF-8.
std::string label_key(std::string_view text);

// One line for each set of classes that have the same key.
std::vector<std::string> look_alikes(const std::vector<std::string>& classes, const std::string& source);

}  // namespace actio::data
