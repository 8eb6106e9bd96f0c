// data: the official lists of UCF101 and HMDB51. In: the folder of the lists, the folder of the videos, the number of the
// split. Out: a table whose items know their part.
#pragma once

#include <cstdint>
#include <string>

#include "data/layouts.h"

namespace actio::data {

struct OfficialPlace {
  Layout layout = Layout::kAuto;  // kUcf101, kHmdb51; kAuto where no lists were found
  std::string annotations;  // the folder of the lists
  std::string videos;       // the folder of the class folders; need not exist
};

// Looks for lists in options.annotations, else in `path` and in its folders that are named as the distribution's; with
// `beside`, also in those next to `path`. Throws: Error(kFailed) where options.annotations is no folder, Error(kUsage) where
// it has no lists or those of another layout than options.layout.
OfficialPlace find_official_lists(const std::string& path, const DatasetOptions& options, bool beside);

// classInd.txt, trainlist0N.txt and testlist0N.txt. Classes in the order of classInd.txt.
// Throws: Error(kFailed) for a missing list, Error(kBadData) naming file, line and value.
Table read_ucf101(const OfficialPlace& place, std::int64_t split);

// CLASS_test_splitN.txt, where 0 is unused, 1 train and 2 test. Classes sorted by name. Throws: as read_ucf101.
Table read_hmdb51(const OfficialPlace& place, std::int64_t split);

}  // namespace actio::data
