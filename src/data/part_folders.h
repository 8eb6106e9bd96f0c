// data: folders that divide a dataset by their names. In: a folder. Out: where the folders of the classes are, and in which
// part.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace actio::data {

// What a folder's name says: "train", "Training", "videos_train", "val_256", "validation", "valid", "test", "testing"; else
// nothing.
std::optional<Part> part_of_folder_name(const std::string& name);

struct PartFolder {
  Part part = Part::kNone;
  std::filesystem::path folder;   // named as the part
  std::filesystem::path classes;  // the folder that holds the classes: that one, or one named "videos" inside of it
  bool has_classes = false;
};

struct FolderPlan {
  std::filesystem::path base;                // holds the parts, or the classes
  std::vector<PartFolder> parts;             // empty: the folders of `base` are the classes
  std::vector<std::filesystem::path> above;  // folders that only lead to `base`
  std::string warning;                       // empty, or what is doubtful about this reading
};

// Reads `path` itself, or the one folder of it that holds videos where that is named as a container ("videos") or divided by
// parts. `asked`: the user said that the folders are parts. `outside` are folders that nothing is read from. Throws:
// Error(kBadData) where folders named as parts lie beside others, so that neither reading is sure, and where `asked` is
// wrong.
FolderPlan plan_folders(const std::filesystem::path& path, bool asked, const std::set<std::filesystem::path>& outside);

// A folder by itself, its own folders being the classes. Throws: as list_folder.
FolderPlan plan_of_classes(const std::filesystem::path& path, const std::set<std::filesystem::path>& outside);

}  // namespace actio::data
