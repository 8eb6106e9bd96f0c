// data: decodes every clip of a dataset and tells what is wrong with it. In: a dataset. Out: facts and findings per clip.
#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <stop_token>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/progress.h"
#include "data/dataset.h"
#include "data/read_limits.h"

namespace actio::data {

enum class FindingKind {
  kMissing,           // no such file, or a link to nowhere
  kUnreadable,        // not a video, no permission, no frame in it
  kDamaged,           // frames that the decoder had to fill in, packets that it refused
  kTruncated,         // it ends before its container says
  kShort,             // fewer frames than ScanOptions::min_frames
  kDuplicateParts,    // the same bytes are in another part
  kDuplicateClasses,  // the same bytes are in another class
  kDuplicate,         // the same bytes are in this class and part once more
  kVariableRate,      // time between frames varies
  kNoVectors,         // no codec motion vectors: by its codec, or because every frame stands alone
};

inline constexpr std::array kFindingKinds = {
    FindingKind::kMissing,      FindingKind::kUnreadable,     FindingKind::kDamaged,          FindingKind::kTruncated,
    FindingKind::kShort,        FindingKind::kDuplicateParts, FindingKind::kDuplicateClasses, FindingKind::kDuplicate,
    FindingKind::kVariableRate, FindingKind::kNoVectors,
};

// "missing", "duplicate_across_parts".
const char* finding_name(FindingKind kind);

// A clip that should not be used as it is; the other kinds are remarks.
bool is_bad(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::kMissing;
  std::string text;  // one sentence without the clip's own path
};

struct ClipScan {
  std::size_t item = 0;  // into Dataset::items
  Part part = Part::kNone;
  bool scanned = false;  // false where the scan was stopped before
  std::int64_t bytes = 0;
  std::string hash;  // of the file's bytes; empty where it cannot be read
  std::string codec;
  int width = 0, height = 0;
  std::int64_t frames = 0, frames_claimed = 0;
  std::int64_t damaged_frames = 0, refused_packets = 0;
  double seconds = 0, seconds_claimed = 0;  // of what was decoded, and as the container says
  std::vector<Finding> findings;            // the worst first

  bool bad() const;
};

struct ScanOptions {
  std::int64_t min_frames = 8;  // 7 segments and the next frame
  std::int64_t threads = 0;     // 0: one per core
  ReadLimits limits = {};       // a clip past them is unreadable

  Fields fields();  // without the limits, which are a table of their own
};

struct ScanReport {
  std::vector<ClipScan> clips;  // one for every item, in order
  bool stopped = false;

  std::int64_t scanned() const;
  std::int64_t count(FindingKind kind) const;  // clips with such a finding
  std::int64_t bad() const;                    // clips with a bad finding
};

// Every clip is decoded whole by one thread. What goes wrong with one clip is its finding and stops no other. Memory is
// bound by the number of clips and of threads. `progress` is called from the threads, one at a time. Throws: as parts_of.
ScanReport scan_dataset(const Dataset& dataset, const DatasetOptions& options, const ScanOptions& scan,
                        const ProgressFn& progress = {}, const std::stop_token& stop = {});

// The report as docs/formats.md has it, one clip a line, without holding it in memory. What is not UTF-8 in a path is
// replaced.
void write_json(std::ostream& stream, const ScanReport& report, const Dataset& dataset);

}  // namespace actio::data
