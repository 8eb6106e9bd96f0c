// data: clips of moving figures whose classes differ only in the order of their frames. In: a seed. Out: a folder of videos
// with labels.csv. The data set proves that a network looks at time: a bag of frames scores no better than the pairs allow.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/progress.h"

namespace actio::data {

struct SynthesisOptions {
  std::string out;                   // folder, made where it does not exist; must be empty
  std::vector<std::string> classes;  // empty: all
  std::int64_t clips_per_class = 60;
  std::int64_t seed = 1;
  double test_share = 0.3;                        // of the clips of each class, in the column part
  std::int64_t min_width = 160, max_width = 240;  // pixels, even
  std::int64_t min_height = 120, max_height = 180;
  std::int64_t min_frames = 32, max_frames = 64;  // at 25 frames per second
  std::int64_t threads = 0;                       // 0: as many as cores; the files do not depend on it

  Fields fields();
};

struct SynthesisReport {
  std::int64_t clips = 0, frames = 0, train = 0, test = 0;
  std::vector<std::string> classes;
  std::string labels_csv;
};

// The classes, each beside its time reversal.
std::vector<std::string> synthetic_classes();

// Writes OUT/CLASS/CLASS_gNNN.mp4 (H.264 with B-frames) and OUT/labels.csv: path, label, group, pair, part, width, height,
// frames, gop, quality. Clips of one number and pair show the same scene, one of them backwards, and are in the same part;
// codec settings, camera shake and noise are drawn without regard to the class. Same options, same bytes.
// Throws: Error(kUsage) for an unknown class or a folder that is not empty; Error(kInterrupted) on `stop`.
SynthesisReport synthesise(const SynthesisOptions& options, const ProgressFn& progress = {}, std::stop_token stop = {});

}  // namespace actio::data
