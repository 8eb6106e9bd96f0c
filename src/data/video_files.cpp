#include "data/video_files.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr std::array kVideoExtensions = {".mp4", ".avi",  ".mkv", ".mov",  ".webm", ".mpg",  ".mpeg", ".m4v", ".wmv",
                                         ".flv", ".3gp",  ".3g2", ".ts",   ".mts",  ".m2ts", ".ogv",  ".m1v", ".m2v",
                                         ".vob", ".h264", ".264", ".divx", ".asf",  ".y4m",  ".mjpg", ".hevc"};

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

}  // namespace

bool is_video(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kVideoExtensions, extension) != kVideoExtensions.end();
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    if (!is_hidden(entry->path())) entries.push_back(entry->path());
  }
  if (code) fail("{}: cannot be listed: {}", folder.string(), code.message());
  std::ranges::sort(entries);
  return entries;
}

void list_below(const fs::path& folder, const std::function<bool(const fs::directory_entry&)>& visit) {
  std::vector<fs::path> open = {folder};
  while (!open.empty()) {
    const fs::path place = std::move(open.back());
    open.pop_back();
    std::error_code code;
    // After an increment that fails the iterator is at the end, so the code has the last word.
    for (fs::directory_iterator entry(place, code), end; !code && entry != end; entry.increment(code)) {
      std::error_code ignored;
      const bool inner = entry->symlink_status(ignored).type() == fs::file_type::directory;
      if (visit(*entry) && inner) open.push_back(entry->path());
    }
    if (code) fail(code_of_system_error(code.value()), "{}: cannot be listed: {}", place.string(), code.message());
  }
}

const VideoFinder::Folder& VideoFinder::folder_of(const fs::path& path) {
  const auto [found, is_new] = folders_.try_emplace(path.parent_path());
  Folder& folder = found->second;
  if (!is_new) return folder;
  std::error_code code;
  const fs::path place = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(place, code), end; !code && entry != end; entry.increment(code)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) continue;
    const fs::path name = entry->path().filename();
    folder.names.insert(name.string());
    if (!is_video(name)) continue;
    const auto known = folder.video_of_stem.emplace(name.stem().string(), name.string()).first;
    known->second = std::min(known->second, name.string());  // a folder's order is not fixed
  }
  folder.listed = !code || code == std::errc::no_such_file_or_directory || code == std::errc::not_a_directory;
  return folder;
}

std::optional<fs::path> VideoFinder::find(const fs::path& path) {
  const Folder& folder = folder_of(path);
  const std::string name = path.filename().string();
  std::error_code code;
  if (folder.names.contains(name) || (!folder.listed && fs::exists(path, code))) return path;
  const auto beside = folder.video_of_stem.find(is_video(path) ? path.stem().string() : name);
  if (beside == folder.video_of_stem.end()) return std::nullopt;
  return path.parent_path() / beside->second;
}

}  // namespace actio::data
