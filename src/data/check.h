// data: what makes a dataset promise more than it holds. In: a dataset. Out: what gives a label away without looking, clips
// that are there twice, groups that leak, classes out of balance.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/progress.h"
#include "data/dataset.h"
#include "data/file_facts.h"
#include "data/fixed_pixels.h"
#include "data/giveaway.h"
#include "data/read_limits.h"

namespace actio::data {

struct CheckOptions {
  std::int64_t workers = 0;          // 0: one per core
  std::int64_t permutations = 1000;  // of the labels; 0: clips are looked at, not compared
  std::int64_t seed = 1;             // of these
  ReadLimits limits = {};            // a clip past them cannot be read

  Fields fields();  // what users choose, without the limits, which are a table of their own
};

struct CheckedClip {
  std::size_t item = 0;  // into Dataset::items
  Part part = Part::kNone;
  std::optional<ClipLook> look;
  std::string error;  // why there is none, without the path; empty too where the check was stopped before
};

enum class CopyKind { kParts, kClasses, kGroups };  // what the two differ in; the worst of it

struct Copy {
  std::size_t first = 0, second = 0;  // into Dataset::items
  CopyKind kind = CopyKind::kGroups;
  bool same_bytes = false;
};

struct ClassCounts {
  std::int64_t clips = 0, groups = 0;
};

struct GroupCounts {
  bool any = false;  // some group has more than one file
  std::int64_t groups = 0;
  std::int64_t of_one_class = 0;
  std::int64_t divided = 0;  // with clips in several parts
  std::string first_divided;
};

struct CheckReport {
  std::vector<CheckedClip> clips;    // of those that are in use: the unused ones of official lists are left out
  bool stopped = false;              // what follows is empty then
  std::vector<ClassCounts> classes;  // as Dataset::classes
  GroupCounts groups;
  std::vector<std::string> warnings;  // of the division, as split_warnings
  Giveaway giveaway;
  std::vector<FixedRegion> fixed;  // FixedRegion::label is an index of a class
  std::vector<Copy> copies;        // the worst kind first

  std::int64_t looked_at() const;
  std::int64_t unreadable() const;
  std::int64_t copies_of(CopyKind kind) const;
  bool found() const;  // something that should be mended before figures are believed; classes out of balance are none
};

// Looks at every clip once (look_at). What cannot be read is counted and stops no other. 5 KB a clip. `progress` is called
// on the calling thread. Throws: as divide.
CheckReport check_dataset(const Dataset& dataset, const DatasetOptions& options, const CheckOptions& check = {},
                          const ProgressFn& progress = {}, const std::stop_token& stop = {});

}  // namespace actio::data
