#include "data/part_folders.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.h"
#include "data/list_file.h"
#include "data/video_files.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

using Folders = std::set<fs::path>;

std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    if (c == '_' || c == '-' || c == ' ' || c == '.')
      words.emplace_back();
    else
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  std::erase(words, "");
  return words;
}

bool is_one_of(const std::string& word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_about_files(const std::string& word) { return is_one_of(word, {"videos", "video", "clips", "clip", "data", "set"}); }

// A name that says nothing but that videos are inside.
bool is_container(const fs::path& folder) {
  const std::vector<std::string> words = words_of(folder.filename().string());
  return words.size() == 1 && is_one_of(words[0], {"videos", "video", "clips", "data"});
}

bool is_folder(const fs::path& path) {
  std::error_code code;
  return fs::is_directory(path, code);
}

// The folders of one, without links to those that are not to be read.
std::vector<fs::path> folders_of(const fs::path& folder, const Folders& outside) {
  std::vector<fs::path> folders;
  for (const fs::path& entry : sorted_entries(folder)) {
    std::error_code code;
    if (is_folder(entry) && !outside.contains(fs::canonical(entry, code))) folders.push_back(entry);
  }
  return folders;
}

bool has_loose_videos(const fs::path& folder) {
  return std::ranges::any_of(sorted_entries(folder),
                             [](const fs::path& entry) { return is_video(entry) && !is_folder(entry); });
}

// At any depth.
bool holds_video(const fs::path& folder, Folders& visited) {
  std::error_code code;
  if (!visited.insert(fs::canonical(folder, code)).second) return false;
  const std::vector<fs::path> entries = sorted_entries(folder);
  if (std::ranges::any_of(entries, [](const fs::path& entry) { return is_video(entry) && !is_folder(entry); })) return true;
  return std::ranges::any_of(entries,
                             [&](const fs::path& entry) { return is_folder(entry) && holds_video(entry, visited); });
}

std::vector<fs::path> holders(const std::vector<fs::path>& folders, const Folders& outside) {
  std::vector<fs::path> some;
  for (const fs::path& folder : folders) {
    Folders visited = outside;
    if (holds_video(folder, visited)) some.push_back(folder);
  }
  return some;
}

// Where the classes of a part are.
fs::path classes_in(const fs::path& part, const Folders& outside) {
  const std::vector<fs::path> inside = holders(folders_of(part, outside), outside);
  if (inside.size() != 1 || !is_container(inside[0]) || has_loose_videos(part) || has_loose_videos(inside[0])) return part;
  return holders(folders_of(inside[0], outside), outside).empty() ? part : inside[0];
}

std::string names_text(const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const fs::path& folder : folders) names.push_back("'" + shown(folder.filename().string()) + "'");
  const std::string last = names.back();
  names.pop_back();
  return names.empty() ? last : fmt::format("{} and {}", fmt::join(names, ", "), last);
}

// The folders of one level, by what they are.
struct FolderLevel {
  std::vector<PartFolder> parts;  // named so
  std::vector<fs::path> pure;     // those of them that hold classes and no video directly
  std::vector<fs::path> flat;     // those that hold videos directly
  std::vector<fs::path> others;   // with videos, and not named so
  std::set<Part> kinds;           // of the pure ones
};

FolderLevel look_at(const fs::path& base, const Folders& outside) {
  FolderLevel level;
  std::vector<fs::path> others;
  for (const fs::path& folder : folders_of(base, outside)) {
    const std::optional<Part> part = part_of_folder_name(folder.filename().string());
    if (!part) {
      others.push_back(folder);
      continue;
    }
    PartFolder found{*part, folder, classes_in(folder, outside)};
    found.has_classes = !holders(folders_of(found.classes, outside), outside).empty();
    const bool loose = has_loose_videos(folder);
    if (found.has_classes && !loose) {
      level.pure.push_back(folder);
      level.kinds.insert(*part);
    }
    if (loose) level.flat.push_back(folder);
    level.parts.push_back(std::move(found));
  }
  level.others = holders(others, outside);
  return level;
}

// Whether the folders are parts. Throws: as plan_folders.
bool holds_parts(const fs::path& base, const FolderLevel& level) {
  if (level.pure.empty()) return false;
  if (level.others.empty()) return true;
  if (level.kinds.size() < 2) return false;
  fail_data(
      "{}: {} hold folders of classes, but {} beside them {} videos too; --layout split_folders leaves that out, --layout "
      "folder "
      "takes all of them for classes",
      base.string(), names_text(level.pure), names_text(level.others), level.others.size() == 1 ? "has" : "have");
}

}  // namespace

std::optional<Part> part_of_folder_name(const std::string& name) {
  std::optional<Part> part;
  for (const std::string& word : words_of(name)) {
    const bool is_number = word.find_first_not_of("0123456789") == std::string::npos;
    if (is_about_files(word) || is_number) continue;
    if (part) return std::nullopt;
    if (is_one_of(word, {"train", "training"}))
      part = Part::kTrain;
    else if (is_one_of(word, {"val", "valid", "validation"}))
      part = Part::kValidation;
    else if (is_one_of(word, {"test", "testing"}))
      part = Part::kTest;
    else
      return std::nullopt;
  }
  return part;
}

FolderPlan plan_of_classes(const fs::path& path, const Folders& outside) {
  FolderPlan plan;
  plan.base = path;
  const FolderLevel level = look_at(path, outside);
  if (level.kinds.size() < 2) return plan;
  plan.warning = fmt::format(
      "{}: {} hold folders, as parts of a divided dataset do; they are read as classes, as the layout folder says",
      path.string(), names_text(level.pure));
  return plan;
}

FolderPlan plan_folders(const fs::path& path, bool asked, const Folders& outside) {
  constexpr int kMostLevels = 4;
  FolderPlan plan;
  plan.base = path;
  fs::path at = path;
  for (int depth = 0; depth < kMostLevels; ++depth) {
    const FolderLevel level = look_at(at, outside);
    const bool divides = asked ? std::ranges::any_of(level.parts, &PartFolder::has_classes) : holds_parts(at, level);
    const bool sure = asked || depth == 0 || level.kinds.size() > 1 || is_container(at);
    if (divides && sure) {
      plan.parts = level.parts;
      plan.base = at;
      return plan;
    }
    if (depth == 0 && level.flat.size() > 1 && level.others.empty()) {
      plan.warning =
          fmt::format("{}: {} are named as parts of a divided dataset but hold videos directly, so they are read as classes",
                      path.string(), names_text(level.flat));
    }
    std::vector<fs::path> inside = level.others;
    for (const PartFolder& part : level.parts) inside.push_back(part.folder);
    if (inside.size() != 1 || has_loose_videos(at) || has_loose_videos(inside[0])) break;
    plan.above.push_back(at);
    at = inside[0];
    if (is_container(at) && holders(folders_of(at, outside), outside).size() > 1) plan.base = at;
  }
  if (asked)
    fail_data("{}: no folder train, val or test with a folder per class inside, as the layout split_folders needs",
              path.string());
  std::erase_if(plan.above, [&](const fs::path& folder) { return folder.string().size() >= plan.base.string().size(); });
  return plan;
}

}  // namespace actio::data
