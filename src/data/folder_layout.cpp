#include <set>

#include "core/error.h"
#include "data/layouts.h"
#include "data/utf8.h"
#include "data/video_files.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

// Follows links to folders, but only into those that are not in `visited` yet.
void find_videos(const fs::path& folder, std::set<fs::path>& visited, std::vector<fs::path>& videos,
                 std::vector<std::string>& warnings) {
  std::error_code code;
  for (const fs::path& entry : sorted_entries(folder)) {
    if (!fs::is_directory(entry, code)) {
      if (is_video(entry)) videos.push_back(entry);
      continue;
    }
    const fs::path real = fs::canonical(entry, code);
    if (code || !visited.insert(real).second) continue;
    const std::size_t before = videos.size();
    find_videos(entry, visited, videos, warnings);
    if (is_video(entry) && videos.size() == before) {
      warnings.push_back(fmt::format("{}: named as a video, but a folder without one", entry.string()));
    }
  }
}

void insert_with_parents(const fs::path& folder, std::set<fs::path>& folders) {
  for (fs::path at = folder; folders.insert(at).second && at.has_relative_path();) at = at.parent_path();
}

}  // namespace

Table read_folder(const std::string& path) {
  Table table{{"path", "label"}, {}, {}};
  table.layout = "folder";
  std::vector<fs::path> classes;
  std::set<fs::path> above;     // the root and the folders that hold it
  std::set<fs::path> reserved;  // those, and the classes and what holds them: no class reaches them by a link
  std::error_code code;
  insert_with_parents(fs::canonical(path, code), above);
  reserved = above;
  bool loose = false;
  for (const fs::path& entry : sorted_entries(path)) {
    if (!fs::is_directory(entry, code)) {
      loose = loose || is_video(entry);
      continue;
    }
    const fs::path real = fs::canonical(entry, code);
    if (above.contains(real)) {
      table.warnings.push_back(fmt::format("{}: links to {}, which it lies in, so no class", entry.string(), real.string()));
      continue;
    }
    insert_with_parents(real, reserved);
    classes.push_back(entry);
  }
  for (const fs::path& entry : classes) {
    std::set<fs::path> visited = reserved;
    std::vector<fs::path> videos;
    find_videos(entry, visited, videos, table.warnings);
    const std::string label = entry.filename().string();
    if (videos.empty()) {
      table.warnings.push_back(fmt::format("{}: no video, so no class", entry.string()));
    } else if (!is_utf8(label)) {
      fail_data("{}: the folder name '{}' is not UTF-8, so it cannot be a class", path, escaped(label));
    }
    for (const fs::path& video : videos) table.items.push_back({video.string(), label, -1, {}, {}});
  }
  if (table.items.empty()) {
    fail_data("{}: no class; one folder per class with videos inside was expected{}", path,
              loose ? ", the videos here lie beside each other" : "");
  }
  return table;
}

}  // namespace actio::data
