#include "data/official_lists.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "core/error.h"
#include "data/label.h"
#include "data/list_file.h"
#include "data/utf8.h"
#include "data/video_files.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr std::array kListFolders = {"ucfTrainTestlist", "testTrainMulti_7030_splits", "annotations", "splits"};
constexpr std::array kVideoFolders = {"UCF-101", "UCF101", "ucf101", "hmdb51_org", "HMDB51", "hmdb51", "videos"};
constexpr std::string_view kClassFile = "classInd.txt";
constexpr std::string_view kSplitName = "_test_split";  // of HMDB51: CLASS_test_splitN.txt

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The class that a list of HMDB51 is for; empty for another file. `split` 0 takes any split.
std::string class_of_list(const fs::path& file, std::int64_t split) {
  const std::string name = file.filename().string();
  const std::size_t at = name.rfind(kSplitName);
  if (at == std::string::npos || at == 0) return {};
  const std::string rest = name.substr(at + kSplitName.size());
  if (rest.size() != 5 || !rest.ends_with(".txt") || rest[0] < '1' || rest[0] > '3') return {};
  return split == 0 || rest[0] - '0' == split ? name.substr(0, at) : std::string();
}

// Sorted, as HMDB51's classes are numbered.
std::vector<std::string> hmdb51_classes(const fs::path& annotations, std::int64_t split) {
  std::vector<std::string> classes;
  for (const fs::path& file : sorted_entries(annotations)) {
    if (std::string name = class_of_list(file, split); !name.empty()) classes.push_back(std::move(name));
  }
  std::ranges::sort(classes);
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return classes;
}

std::vector<std::string> ucf101_classes(const fs::path& annotations) {
  const ListFile list = read_list_file((annotations / kClassFile).string());
  std::vector<std::string> classes;
  std::set<std::string> known;
  for (const ListLine& line : list.lines) {
    const std::size_t blank = std::min(line.text.find_first_of(" \t"), line.text.size());
    const std::size_t name = line.text.find_first_not_of(" \t", blank);
    if (name == std::string::npos || line.text.substr(0, blank) != std::to_string(classes.size() + 1)) {
      fail_data("{} line {}: '{} CLASS' was expected, got '{}'", list.source, line.number, classes.size() + 1,
                shown(line.text));
    }
    classes.emplace_back(trimmed_label(std::string_view(line.text).substr(name)));
    if (!is_utf8(classes.back())) {
      fail_data("{} line {}: the class name '{}' is not UTF-8", list.source, line.number, shown(classes.back()));
    }
    if (!known.insert(classes.back()).second) {
      fail_data("{} line {}: class '{}' has a number already", list.source, line.number, shown(classes.back()));
    }
  }
  return classes;
}

Layout layout_of_lists(const fs::path& folder, Layout wanted) {
  std::error_code code;
  if (!fs::is_directory(folder, code)) return Layout::kAuto;
  if (wanted != Layout::kHmdb51 && fs::exists(folder / kClassFile, code)) return Layout::kUcf101;
  fs::directory_iterator entry(folder, code);
  for (const fs::directory_iterator end; !code && wanted != Layout::kUcf101 && entry != end; entry.increment(code)) {
    if (!class_of_list(entry->path(), 0).empty()) return Layout::kHmdb51;
  }
  return Layout::kAuto;
}

// Where the class folders are: in `path`, or in a folder of it that is named as the distribution's.
std::string find_videos(const fs::path& path, const std::vector<std::string>& classes) {
  std::error_code code;
  const auto holds_class = [&](const fs::path& folder) {
    return std::ranges::any_of(classes, [&](const std::string& name) { return fs::is_directory(folder / name, code); });
  };
  if (holds_class(path)) return path.string();
  for (const char* name : kVideoFolders) {
    if (holds_class(path / name)) return (path / name).string();
  }
  return path.string();
}

