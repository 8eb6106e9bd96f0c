#include "data/scan.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/cores.h"
#include "core/error.h"
#include "core/file.h"
#include "video/decoder.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

struct KindInfo {
  const char* name;
  bool bad;
};

// In the order of FindingKind.
constexpr KindInfo kKinds[] = {
    {"missing", true},
    {"unreadable", true},
    {"damaged", true},
    {"truncated", true},
    {"short", true},
    {"duplicate_across_parts", true},
    {"duplicate_across_classes", true},
    {"duplicate", false},
    {"variable_rate", false},
    {"no_vectors", false},
};

void add(ClipScan& clip, FindingKind kind, std::string text) { clip.findings.push_back({kind, std::move(text)}); }

bool has(const ClipScan& clip, FindingKind kind) {
  return std::ranges::find(clip.findings, kind, &Finding::kind) != clip.findings.end();
}

// Messages begin with the file, which the reader of a finding knows.
std::string without_path(std::string message, const std::string& path) {
  const std::string start = one_line(path) + ": ";
  if (message.starts_with(start)) message.erase(0, start.size());
  return message;
}

// The times of the frames, as they pass.
struct Pace {
  double first = 0, last = 0;
  std::int64_t last_pts = 0;
  std::int64_t shortest_ticks = 0, longest_ticks = 0;
  double shortest = 0, longest = 0;  // seconds
  bool any_reference = false;        // a frame that looks at another one
};

void pass(const video::Frame& frame, Pace& pace) {
  pace.any_reference = pace.any_reference || frame.type == video::FrameType::kP || frame.type == video::FrameType::kB;
  if (frame.index > 0) {
    const std::int64_t ticks = frame.pts - pace.last_pts;
    const double seconds = frame.time_seconds - pace.last;
    if (frame.index == 1 || ticks < pace.shortest_ticks) {
      pace.shortest_ticks = ticks;
      pace.shortest = seconds;
    }
    if (frame.index == 1 || ticks > pace.longest_ticks) {
      pace.longest_ticks = ticks;
      pace.longest = seconds;
    }
  }
  pace.last_pts = frame.pts;
  pace.last = frame.time_seconds;
}

// By time, for an edit list leaves out frames that the container counts. A few frames are lost at the end of many sound
// files.
bool is_truncated(const ClipScan& clip) {
  constexpr double kMostShare = 0.02, kMostFrames = 5, kMostSecondsUncounted = 1;
  if (clip.frames == 0 || clip.seconds_claimed <= 0) return false;
  const double missing = clip.seconds_claimed - clip.seconds;
  const double interval = clip.seconds / static_cast<double>(clip.frames);
  // Where no frames are counted, the duration may be that of the sound.
  const double least =
      clip.frames_claimed > 0 ? kMostFrames * interval : std::max(kMostSecondsUncounted, kMostFrames * interval);
  return missing > std::max(least, kMostShare * clip.seconds_claimed);
}

void add_findings(ClipScan& clip, const video::StreamInfo& info, const Pace& pace, const ScanOptions& options) {
  if (clip.damaged_frames > 0 || clip.refused_packets > 0) {
    add(clip, FindingKind::kDamaged,
        fmt::format("{} of {} frames damaged, {} packets refused", clip.damaged_frames, clip.frames, clip.refused_packets));
  }
  if (clip.frames == 0) {
    add(clip, FindingKind::kUnreadable, "no frame can be decoded");
    return;
  }
  if (is_truncated(clip)) {
    add(clip, FindingKind::kTruncated, fmt::format("{:.2f} of {:.2f} s can be decoded", clip.seconds, clip.seconds_claimed));
  }
  if (clip.frames < options.min_frames) {
    add(clip, FindingKind::kShort, fmt::format("{} frames, fewer than {}", clip.frames, options.min_frames));
  }
  if (pace.longest_ticks - pace.shortest_ticks > 1) {
    add(clip, FindingKind::kVariableRate,
        fmt::format("{:.1f} to {:.1f} ms between frames", 1e3 * pace.shortest, 1e3 * pace.longest));
  }
  if (!info.carries_vectors) {
    add(clip, FindingKind::kNoVectors, fmt::format("{}: FFmpeg reads no motion vectors from it", info.codec));
  } else if (!pace.any_reference) {
    add(clip, FindingKind::kNoVectors, fmt::format("{}: every frame is coded by itself", info.codec));
  }
}

