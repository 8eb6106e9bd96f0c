#include <algorithm>
#include <iterator>
#include <set>

#include "core/error.h"
#include "data/label.h"
#include "data/layouts.h"
#include "data/list_file.h"
#include "data/part_folders.h"
#include "data/utf8.h"
#include "data/video_files.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

void insert_with_parents(const fs::path& folder, std::set<fs::path>& folders) {
  for (fs::path at = folder; folders.insert(at).second && at.has_relative_path();) at = at.parent_path();
}

struct ClassFolder {
  fs::path folder;
  Part part = Part::kNone;
};

class FolderReader {
 public:
  explicit FolderReader(const std::string& path) : path_(path) {
    table_.columns = {"path", "label"};
    std::error_code code;
    insert_with_parents(fs::canonical(path, code), above_);
    reserved_ = above_;
  }

  const std::set<fs::path>& above() const { return above_; }

  // Files that only lie beside what is read.
  void pass_over(const fs::path& folder) {
    const FolderContent content = list_folder(folder);
    ignored_.add_hidden(content.hidden);
    std::error_code code;
    for (const fs::path& entry : content.entries) {
      if (!fs::is_directory(entry, code)) add_loose(entry);
    }
  }

  // The folders in `folder` are classes; other files there are counted.
  void add_classes(const fs::path& folder, Part part) {
    pass_over(folder);
    std::error_code code;
    for (const fs::path& entry : sorted_entries(folder)) {
      if (!fs::is_directory(entry, code)) continue;
      const fs::path real = fs::canonical(entry, code);
      if (above_.contains(real)) {
        warn(fmt::format("{}: links to {}, which it lies in, so no class", entry.string(), real.string()));
        continue;
      }
      insert_with_parents(real, reserved_);
      classes_.push_back({entry, part});
    }
  }

  void warn(std::string text) {
    if (!text.empty()) table_.warnings.push_back(std::move(text));
  }

  Table finish() {
    for (const ClassFolder& entry : classes_) read_class(entry);
    warn_of_level();
    table_.ignored = ignored_.text();
    if (!table_.ignored.empty()) table_.ignored = path_ + ": " + table_.ignored;
    if (!table_.items.empty()) return std::move(table_);
    fail_data("{}: no class; one folder per class with videos inside was expected{}{}", path_,
              loose_ ? ", the videos here lie beside each other" : "",
              table_.ignored.empty() ? "" : fmt::format(" ({})", ignored_.text()));
  }

 private:
  void add_loose(const fs::path& file) {
    if (!is_video(file)) {
      ignored_.add(file);
      return;
    }
    loose_ = true;
    ignored_.add_loose_video(file);
  }

  // Follows links to folders, but only into those that are not in `visited` yet.
  void find_videos(const fs::path& folder, std::set<fs::path>& visited, std::vector<fs::path>& videos) {
    std::error_code code;
    const FolderContent content = list_folder(folder);
    ignored_.add_hidden(content.hidden);
    if (content.entries.empty() && content.hidden == 0) ignored_.add_empty_folder();
    for (const fs::path& entry : content.entries) {
      if (!fs::is_directory(entry, code)) {
        if (is_video(entry))
          videos.push_back(entry);
        else
          ignored_.add(entry);
        continue;
      }
      const fs::path real = fs::canonical(entry, code);
      if (code || !visited.insert(real).second) continue;
      const std::size_t before = videos.size();
      find_videos(entry, visited, videos);
      if (is_video(entry) && videos.size() == before) {
        warn(fmt::format("{}: named as a video, but a folder without one", entry.string()));
      }
    }
  }

  // One folder that holds all of the others may be the one that should have been named.
  void warn_of_level() {
    std::set<fs::path> inside;
    fs::path only;
    for (const ClassFolder& entry : classes_) {
      const auto of_class = [&](const Item& item) {
        return fs::path(item.path).string().starts_with((entry.folder / "").string());
      };
      if (std::ranges::none_of(table_.items, of_class)) continue;
      if (!only.empty()) return;
      only = entry.folder;
    }
    for (const Item& item : table_.items) {
      const fs::path below = fs::path(item.path).lexically_relative(only);
      if (std::distance(below.begin(), below.end()) > 1) inside.insert(*below.begin());
    }
    if (inside.size() < 2) return;
    warn(fmt::format("{}: is the only class and holds {} folders; if these are the classes, give this folder as the data",
                     only.string(), inside.size()));
  }

  // Parts inside of a class divide nothing.
  void warn_of_parts(const fs::path& folder) {
    std::set<Part> kinds;
    std::error_code code;
    for (const fs::path& entry : sorted_entries(folder)) {
      const auto part = part_of_folder_name(entry.filename().string());
      if (part && fs::is_directory(entry, code)) kinds.insert(*part);
    }
    if (kinds.size() < 2 || warned_of_parts_) return;
    warned_of_parts_ = true;
    warn(fmt::format(
        "{}: has folders named as parts inside of a class, where they divide nothing; parts hold the folders of the classes",
        folder.string()));
  }

