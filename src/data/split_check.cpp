#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>

#include "core/error.h"
#include "core/file.h"
#include "data/dataset.h"
#include "data/list_file.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

// Of the beginning, the middle and the end: most files of one size differ there, and need not be read whole.
std::string sample_hash(const std::string& path, std::uintmax_t size) {
  constexpr std::uintmax_t kBytes = 4096;
  std::ifstream stream(path, std::ios::binary);
  std::string sample;
  for (const std::uintmax_t at : {std::uintmax_t{0}, size / 2, size > kBytes ? size - kBytes : 0}) {
    std::string piece(kBytes, '\0');
    stream.clear();
    stream.seekg(static_cast<std::streamoff>(at));
    stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    sample.append(piece, 0, static_cast<std::size_t>(stream.gcount()));
  }
  return content_hash(std::as_bytes(std::span(sample)));
}

std::string whole_hash(const std::string& path) {
  try {
    return content_hash_of_file(path);
  } catch (const Error&) {
    return {};  // is told of where the clip is read
  }
}

struct PartedItem {
  int part = 0;
  const Item* item = nullptr;
};

// Splits each set of clips by what `key_of` tells of one, and keeps those that lie in two parts at least.
template <typename KeyOf>
std::vector<std::vector<PartedItem>> refined(const std::vector<std::vector<PartedItem>>& sets, const KeyOf& key_of) {
  std::vector<std::vector<PartedItem>> result;
  for (const std::vector<PartedItem>& set : sets) {
    std::map<decltype(key_of(*set.front().item)), std::vector<PartedItem>> of_key;
    for (const PartedItem& entry : set) of_key[key_of(*entry.item)].push_back(entry);
    for (auto& [key, same] : of_key) {
      const int first = same.front().part;
      const bool divided = std::ranges::any_of(same, [first](const PartedItem& entry) { return entry.part != first; });
      if (key != decltype(key_of(*set.front().item)){} && divided) result.push_back(std::move(same));
    }
  }
  return result;
}

constexpr const char* kPartNames[] = {"training", "validation", "test"};

void warn_of_copies(const Dataset& dataset, const Split& split, std::vector<std::string>& warnings) {
  std::vector<std::vector<PartedItem>> sets(1);
  const std::vector<Item>* const parts[] = {&split.train, &split.validation, &split.test};
  for (int part = 0; part < 3; ++part) {
    for (const Item& item : *parts[part]) sets[0].push_back({part, &item});
  }
  const auto size_of = [](const Item& item) {
    std::error_code code;
    const std::uintmax_t size = fs::is_regular_file(item.path, code) ? fs::file_size(item.path, code) : 0;
    return code ? 0 : size;
  };
  if (sets[0].size() == std::max({split.train.size(), split.validation.size(), split.test.size()})) return;  // one part
  sets = refined(sets, size_of);
  sets = refined(sets, [&](const Item& item) { return sample_hash(item.path, size_of(item)); });
  sets = refined(sets, [&](const Item& item) { return whole_hash(item.path); });
  if (sets.empty()) return;
  std::size_t clips = 0;
  for (const auto& set : sets) clips += set.size();
  const PartedItem& first = sets[0].front();
  const PartedItem& other =
      *std::ranges::find_if(sets[0], [&](const PartedItem& entry) { return entry.part != first.part; });
  warnings.push_back(fmt::format(
      "{}: {} clips have copies in another part: '{}' in the {} part has the content of '{}' in the {} part", dataset.source,
      clips, shown(first.item->path), kPartNames[first.part], shown(other.item->path), kPartNames[other.part]));
}

std::set<std::string> labels_of(const std::vector<Item>& items) {
  std::set<std::string> labels;
  for (const Item& item : items) labels.insert(item.label);
  return labels;
}

// Those of `some` that `others` lack.
std::string missing_labels(const std::set<std::string>& some, const std::set<std::string>& others) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> names;
  std::ranges::set_difference(some, others, std::back_inserter(names));
  const std::size_t count = names.size();
  for (std::string& name : names) name = "'" + shown(name) + "'";
  names.resize(std::min(count, kShown));
  return count == 0 ? ""
                    : fmt::format("{} {}{}", count == 1 ? "class" : "classes", fmt::join(names, ", "),
                                  count > kShown ? fmt::format(" and {} more", count - kShown) : "");
}

}  // namespace

std::vector<std::string> split_warnings(const Dataset& dataset, const Split& split) {
  std::vector<std::string> warnings;
  const std::set<std::string> train = labels_of(split.train), validation = labels_of(split.validation),
                              test = labels_of(split.test);
  const auto compare = [&](const std::set<std::string>& some, const char* name, const std::set<std::string>& others,
                           const char* lacking) {
    if (some.empty() || others.empty()) return;
    const std::string missing = missing_labels(some, others);
    if (!missing.empty())
      warnings.push_back(
          fmt::format("{}: no clip in the {} part, but some in the {} part: {}", dataset.source, lacking, name, missing));
  };
  compare(test, "test", train, "training");
  compare(validation, "validation", train, "training");
  if (!dataset.protocol.empty()) compare(train, "training", test, "test");
  warn_of_copies(dataset, split, warnings);
  return warnings;
}

}  // namespace actio::data
