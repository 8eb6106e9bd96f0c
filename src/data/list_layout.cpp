#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/layouts.h"
#include "data/list_file.h"
#include "data/video_files.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr std::int64_t kMostClasses = 100'000;  // a larger index is a mistake, and every class costs memory

// What the files of one dataset have in common while they are read.
struct ListReader {
  std::vector<std::string> names;  // of the classes; empty: the indices are the names
  fs::path root;                   // empty: each file's own folder
  Table table = {};
  std::int64_t highest = -1;  // the largest index
  VideoFinder finder = {};
  ListedClips listed = {};
  std::int64_t missing = 0;
  std::string first_missing = {};
};

std::int64_t class_index_of(const ListReader& reader, const std::string& where, const std::string& text) {
  std::int64_t index = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), index);
  const std::int64_t count = reader.names.empty() ? kMostClasses : static_cast<std::int64_t>(reader.names.size());
  if (code != std::errc() || end != text.data() + text.size() || index < 0 || index >= count) {
    fail_data("{}: class index {} is out of range; 0 to {} were expected{}", where, shown(text), count - 1,
              reader.names.empty() ? "" : fmt::format(", for there are {} class names", count));
  }
  return index;
}

void read_list(ListReader& reader, const std::string& path, Part part) {
  const ListFile list = read_list_file(path);
  const fs::path root = reader.root.empty() ? fs::path(path).parent_path() : reader.root;
  for (const ListLine& line : list.lines) {
    const std::string where = fmt::format("{} line {}", path, line.number);
    const auto entry = parse_list_entry(line.text);
    if (!entry) fail_data("{}: 'path label' or 'path frames label' was expected, got '{}'", where, shown(line.text));
    const std::int64_t index = class_index_of(reader, where, entry->label);
    reader.highest = std::max(reader.highest, index);
    const fs::path listed = (root / entry->path).lexically_normal();
    reader.listed.add(listed.string(), entry->path, path, line.number);
    const auto found = reader.finder.find(listed);
    if (!found && reader.missing++ == 0) reader.first_missing = listed.string();
    const std::string id = std::to_string(index);
    Item item{found.value_or(listed).string(),
              reader.names.empty() ? id : reader.names[static_cast<std::size_t>(index)],
              -1,
              {},
              {}};
    item.columns = {{"path", entry->path}, {"label", item.label}, {"label_id", id}, {"frames", entry->frames}};
    item.columns["part"] = part_name(part);
    item.part = part;
    reader.table.items.push_back(std::move(item));
  }
}

}  // namespace

Table read_lists(const std::string& path, const DatasetOptions& options) {
  ListReader reader{options.class_names.empty() ? std::vector<std::string>() : read_class_names(options.class_names),
                    options.root};
  const bool two = !options.test_list.empty();
  read_list(reader, path, two ? Part::kTrain : Part::kNone);
  if (two) read_list(reader, options.test_list, Part::kTest);
  Table& table = reader.table;
  table.layout = Layout::kList;
  table.columns = {"path", "label", "label_id", "frames", "part"};
  if (two) table.protocol = fmt::format("the lists {} and {}", path, options.test_list);
  table.classes = std::move(reader.names);
  for (std::int64_t i = 0; i <= reader.highest && options.class_names.empty(); ++i)
    table.classes.push_back(std::to_string(i));
  for (std::size_t i = 0; i < table.classes.size(); ++i) table.ids.push_back(std::to_string(i));
  if (reader.missing > 0) {
    table.warnings.push_back(fmt::format("{}: {} of {} clips are not there, nor a video of the same name: {}", path,
                                         reader.missing, table.items.size(), reader.first_missing));
  }
  return std::move(reader.table);
}

}  // namespace actio::data
