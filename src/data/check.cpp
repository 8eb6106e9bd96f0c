#include "data/check.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "core/cores.h"
#include "core/error.h"
#include "core/file.h"
#include "data/near_duplicates.h"

namespace actio::data {
namespace {

void look(CheckedClip& clip, const std::string& path, const ReadLimits& limits, const std::stop_token& stop) {
  try {
    clip.look = look_at(path, limits, stop);
  } catch (const std::bad_alloc&) {
    clip.error = "there is not enough memory to decode it";
  } catch (const std::exception& error) {
    clip.error = error.what();
    const std::string start = one_line(path) + ": ";
    if (clip.error.starts_with(start)) clip.error.erase(0, start.size());
  }
  if (stop.stop_requested()) clip.look.reset(), clip.error.clear();
}

void look_at_all(std::vector<CheckedClip>& clips, const Dataset& dataset, const CheckOptions& options,
                 const ProgressFn& progress, const std::stop_token& stop) {
  std::atomic<std::size_t> next = 0;
  std::atomic<std::int64_t> done = 0;
  const auto work = [&](bool tells) {
    while (!stop.stop_requested()) {
      const std::size_t i = next++;
      if (i >= clips.size()) return;
      look(clips[i], dataset.items[clips[i].item].path, options.limits, stop);
      ++done;
      if (tells && progress) progress({"looking at clips", done, static_cast<std::int64_t>(clips.size()), ""});
    }
  };
  const auto wanted = static_cast<std::size_t>(options.workers > 0 ? options.workers : core_count());
  std::vector<std::jthread> threads;
  try {
    for (std::size_t i = 1; i < std::min(wanted, clips.size()); ++i) threads.emplace_back(work, false);
  } catch (const std::system_error&) {
    // The system gives no more threads; those that are there do.
  }
  work(true);
}

void count(CheckReport& report, const Dataset& dataset, const DatasetOptions& options) {
  report.classes.resize(dataset.classes.size());
  std::map<std::string, std::set<std::string>> classes_of_group, files_of_group;
  std::map<std::int64_t, std::set<std::string>> groups_of_class;
  std::map<std::pair<std::string, std::string>, std::set<Part>>
      parts_of_group;  // those of file names count within their class
  for (const CheckedClip& clip : report.clips) {
    const Item& item = dataset.items[clip.item];
    ++report.classes[static_cast<std::size_t>(item.class_index)].clips;
    groups_of_class[item.class_index].insert(item.group);
    classes_of_group[item.group].insert(item.label);
    files_of_group[item.group].insert(item.file);
    parts_of_group[{options.group.empty() ? item.label : std::string(), item.group}].insert(clip.part);
  }
  GroupCounts& groups = report.groups;
  groups.groups = static_cast<std::int64_t>(classes_of_group.size());
  groups.any = std::ranges::any_of(files_of_group, [](const auto& entry) { return entry.second.size() > 1; });
  groups.of_one_class = std::ranges::count_if(classes_of_group, [](const auto& entry) { return entry.second.size() == 1; });
  for (const auto& [label, names] : groups_of_class)
    report.classes[static_cast<std::size_t>(label)].groups = static_cast<std::int64_t>(names.size());
  for (const auto& [group, parts] : parts_of_group) {
    if (parts.size() > 1 && groups.divided++ == 0) groups.first_divided = group.second;
  }
}

// The clips that could be looked at, with labels and groups as numbers.
struct Looked {
  std::vector<const CheckedClip*> clips;
  Labelling labelling;
};

Looked looked_at(const CheckReport& report, const Dataset& dataset) {
  Looked looked;
  looked.labelling.classes = static_cast<int>(dataset.classes.size());
  std::map<std::string, int> number_of;
  for (const CheckedClip& clip : report.clips) {
    if (!clip.look) continue;
    const Item& item = dataset.items[clip.item];
    looked.clips.push_back(&clip);
    looked.labelling.label.push_back(static_cast<int>(item.class_index));
    looked.labelling.group.push_back(number_of.try_emplace(item.group, static_cast<int>(number_of.size())).first->second);
  }
  return looked;
}

// Nothing where two clips that show the same do no harm: within a class, a group and a part.
std::optional<CopyKind> kind_of(const CheckedClip& a, const CheckedClip& b, const Dataset& dataset) {
  const Item& one = dataset.items[a.item];
  const Item& other = dataset.items[b.item];
  if (a.part != b.part) return CopyKind::kParts;
  if (one.label != other.label) return CopyKind::kClasses;
  if (one.group != other.group && one.file != other.file) return CopyKind::kGroups;
  return std::nullopt;
}

bool have_same_bytes(const CheckedClip& a, const CheckedClip& b, const Dataset& dataset) {
  if (a.look->facts.bytes != b.look->facts.bytes) return false;
  try {
    return content_hash_of_file(dataset.items[a.item].path) == content_hash_of_file(dataset.items[b.item].path);
  } catch (const Error&) {
    return false;  // gone since it was looked at
  }
}

std::vector<Copy> find_copies(const std::vector<const CheckedClip*>& clips, const Dataset& dataset,
                              const std::stop_token& stop) {
  std::vector<const Glimpse*> glimpses;
  for (const CheckedClip* clip : clips) glimpses.push_back(&clip->look->glimpse);
  std::vector<Copy> copies;
  for (const GlimpsePair& pair : near_duplicates(glimpses, stop)) {
    const CheckedClip& a = *clips[pair.first];
    const CheckedClip& b = *clips[pair.second];
    if (const auto kind = kind_of(a, b, dataset)) copies.push_back({a.item, b.item, *kind, have_same_bytes(a, b, dataset)});
  }
  std::ranges::stable_sort(copies, {}, &Copy::kind);
  return copies;
}

std::vector<CheckedClip> clips_in_use(const Dataset& dataset, const DatasetOptions& options) {
  const bool divided = is_divided(dataset, options);
  const std::vector<Part> parts =
      divided ? parts_of(dataset, options) : std::vector<Part>(dataset.items.size(), Part::kNone);
  std::vector<CheckedClip> clips;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] != Part::kUnused) clips.push_back({i, parts[i], std::nullopt, ""});
  }
  return clips;
}

}  // namespace

