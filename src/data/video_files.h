// data: which files are videos, and where they lie. In: folders and the paths of a list. Out: paths of video files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace actio::data {

// By its extension, upper or lower case: the one list of them.
bool is_video(const std::filesystem::path& path);

struct FolderContent {
  std::vector<std::filesystem::path> entries;  // sorted
  std::int64_t hidden = 0;                     // entries that are left out
};

// Throws: Error(kFailed) where the folder cannot be listed.
FolderContent list_folder(const std::filesystem::path& folder);

// The entries alone. Throws: as list_folder.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder);

// What a reader of folders leaves out.
class IgnoredFiles {
 public:
  void add(const std::filesystem::path& file);              // no video, by its name
  void add_loose_video(const std::filesystem::path& file);  // one that lies beside the classes
  void add_hidden(std::int64_t count) { hidden_ += count; }
  void add_empty_folder() { ++empty_folders_; }

  // "ignored 12 files: 7 .txt, 3 without extension, 2 videos beside the classes (intro.mp4, ...)"; empty where there is
  // nothing.
  std::string text() const;

 private:
  std::map<std::string, std::int64_t> of_extension_;
  std::int64_t loose_ = 0, hidden_ = 0, empty_folders_ = 0;
  std::string first_loose_;
};

// Shows `visit` what is in the folder at any depth, in no order; it says whether to go on into an entry that is a folder. Links to
// folders are not followed.
// Throws: Error, kTransient where that may pass, for a folder that cannot be listed to its end: a part of a list is none.
void list_below(const std::filesystem::path& folder, const std::function<bool(const std::filesystem::directory_entry&)>& visit);

// Lists every folder once, however many of its files are asked for.
class VideoFinder {
 public:
  // `path` where that file is there; else the file beside it that has the same name and a video's extension: lists of raw
  // frames leave the extension out, and clips are often converted. Empty where there is neither.
  std::optional<std::filesystem::path> find(const std::filesystem::path& path);

 private:
  struct Folder {
    bool listed = false;
    std::set<std::string> names;
    std::map<std::string, std::string> video_of_stem;
  };
  const Folder& folder_of(const std::filesystem::path& path);

  std::map<std::filesystem::path, Folder> folders_;
};

}  // namespace actio::data
