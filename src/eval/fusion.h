// eval: several models' scores as one. In: tables over the same clips. Out: their rows side by side, and the weighted mean.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"
#include "eval/score_table.h"

namespace actio {
namespace eval {

// kRaw: as it is. kSoftmax: probabilities; rows that are some already stay. kL2: divided by their length. kStandardise: mean 0 and
// deviation 1 over the classes. A row without a length or deviation becomes zeros.
enum class Normalisation { kRaw, kSoftmax, kL2, kStandardise };

// How clips of two files are told to be the same. kPath: the path without "./" and without the extension of a video file. kName: the
// last part of that alone.
enum class ClipMatch { kPath, kName };

}  // namespace eval

template <>
inline constexpr auto kNames<eval::Normalisation> = NameTable<eval::Normalisation, 4>{
    {{eval::Normalisation::kRaw, "raw"}, {eval::Normalisation::kSoftmax, "softmax"}, {eval::Normalisation::kL2, "l2"},
     {eval::Normalisation::kStandardise, "standardise"}}};
template <>
inline constexpr auto kNames<eval::ClipMatch> =
    NameTable<eval::ClipMatch, 2>{{{eval::ClipMatch::kPath, "path"}, {eval::ClipMatch::kName, "name"}}};

}  // namespace actio

namespace actio::eval {

struct FusionOptions {
  Normalisation normalise = Normalisation::kRaw;  // what is done to each row before it is weighted
  ClipMatch match = ClipMatch::kPath;
  bool common = false;  // leave out clips that not every file has

  Fields fields();
};

// What a path is compared by.
std::string clip_key(const std::string& path, ClipMatch match);

// Throws: Error(kBadData) naming both files where their classes differ, in number or in a name.
void agree_on_classes(const ScoreTable& a, const ScoreTable& b);

// The rows of every table in the order of the first one's clips, with what any of them knows of labels and class names in
// all. Throws: Error(kBadData) naming the two files and the clip for one that is missing, is there twice or has two labels,
// and for different classes.
std::vector<ScoreTable> align(std::vector<ScoreTable> tables, const FusionOptions& options);

ScoreTable normalised(const ScoreTable& table, Normalisation way);

// The mean of aligned tables with these weights. Throws: Error(kUsage) for a number of weights other than that of the
// tables, a weight below 0, or none above.
ScoreTable fuse(const std::vector<ScoreTable>& tables, const std::vector<double>& weights);

}  // namespace actio::eval