class OfficialReader {
 public:
  OfficialReader(const OfficialPlace& place, std::vector<std::string> classes) : videos_(place.videos) {
    table_.columns = {"path", "label", "part"};
    table_.layout = place.layout;
    table_.classes = std::move(classes);
    for (std::size_t i = 0; i < table_.classes.size(); ++i) {
      index_of_[table_.classes[i]] = i;
      index_of_lower_[lower_case(table_.classes[i])] = i;
    }
  }

  // UCF101's folder HandstandPushups has files named HandStandPushups, and so have folders in some copies of the lists.
  std::size_t class_of_folder(const std::string& name, const std::string& where) const {
    if (const auto exact = index_of_.find(name); exact != index_of_.end()) return exact->second;
    if (const auto near = index_of_lower_.find(lower_case(name)); near != index_of_lower_.end()) return near->second;
    const std::string nearest = nearest_name(name, table_.classes);
    fail_data("{}: unknown class '{}'{}", where, shown(name),
              nearest.empty() ? "" : fmt::format("; the nearest is '{}'", nearest));
  }

  void add(const std::string& listed, std::size_t class_index, Part part, const ListFile& list, std::size_t line) {
    listed_.add(fs::path(listed).lexically_normal().string(), listed, list.source, line);
    const std::string& label = table_.classes[class_index];
    auto found = finder_.find(videos_ / listed);
    if (!found) found = finder_.find(videos_ / label / fs::path(listed).filename());
    if (!found && missing_++ == 0) first_missing_ = (videos_ / listed).string();
    Item item{found.value_or(videos_ / listed).string(), label, -1, {}, {}};
    item.part = part;
    item.columns = {{"path", listed}, {"label", label}, {"part", part_name(part)}};
    if (table_.layout == Layout::kUcf101) item.columns["label_id"] = std::to_string(class_index + 1);
    table_.items.push_back(std::move(item));
  }

  const std::vector<std::string>& classes() const { return table_.classes; }

  Table finish(std::string protocol) {
    table_.protocol = std::move(protocol);
    if (table_.layout == Layout::kUcf101) {
      table_.columns.push_back("label_id");
      for (std::size_t i = 0; i < table_.classes.size(); ++i) table_.ids.push_back(std::to_string(i + 1));
    }
    if (missing_ > 0) {
      table_.warnings.push_back(fmt::format("{}: {} of the {} clips of {} are not there, the first is {}", videos_.string(),
                                            missing_, table_.items.size(), table_.protocol, first_missing_));
    }
    return std::move(table_);
  }

 private:
  fs::path videos_;
  Table table_;
  std::map<std::string, std::size_t> index_of_, index_of_lower_;
  ListedClips listed_;
  VideoFinder finder_;
  std::int64_t missing_ = 0;
  std::string first_missing_;
};

// "CLASS/VIDEO" or "CLASS/VIDEO INDEX".
void read_ucf101_list(OfficialReader& reader, const fs::path& file, Part part) {
  const ListFile list = read_list_file(file.string());
  for (const ListLine& line : list.lines) {
    const std::string where = fmt::format("{} line {}", list.source, line.number);
    auto [path, index_text] = split_last_word(line.text);
    if (!index_text.empty() && is_video(index_text)) {  // a blank within the name
      path = line.text;
      index_text.clear();
    }
    const std::string folder = fs::path(path).parent_path().filename().string();
    if (folder.empty() || !fs::path(path).has_filename()) {
      fail_data("{}: 'CLASS/VIDEO' or 'CLASS/VIDEO INDEX' was expected, got '{}'", where, shown(line.text));
    }
    const std::size_t of_folder = reader.class_of_folder(folder, where);
    if (!index_text.empty()) {
      std::size_t index = 0;
      const auto [end, code] = std::from_chars(index_text.data(), index_text.data() + index_text.size(), index);
      const bool is_number = code == std::errc() && end == index_text.data() + index_text.size();
      if (!is_number || index < 1 || index > reader.classes().size()) {
        fail_data("{}: class index {} is out of range; 1 to {} were expected", where, shown(index_text),
                  reader.classes().size());
      }
      if (index - 1 != of_folder) {
        fail_data("{}: class index {} is '{}', the folder is '{}'", where, index, reader.classes()[index - 1],
                  shown(folder));
      }
    }
    reader.add(path, of_folder, part, list, line.number);
  }
}

