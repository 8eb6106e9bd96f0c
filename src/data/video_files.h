// data: which files are videos, and where they lie. In: folders and the paths of a list. Out: paths of video files.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace actio::data {

// By its extension, upper or lower case.
bool is_video(const std::filesystem::path& path);

// What is in the folder, sorted; not what is hidden. Throws: Error(kFailed) where it cannot be listed.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder);

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
