#include "data/video_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <utility>

#include "core/error.h"
#include "data/list_file.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

// What FFmpeg reads as a video and people name so.
constexpr std::array kVideoExtensions = {".mp4",  ".avi", ".mkv",  ".mov",   ".webm", ".mpg", ".mpeg", ".mpe",  ".m4v",
                                         ".mp4v", ".f4v", ".qt",   ".wmv",   ".asf",  ".flv", ".3gp",  ".3gpp", ".3g2",
                                         ".ts",   ".mts", ".m2ts", ".m2t",   ".trp",  ".tod", ".ogv",  ".ogm",  ".m1v",
                                         ".m2v",  ".mpv", ".mp2v", ".vob",   ".mxf",  ".dv",  ".divx", ".xvid", ".rm",
                                         ".rmvb", ".gif", ".mjpg", ".mjpeg", ".h264", ".264", ".avc",  ".h265", ".265",
                                         ".hevc", ".ivf", ".obu",  ".y4m",   ".nut",  ".wtv", ".amv",  ".dav",  ".mk3d"};

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

std::string extension_of(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

// Where several videos have a name in common, the one that stands for it: an animated picture is often a preview.
bool is_preferred(const std::string& name, const std::string& other) {
  const bool preview = extension_of(name) == ".gif", other_preview = extension_of(other) == ".gif";
  return preview != other_preview ? other_preview : name < other;
}

}  // namespace

bool is_video(const fs::path& path) {
  return std::ranges::find(kVideoExtensions, extension_of(path)) != kVideoExtensions.end();
}

FolderContent list_folder(const fs::path& folder) {
  FolderContent content;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    if (is_hidden(entry->path()))
      ++content.hidden;
    else
      content.entries.push_back(entry->path());
  }
  if (code) fail("{}: cannot be listed: {}", folder.string(), code.message());
  std::ranges::sort(content.entries);
  return content;
}

std::vector<fs::path> sorted_entries(const fs::path& folder) { return list_folder(folder).entries; }

void IgnoredFiles::add(const fs::path& file) { ++of_extension_[extension_of(file)]; }

void IgnoredFiles::add_loose_video(const fs::path& file) {
  if (loose_++ == 0) first_loose_ = file.filename().string();
}

std::string IgnoredFiles::text() const {
  constexpr std::size_t kShown = 6;
  std::vector<std::pair<std::string, std::int64_t>> kinds(of_extension_.begin(), of_extension_.end());
  std::ranges::stable_sort(kinds, std::greater(), [](const auto& kind) { return kind.second; });
  std::vector<std::string> parts;
  std::int64_t files = loose_ + hidden_, rest = 0;
  for (const auto& [extension, count] : kinds) {
    files += count;
    if (parts.size() >= kShown)
      rest += count;
    else
      parts.push_back(fmt::format("{} {}", count, extension.empty() ? "without extension" : shown(extension)));
  }
  if (rest > 0) parts.push_back(fmt::format("{} of other kinds", rest));
  if (hidden_ > 0) parts.push_back(fmt::format("{} hidden", hidden_));
  if (loose_ > 0) {
    parts.push_back(fmt::format("{} {} beside the classes ({}{})", loose_, loose_ == 1 ? "video" : "videos",
                                shown(first_loose_), loose_ == 1 ? "" : ", ..."));
  }
  const std::string folders = fmt::format("{} empty {}", empty_folders_, empty_folders_ == 1 ? "folder" : "folders");
  if (files == 0) return empty_folders_ == 0 ? "" : "ignored " + folders;
  return fmt::format("ignored {} {}: {}{}", files, files == 1 ? "file" : "files", fmt::join(parts, ", "),
                     empty_folders_ == 0 ? "" : ", and " + folders);
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
    if (is_preferred(name.string(), known->second)) known->second = name.string();  // a folder's order is not fixed
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