void read_hmdb51_list(OfficialReader& reader, const fs::path& file, std::size_t class_index) {
  const ListFile list = read_list_file(file.string());
  const std::string& label = reader.classes()[class_index];
  for (const ListLine& line : list.lines) {
    const auto [name, digit] = split_last_word(line.text);
    if (digit.empty() || !is_video(name) || fs::path(name).has_parent_path()) {
      fail_data("{} line {}: 'VIDEO 0', 'VIDEO 1' or 'VIDEO 2' was expected, got '{}'", list.source, line.number,
                shown(line.text));
    }
    if (digit != "0" && digit != "1" && digit != "2") {
      fail_data("{} line {}: the part must be 0 (unused), 1 (train) or 2 (test), got '{}'", list.source, line.number,
                shown(digit));
    }
    const Part part = digit == "0" ? Part::kUnused : digit == "1" ? Part::kTrain : Part::kTest;
    reader.add((fs::path(label) / name).string(), class_index, part, list, line.number);
  }
}

}  // namespace

OfficialPlace find_official_lists(const std::string& path, const DatasetOptions& options, bool beside) {
  std::error_code ignored;  // of a working folder that is gone: then the path as it is
  const fs::path whole = fs::absolute(path.empty() ? "." : path, ignored).lexically_normal();
  const fs::path parent = whole.has_filename() ? whole.parent_path() : whole.parent_path().parent_path();
  std::vector<fs::path> candidates;
  if (!options.annotations.empty()) {
    std::error_code code;
    if (!fs::is_directory(options.annotations, code)) fail("annotations: {}: no such folder", options.annotations);
    candidates = {options.annotations};
  } else {
    candidates.push_back(path);
    for (const char* name : kListFolders) candidates.push_back(fs::path(path) / name);
    for (const char* name : kListFolders) {
      if (beside) candidates.push_back(parent / name);
    }
  }
  for (const fs::path& folder : candidates) {
    OfficialPlace place{layout_of_lists(folder, options.layout), folder.string(), options.root};
    if (!is_official(place.layout)) continue;
    const bool ucf101 = place.layout == Layout::kUcf101;
    if (options.root.empty()) place.videos = find_videos(path, ucf101 ? ucf101_classes(folder) : hmdb51_classes(folder, 0));
    return place;
  }
  if (options.annotations.empty()) return {};
  fail_usage("annotations: {}: neither classInd.txt (UCF101) nor CLASS_test_splitN.txt (HMDB51) is there{}",
             options.annotations,
             options.layout == Layout::kAuto ? "" : fmt::format(", as the layout {} needs", name_of(options.layout)));
}

Table read_ucf101(const OfficialPlace& place, std::int64_t split) {
  OfficialReader reader(place, ucf101_classes(place.annotations));
  read_ucf101_list(reader, fs::path(place.annotations) / fmt::format("trainlist{:02}.txt", split), Part::kTrain);
  read_ucf101_list(reader, fs::path(place.annotations) / fmt::format("testlist{:02}.txt", split), Part::kTest);
  return reader.finish(fmt::format("UCF101 split {}", split));
}

Table read_hmdb51(const OfficialPlace& place, std::int64_t split) {
  OfficialReader reader(place, hmdb51_classes(place.annotations, 0));
  for (std::size_t i = 0; i < reader.classes().size(); ++i) {
    const std::string& name = reader.classes()[i];
    if (!is_utf8(name)) fail_data("{}: the class name '{}' is not UTF-8", place.annotations, shown(name));
    read_hmdb51_list(reader, fs::path(place.annotations) / fmt::format("{}{}{}.txt", name, kSplitName, split), i);
  }
  return reader.finish(fmt::format("HMDB51 split {}", split));
}

}  // namespace actio::data