  void read_class(const ClassFolder& entry) {
    std::set<fs::path> visited = reserved_;
    std::vector<fs::path> videos;
    find_videos(entry.folder, visited, videos);
    warn_of_parts(entry.folder);
    const std::string name = entry.folder.filename().string();
    const std::string label(trimmed_label(name));
    if (videos.empty()) {
      warn(fmt::format("{}: no video, so no class", entry.folder.string()));
    } else if (!is_utf8(name)) {
      fail_data("{}: the folder name '{}' is not UTF-8, so it cannot be a class", path_, escaped(name));
    } else if (label.empty()) {
      fail_data("{}: the folder name '{}' is blank, so it cannot be a class", path_, shown(name));
    }
    for (const fs::path& video : videos) {
      Item item{video.string(), label, -1, {}, {}};
      item.part = entry.part;
      if (entry.part != Part::kNone) item.columns = {{"path", item.path}, {"label", label}, {"part", part_name(entry.part)}};
      table_.items.push_back(std::move(item));
    }
  }

  std::string path_;
  Table table_;
  std::vector<ClassFolder> classes_;
  std::set<fs::path> above_;     // the root and the folders that hold it
  std::set<fs::path> reserved_;  // those, and the classes and what holds them: no class reaches them by a link
  IgnoredFiles ignored_;
  bool loose_ = false, warned_of_parts_ = false;
};

// Where there is no test part, val is: that is how results on such datasets are reported.
Part part_of(const PartFolder& folder, const FolderPlan& plan, const DatasetOptions& options) {
  if (folder.part != Part::kValidation || options.val_folder == ValFolder::kValidation) return folder.part;
  const auto is_test = [](const PartFolder& other) { return other.part == Part::kTest && other.has_classes; };
  const bool tests = options.val_folder == ValFolder::kTest || !std::ranges::any_of(plan.parts, is_test);
  return tests ? Part::kTest : Part::kValidation;
}

void add_part(FolderReader& reader, const PartFolder& folder, Part part) {
  if (folder.has_classes) {
    if (folder.classes != folder.folder) reader.pass_over(folder.folder);
    reader.add_classes(folder.classes, part);
    return;
  }
  std::error_code code;
  const std::vector<fs::path> entries = sorted_entries(folder.folder);
  const auto videos =
      std::ranges::count_if(entries, [&](const fs::path& e) { return is_video(e) && !fs::is_directory(e, code); });
  reader.warn(videos == 0 ? fmt::format("{}: no video, so that part is empty", folder.folder.string())
                          : fmt::format("{}: its {} videos are in no folder of a class and are left out",
                                        folder.folder.string(), videos));
  reader.pass_over(folder.folder);
}

// What the folders say, where more than one part has clips.
std::string protocol_of(const FolderPlan& plan, const std::vector<Part>& parts) {
  std::vector<std::string> texts;
  std::set<Part> kinds;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!plan.parts[i].has_classes) continue;
    kinds.insert(parts[i]);
    const char* name = part_name(parts[i]);
    texts.push_back(fmt::format("{} ({})", plan.parts[i].folder.filename().string(), name));
  }
  if (kinds == std::set{Part::kTrain}) return {};
  return fmt::format("the folders {}", fmt::join(texts, ", "));
}

Table read_parts(FolderReader& reader, const std::string& path, const FolderPlan& plan, const DatasetOptions& options) {
  std::vector<Part> parts;
  reader.pass_over(plan.base);
  for (const PartFolder& folder : plan.parts) {
    parts.push_back(part_of(folder, plan, options));
    add_part(reader, folder, parts.back());
  }
  Table table = reader.finish();
  table.layout = Layout::kSplitFolders;
  table.columns = {"path", "label", "part"};
  table.protocol = protocol_of(plan, parts);
  const bool folds = !options.fold.empty();
  if (table.protocol.empty() || (!folds && options.test_share == 0)) return table;
  table.warnings.push_back(
      fmt::format("{}: {} divides the clips anew, against {}", path, folds ? "fold" : "test_share", table.protocol));
  table.protocol.clear();
  for (Item& item : table.items) item.part = Part::kNone;
  return table;
}

}  // namespace

Table read_folder(const std::string& path, const DatasetOptions& options) {
  FolderReader reader(path);
  const FolderPlan plan = options.layout == Layout::kFolder ? plan_of_classes(path, reader.above())
                                                     : plan_folders(path, options.layout == Layout::kSplitFolders, reader.above());
  for (const fs::path& folder : plan.above) reader.pass_over(folder);
  reader.warn(plan.warning);
  if (!plan.parts.empty()) return read_parts(reader, path, plan, options);
  if (options.val_folder != ValFolder::kAuto)
    fail_usage("{}: val_folder belongs to the layout split_folders, this is read as the layout folder", path);
  reader.add_classes(plan.base, Part::kNone);
  Table table = reader.finish();
  table.layout = Layout::kFolder;
  return table;
}

}  // namespace actio::data