Fields CheckOptions::fields() {
  return {
      {"workers", &workers, "clips looked at at the same time; 0: as many as cores", {}, 0, 256},
      {"permutations", &permutations, "how often labels are exchanged to find out what chance would name", {}, 200, 1e6},
  };
}

std::int64_t CheckReport::looked_at() const {
  return std::ranges::count_if(clips, [](const CheckedClip& clip) { return clip.look.has_value(); });
}

std::int64_t CheckReport::unreadable() const {
  return std::ranges::count_if(clips, [](const CheckedClip& clip) { return !clip.error.empty(); });
}

std::int64_t CheckReport::copies_of(CopyKind kind) const { return std::ranges::count(copies, kind, &Copy::kind); }

bool CheckReport::found() const {
  return unreadable() > 0 || groups.divided > 0 || giveaway.found() || !fixed.empty() || !copies.empty();
}

CheckReport check_dataset(const Dataset& dataset, const DatasetOptions& options, const CheckOptions& check,
                          const ProgressFn& progress, const std::stop_token& stop) {
  CheckReport report;
  report.clips = clips_in_use(dataset, options);
  report.warnings =
      split_warnings(dataset, options.validation_share == 0 ? divide(dataset, options) : split_dataset(dataset, options));
  look_at_all(report.clips, dataset, check, progress, stop);
  count(report, dataset, options);
  const Looked looked = looked_at(report, dataset);
  std::vector<const FileFacts*> facts;
  std::vector<const std::vector<std::uint8_t>*> still;
  for (const CheckedClip* clip : looked.clips) {
    facts.push_back(&clip->look->facts);
    still.push_back(&clip->look->glimpse.still);
  }
  if (!stop.stop_requested() && !looked.clips.empty() && check.permutations > 0) {
    const GiveawayOptions giveaway = {.permutations = check.permutations, .seed = check.seed};
    report.giveaway = find_giveaway(fact_table(facts), looked.labelling, giveaway, stop);
    report.fixed = find_fixed_pixels(still, looked.labelling);
    report.copies = find_copies(looked.clips, dataset, stop);
  }
  report.stopped = stop.stop_requested();
  return report;
}

}  // namespace actio::data
