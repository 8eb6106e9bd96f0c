#include "data/check_report.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/error.h"
#include "data/list_file.h"

namespace actio::data {
namespace {

constexpr std::size_t kShownFindings = 5;  // of the single findings of a kind

struct CopyInfo {
  const char* name;
  const char* text;
};

// In the order of CopyKind.
constexpr std::array<CopyInfo, 3> kCopies = {
    {{"parts", "in two parts"}, {"classes", "in two classes"}, {"groups", "in two groups"}}};

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

std::string line(const char* section, const std::string& text) { return fmt::format("{:<14}{}\n", section, text); }
std::string more(const std::string& text) { return line("", text); }

std::string range_text(std::int64_t least, std::int64_t most, const char* what) {
  return least == most ? fmt::format("{} {}", least, what) : fmt::format("{} to {} {}", least, most, what);
}

std::string clips_text(const CheckReport& report, const Dataset& dataset) {
  std::string text = line("clips", fmt::format("{} looked at, {} cannot be read", report.looked_at(), report.unreadable()));
  std::size_t told = 0;
  for (const CheckedClip& clip : report.clips) {
    if (clip.error.empty()) continue;
    if (++told > kShownFindings) break;
    text += more(fmt::format("{}: {}", shown(dataset.items[clip.item].path), clip.error));
  }
  if (told > kShownFindings) text += more("and more; actio data scan has them all");
  return text;
}

// Names of the first few classes that `is_so` holds for, or nothing.
template <class Test>
std::string names_where(const CheckReport& report, const Dataset& dataset, const Test& is_so) {
  std::vector<std::string> names;
  std::size_t count = 0;
  for (std::size_t i = 0; i < report.classes.size(); ++i) {
    if (is_so(report.classes[i]) && ++count <= kShownFindings) names.push_back("'" + shown(dataset.classes[i]) + "'");
  }
  if (count == 0) return "";
  return fmt::format("{}{}", fmt::join(names, ", "),
                     count > kShownFindings ? fmt::format(" and {} more", count - kShownFindings) : "");
}

std::string classes_text(const CheckReport& report, const Dataset& dataset) {
  constexpr double kUneven = 3;
  constexpr std::int64_t kFew = 3;
  std::int64_t least = 0, most = 0;
  for (const ClassCounts& counts : report.classes) {
    if (counts.clips == 0) continue;  // is a warning of the dataset's
    least = least == 0 ? counts.clips : std::min(least, counts.clips);
    most = std::max(most, counts.clips);
  }
  const double ratio = least > 0 ? static_cast<double>(most) / static_cast<double>(least) : 1;
  std::string text = line("classes", fmt::format("{}: {} a class", report.classes.size(), range_text(least, most, "clips")));
  if (ratio >= kUneven)
    text += more(fmt::format("the largest has {:.1f} times the clips of the smallest: train --balance", ratio));
  const std::string few = names_where(report, dataset, [](const ClassCounts& c) { return c.clips > 0 && c.clips < kFew; });
  if (!few.empty()) text += more(fmt::format("fewer than {} clips: {}", kFew, few));
  const std::string narrow =
      names_where(report, dataset, [](const ClassCounts& c) { return c.clips >= kFew && c.groups < kFew; });
  if (report.groups.any && !narrow.empty()) text += more(fmt::format("fewer than {} groups: {}", kFew, narrow));
  return text;
}

std::string groups_text(const CheckReport& report) {
  const GroupCounts& groups = report.groups;
  if (!groups.any) return line("groups", "each file its own (--group names a column of recordings or people)");
  std::string text = line("groups", fmt::format("{}, {} of one class only", groups.groups, groups.of_one_class));
  if (groups.divided > 0) {
    text += more(fmt::format("FOUND {} in several parts, '{}' for one: what is tested on was seen in training",
                             groups.divided, shown(groups.first_divided)));
  }
  return text;
}

std::string score_text(const FactScore& score) {
  return fmt::format("{} (chance {}, p {:.3f})", percent(score.accuracy), percent(score.chance), score.p_value);
}

std::string giveaway_text(const Giveaway& giveaway) {
  if (giveaway.clips == 0)
    return line("giveaway", "nothing to compare: the files are alike in every fact, or there is one class or group");
  const auto best = std::ranges::find(giveaway.single, true, &FactScore::found);
  const auto least = giveaway.single.begin();  // the most telling, if not telling enough
  if (!giveaway.found()) {
    return line("giveaway", fmt::format("none: the files' properties alone name {}, at most '{}' {}",
                                        score_text(giveaway.all), least->name, score_text(*least)));
  }
  std::string text;
  if (giveaway.all.found) {
    text =
        line("giveaway",
             fmt::format(
                 "FOUND names {} of classes from the file's properties alone (chance {}, p {:.3f}): re-encode or distrust",
                 percent(giveaway.all.accuracy), percent(giveaway.all.chance), giveaway.all.p_value));
  }
  std::vector<std::string> singles;
  for (auto at = best; at != giveaway.single.end() && singles.size() < kShownFindings; ++at) {
    if (at->found) singles.push_back(fmt::format("{} {}", at->name, score_text(*at)));
  }
  if (text.empty()) {
    text =
        line("giveaway", fmt::format("FOUND names {} of classes from {} alone (chance {}, p {:.3f}): re-encode or distrust",
                                     percent(best->accuracy), best->name, percent(best->chance), best->p_value));
    singles.erase(singles.begin());
  }
  if (!singles.empty()) text += more(fmt::format("alone: {}", fmt::join(singles, ", ")));
  return text;
}

std::string fixed_text(const CheckReport& report, const Dataset& dataset) {
  constexpr double kWholePicture = 0.3;
  if (report.fixed.empty()) return line("fixed pixels", "none that are a class's own");
  std::string text;
  for (const FixedRegion& region : report.fixed) {
    const std::string where = fmt::format("x {:.0f}..{:.0f} %, y {:.0f}..{:.0f} %", 100 * region.left, 100 * region.right,
                                          100 * region.top, 100 * region.bottom);
    const char* what = region.share < kWholePicture ? "a logo, a border or a time stamp" : "one background";
    text += line(text.empty() ? "fixed pixels" : "",
                 fmt::format("FOUND '{}': {:.1f} % of the frame, {}: {}; {} of its {}, {} of the others",
                             shown(dataset.classes[static_cast<std::size_t>(region.label)]), 100 * region.share, where, what,
                             percent(region.inside), report.groups.any ? "groups" : "clips", percent(region.outside)));
  }
  return text;
}

std::string copies_text(const CheckReport& report, const Dataset& dataset) {
  if (report.copies.empty()) return line("copies", "none");
  std::string text;
  for (std::size_t kind = 0; kind < kCopies.size(); ++kind) {
    std::set<std::size_t> clips;
    for (const Copy& copy : report.copies) {
      if (static_cast<std::size_t>(copy.kind) == kind) clips.insert({copy.first, copy.second});
    }
    if (clips.empty()) continue;
    // Without groups every file is one.
    const char* where = kind == 2 && !report.groups.any ? "there twice" : kCopies[kind].text;
    text += line(text.empty() ? "copies" : "",
                 fmt::format("FOUND {} clips show the same as another one and are {}", clips.size(), where));
    std::size_t told = 0;
    for (const Copy& copy : report.copies) {
      if (static_cast<std::size_t>(copy.kind) != kind || ++told > kShownFindings) continue;
      text += more(fmt::format("{} = {} ({})", shown(dataset.items[copy.first].path), shown(dataset.items[copy.second].path),
                               copy.same_bytes ? "the same bytes" : "encoded anew"));
    }
  }
  return text;
}

}  // namespace

std::string check_text(const CheckReport& report, const Dataset& dataset) {
  return clips_text(report, dataset) + classes_text(report, dataset) + groups_text(report) + giveaway_text(report.giveaway) +
         fixed_text(report, dataset) + copies_text(report, dataset);
}

std::vector<std::string> findings(const CheckReport& report, const Dataset& dataset) {
  constexpr std::string_view kMark = "FOUND ";
  std::vector<std::string> found;
  const std::string text = check_text(report, dataset);
  for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at + 1)) {
    const std::size_t begin = at + kMark.size();
    found.push_back(text.substr(begin, text.find('\n', begin) - begin));
  }
  return found;
}