void decode(ClipScan& clip, const std::string& path, const ScanOptions& options, const std::stop_token& stop) {
  const video::DecoderOptions limited = {.max_pixels = options.limits.max_pixels, .max_seconds = options.limits.max_seconds};
  video::Decoder decoder(path, limited, stop);
  const video::StreamInfo& info = decoder.info();
  clip.codec = info.codec;
  clip.width = info.width;
  clip.height = info.height;
  clip.frames_claimed = info.frames_claimed;
  clip.seconds_claimed = info.duration_seconds;
  // FFmpeg shortens the duration of an AVI that was cut, but not its count.
  if (info.container == "avi" && info.frames_per_second > 0) {
    clip.seconds_claimed = std::max(clip.seconds_claimed, static_cast<double>(info.frames_claimed) / info.frames_per_second);
  }
  Pace pace;
  while (const auto frame = decoder.next()) {
    if (stop.stop_requested()) return;
    pass(*frame, pace);
  }
  const video::DecodeCounters& counters = decoder.counters();
  clip.frames = counters.frames;
  clip.damaged_frames = counters.damaged;
  clip.refused_packets = counters.errors;
  const double interval = clip.frames > 1 ? pace.last / static_cast<double>(clip.frames - 1) : 0;
  // The last frame is shown as long as the others, and so would those be that are left out at the start.
  clip.seconds = pace.last + interval * static_cast<double>(1 + counters.left_out);
  add_findings(clip, info, pace, options);
}

// The finding where `path` is no file that could hold a video, else an empty text.
bool is_there(ClipScan& clip, const std::string& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::not_found) {
    const bool link = fs::is_symlink(fs::symlink_status(path, code));
    add(clip, FindingKind::kMissing, link ? "a link to a file that is not there" : "no such file");
  } else if (fs::is_directory(status)) {
    add(clip, FindingKind::kUnreadable, "is a folder");
  } else if (status.type() == fs::file_type::none) {
    add(clip, FindingKind::kUnreadable, "cannot be opened: " + code.message());
  } else if (!fs::is_regular_file(status)) {
    add(clip, FindingKind::kUnreadable, "is not a regular file");
  } else if (clip.bytes = static_cast<std::int64_t>(fs::file_size(path, code)); clip.bytes == 0) {
    add(clip, FindingKind::kUnreadable, "is empty");
  } else {
    return true;
  }
  return false;
}

void scan_clip(ClipScan& clip, const std::string& path, const ScanOptions& options, const std::stop_token& stop) {
  try {
    if (is_there(clip, path)) {
      clip.hash = content_hash_of_file(path);
      decode(clip, path, options, stop);
    }
  } catch (const std::bad_alloc&) {
    add(clip, FindingKind::kUnreadable, "there is not enough memory to decode it");
  } catch (const std::exception& error) {
    add(clip, FindingKind::kUnreadable, without_path(error.what(), path));
  }
  clip.scanned = !stop.stop_requested();
  if (clip.scanned) return;
  ClipScan fresh;  // nothing is known of half a clip
  fresh.item = clip.item;
  fresh.part = clip.part;
  clip = std::move(fresh);
}

// Why two clips with the same bytes are a problem; the worst reason.
FindingKind duplicate_kind(const Item& a, Part part_a, const Item& b, Part part_b) {
  const auto is_used = [](Part part) { return part == Part::kTrain || part == Part::kValidation || part == Part::kTest; };
  if (part_a != part_b && is_used(part_a) && is_used(part_b)) return FindingKind::kDuplicateParts;
  return a.label != b.label ? FindingKind::kDuplicateClasses : FindingKind::kDuplicate;
}

std::string place_text(const Item& item, Part part) {
  const std::string where = part == Part::kNone ? fmt::format("class '{}'", item.label)
                                                : fmt::format("class '{}', {}", item.label, part_name(part));
  return fmt::format("{} ({})", item.path, where);
}

// The clips with the same bytes; of every class and part two stand for the others, so that many copies cost no square.
struct SameBytes {
  std::size_t count = 0;
  std::map<std::pair<std::int64_t, Part>, std::vector<const ClipScan*>> some;
};

