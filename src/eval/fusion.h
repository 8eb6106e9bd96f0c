// eval: several models' scores as one. In: tables over the same clips. Out: their rows side by side, and the weighted mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "eval/score_table.h"

namespace actio::eval {

struct FusionOptions {
  std::string normalise = "raw";  // what is done to each row before it is weighted
  std::string match = "path";     // how clips of two files are told to be the same
  bool common = false;            // leave out clips that not every file has

  Fields fields();
};

// What a path is compared by. "path": the path without "./" and without the extension of a video file. "name": the last part
// of that alone. Throws: Error(kUsage) for another way.
std::string clip_key(const std::string& path, std::string_view match);

// Throws: Error(kBadData) naming both files where their classes differ, in number or in a name.
void agree_on_classes(const ScoreTable& a, const ScoreTable& b);

// The rows of every table in the order of the first one's clips, with what any of them knows of labels and class names in
// all. Throws: Error(kBadData) naming the two files and the clip for one that is missing, is there twice or has two labels,
// and for different classes.
std::vector<ScoreTable> align(std::vector<ScoreTable> tables, const FusionOptions& options);

// "raw": as it is. "softmax": probabilities; rows that are some already stay. "l2": divided by their length. "standardise":
// mean 0 and deviation 1 over the classes. A row without a length or deviation becomes zeros. Throws: Error(kUsage) for
// another name.
ScoreTable normalised(const ScoreTable& table, std::string_view name);

// The mean of aligned tables with these weights. Throws: Error(kUsage) for a number of weights other than that of the
// tables, a weight below 0, or none above.
ScoreTable fuse(const std::vector<ScoreTable>& tables, const std::vector<double>& weights);

}  // namespace actio::eval