Json check_json(const CheckReport& report, const Dataset& dataset) {
  Json json = {{"dataset", dataset.source},       {"found", report.found()},           {"clips", report.clips.size()},
               {"looked_at", report.looked_at()}, {"unreadable", report.unreadable()}, {"warnings", report.warnings},
               {"classes", Json::array()}};
  for (std::size_t i = 0; i < report.classes.size(); ++i) {
    json["classes"].push_back(
        {{"name", dataset.classes[i]}, {"clips", report.classes[i].clips}, {"groups", report.classes[i].groups}});
  }
  json["groups"] = {
      {"count", report.groups.groups}, {"of_one_class", report.groups.of_one_class}, {"divided", report.groups.divided}};
  json["giveaway"] = to_json(report.giveaway);
  json["fixed_pixels"] = Json::array();
  for (const FixedRegion& region : report.fixed) {
    Json entry = to_json(region);
    entry["class"] = dataset.classes[static_cast<std::size_t>(region.label)];
    json["fixed_pixels"].push_back(std::move(entry));
  }
  json["copies"] = Json::array();
  for (const Copy& copy : report.copies) {
    json["copies"].push_back({{"first", dataset.items[copy.first].path},
                              {"second", dataset.items[copy.second].path},
                              {"across", kCopies[static_cast<std::size_t>(copy.kind)].name},
                              {"same_bytes", copy.same_bytes}});
  }
  json["items"] = Json::array();
  for (const CheckedClip& clip : report.clips) {
    const Item& item = dataset.items[clip.item];
    Json entry = {{"path", item.path}, {"label", item.label}, {"part", part_name(clip.part)}};
    if (!clip.error.empty()) entry["error"] = clip.error;
    if (clip.look) entry.update(to_json(clip.look->facts));
    json["items"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace actio::data
