#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/file.h"
#include "data/label.h"
#include "data/layouts.h"
#include "data/list_file.h"
#include "data/official_lists.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

// Two options that both say which clips are for testing, or one that belongs to another layout.
void check_options(const std::string& path, Layout layout, const DatasetOptions& options) {
  const auto exclude = [&](bool first, const char* one, bool second, const char* other) {
    if (first && second) fail_usage("{}: {} and {} both divide the clips; give one of them", path, one, other);
  };
  exclude(options.split != 0, "split", !options.fold.empty(), "fold");
  exclude(options.split != 0, "split", options.test_share != 0, "test_share");
  exclude(options.split != 0, "split", !options.test_list.empty(), "test_list");
  exclude(!options.test_list.empty(), "test_list", !options.fold.empty(), "fold");
  exclude(!options.test_list.empty(), "test_list", options.test_share != 0, "test_share");
  const auto belongs = [&](bool given, const char* option, bool fits, const char* layouts) {
    if (given && !fits)
      fail_usage("{}: {} belongs to the layout {}, this is read as the layout {}", path, option, layouts, name_of(layout));
  };
  belongs(options.split != 0, "split", is_official(layout), "ucf101 or hmdb51");
  belongs(!options.annotations.empty(), "annotations", is_official(layout), "ucf101 or hmdb51");
  belongs(!options.test_list.empty(), "test_list", layout == Layout::kList, "list");
  belongs(!options.class_names.empty(), "class_names", layout == Layout::kList, "list");
  const bool folders = layout == Layout::kFolder || layout == Layout::kSplitFolders;
  belongs(!options.root.empty(), "root", !folders, "csv, list, ucf101 or hmdb51");
  belongs(options.val_folder != ValFolder::kAuto, "val_folder", folders, "split_folders");
}

// A list of the official ones in place of the folder of the videos.
void refuse_official_list(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  const bool ucf101 = name.starts_with("trainlist0") || name.starts_with("testlist0") || name == "classInd.txt";
  const std::size_t hmdb51 = name.find("_test_split");
  if (!ucf101 && (hmdb51 == std::string::npos || hmdb51 == 0)) return;
  fail_usage("{}: one of the official lists; name the folder of the videos, with annotations for this folder and split",
             path);
}

Table read_official(const std::string& path, const DatasetOptions& options, const OfficialPlace& place) {
  const bool divided = !options.fold.empty() || options.test_share != 0;
  const std::int64_t split = std::max<std::int64_t>(1, options.split);
  Table table = place.layout == Layout::kUcf101 ? read_ucf101(place, split) : read_hmdb51(place, split);
  if (divided) {
    table.protocol.clear();
    for (Item& item : table.items) item.part = Part::kNone;
  }
  std::error_code code;
  if (!fs::is_directory(path, code)) table.warnings.push_back(fmt::format("{}: no such folder", path));
  return table;
}

// The official lists that `path` or the options point to, where the layout is one that has such lists.
OfficialPlace official_place(const std::string& path, const DatasetOptions& options) {
  std::error_code code;
  const bool asked = is_official(options.layout) || options.split != 0 || !options.annotations.empty();
  const bool possible = options.layout == Layout::kAuto && (fs::is_directory(path, code) || (asked && !fs::exists(path, code)));
  if (!is_official(options.layout) && !possible) return {};
  OfficialPlace place = find_official_lists(path, options, asked);
  if (asked && !is_official(place.layout)) {
    fail_usage("{}: no official lists of {} in it or beside it; name their folder by annotations", path,
               is_official(options.layout) ? name_of(options.layout) : "ucf101 or hmdb51");
  }
  return place;
}

bool is_csv_header(std::string_view line) {
  bool path = false, label = false;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(','), line.size());
    std::string_view name = trimmed_label(line.substr(0, end));
    if (name.size() > 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    path = path || name == "path";
    label = label || name == "label";
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return path && label;
}

}  // namespace

Layout layout_of_file(const std::string& path) {
  constexpr std::size_t kMostBytes = 8192;
  std::error_code code;
  if (!fs::is_regular_file(path, code)) return Layout::kCsv;
  std::ifstream stream(path, std::ios::binary);
  std::string text(kMostBytes, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  const std::size_t begin = std::min(text.find_first_not_of("\xEF\xBB\xBF \t\r\n"), text.size());
  const std::size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
  std::string_view line = std::string_view(text).substr(begin, end - begin);
  line = line.substr(0, line.find_last_not_of(" \t") + 1);
  if (is_csv_header(line)) return Layout::kCsv;
  if (parse_list_entry(line)) return Layout::kList;
  const std::string extension = fs::path(path).extension().string();
  return extension == ".txt" || extension == ".list" || extension == ".lst" ? Layout::kList : Layout::kCsv;
}

Table read_table(const std::string& path, const DatasetOptions& options) {
  if (options.split < 0 || options.split > 3) fail_usage("{}: split must be between 0 and 3, got {}", path, options.split);
  if (const OfficialPlace place = official_place(path, options); is_official(place.layout)) {
    check_options(path, place.layout, options);
    return read_official(path, options, place);
  }
  std::error_code code;
  if (!fs::exists(path, code)) fail("{}: no such file or folder", path);
  const bool folder = fs::is_directory(path, code);
  if (folder && (options.layout == Layout::kCsv || options.layout == Layout::kList)) {
    fail_usage("{}: is a folder; the layout {} needs a file", path, name_of(options.layout));
  }
  if (!folder && (options.layout == Layout::kFolder || options.layout == Layout::kSplitFolders)) {
    fail_usage("{}: is no folder; the layout {} needs one", path, name_of(options.layout));
  }
  const Layout layout = options.layout != Layout::kAuto ? options.layout : folder ? Layout::kFolder : layout_of_file(path);
  if (!folder && options.layout == Layout::kAuto) refuse_official_list(path);
  check_options(path, layout, options);
  if (layout == Layout::kFolder || layout == Layout::kSplitFolders) return read_folder(path, options);
  return layout == Layout::kCsv ? read_csv_table(path, options) : read_lists(path, options);
}

}  // namespace actio::data