void add_duplicate(ClipScan& clip, const SameBytes& same, const Dataset& dataset) {
  const Item& own = dataset.items[clip.item];
  const ClipScan* worst = nullptr;
  FindingKind kind = FindingKind::kDuplicate;
  for (const auto& [place, clips] : same.some) {
    for (const ClipScan* other : clips) {
      if (other == &clip) continue;
      const FindingKind between = duplicate_kind(own, clip.part, dataset.items[other->item], other->part);
      if (worst != nullptr && between >= kind) continue;
      worst = other;
      kind = between;
    }
  }
  const std::string more = same.count > 2 ? fmt::format(" and {} more", same.count - 2) : "";
  add(clip, kind, fmt::format("the same bytes as {}{}", place_text(dataset.items[worst->item], worst->part), more));
}

void find_duplicates(std::vector<ClipScan>& clips, const Dataset& dataset) {
  std::map<std::string, SameBytes> clips_of;
  for (const ClipScan& clip : clips) {
    if (clip.hash.empty()) continue;
    SameBytes& same = clips_of[clip.hash];
    ++same.count;
    auto& some = same.some[{dataset.items[clip.item].class_index, clip.part}];
    if (some.size() < 2) some.push_back(&clip);
  }
  for (ClipScan& clip : clips) {
    if (clip.hash.empty()) continue;
    const SameBytes& same = clips_of.at(clip.hash);
    if (same.count > 1) add_duplicate(clip, same, dataset);
  }
}

std::size_t thread_count(const ScanOptions& options, std::size_t clips) {
  return std::min(static_cast<std::size_t>(options.threads > 0 ? options.threads : core_count()), clips);
}

}  // namespace

const char* finding_name(FindingKind kind) { return kKinds[static_cast<std::size_t>(kind)].name; }

bool is_bad(FindingKind kind) { return kKinds[static_cast<std::size_t>(kind)].bad; }

bool ClipScan::bad() const {
  return std::ranges::any_of(findings, [](const Finding& finding) { return is_bad(finding.kind); });
}

Fields ScanOptions::fields() {
  return {
      {"min_frames", &min_frames, "a clip with fewer frames is reported as short", {}, 0, 1e9},
      {"threads", &threads, "clips decoded at the same time; 0: as many as cores", {}, 0, 256},
  };
}

std::int64_t ScanReport::scanned() const { return std::ranges::count(clips, true, &ClipScan::scanned); }

std::int64_t ScanReport::count(FindingKind kind) const {
  return std::ranges::count_if(clips, [&](const ClipScan& clip) { return has(clip, kind); });
}

std::int64_t ScanReport::bad() const {
  return std::ranges::count_if(clips, [](const ClipScan& clip) { return clip.bad(); });
}

ScanReport scan_dataset(const Dataset& dataset, const DatasetOptions& options, const ScanOptions& scan,
                        const ProgressFn& progress, const std::stop_token& stop) {
  ScanReport report;
  report.clips.resize(dataset.items.size());
  const std::vector<Part> parts =
      is_divided(dataset, options) ? parts_of(dataset, options) : std::vector<Part>(dataset.items.size(), Part::kNone);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    report.clips[i].item = i;
    report.clips[i].part = parts[i];
  }
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::int64_t done = 0, bad = 0;
  const auto work = [&] {
    while (!stop.stop_requested()) {
      const std::size_t i = next++;
      if (i >= report.clips.size()) return;
      ClipScan& clip = report.clips[i];
      scan_clip(clip, dataset.items[i].path, scan, stop);
      const std::lock_guard lock(mutex);
      ++done;
      bad += clip.bad() ? 1 : 0;
      if (progress) {
        progress({"decoding clips", done, static_cast<std::int64_t>(report.clips.size()),
                  bad > 0 ? fmt::format("{} bad", bad) : ""});
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    try {
      for (std::size_t i = 1; i < thread_count(scan, report.clips.size()); ++i) threads.emplace_back(work);
    } catch (const std::system_error&) {
      // The system gives no more threads; those that are there do.
    }
    work();
  }
  report.stopped = report.scanned() < static_cast<std::int64_t>(report.clips.size());
  find_duplicates(report.clips, dataset);
  for (ClipScan& clip : report.clips) std::ranges::stable_sort(clip.findings, {}, &Finding::kind);
  return report;
}

}  // namespace actio::data
