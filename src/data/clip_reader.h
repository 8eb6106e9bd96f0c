// data: a video file as network input. In: a path and how to look at it. Out: tensors of K snippets, and what was wrong.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/preprocess.h"
#include "core/tensor.h"
#include "data/crop.h"
#include "data/sampling.h"

namespace actio::data {

struct ClipRequest {
  std::string path;
  std::int64_t segments = 1;  // K
  Preprocess preprocess;
  bool rgb = true;
  bool motion = true;  // without effect where the record says motion "none"
  Sampling sampling = Sampling::kCentre;
  double place = 0.5;                  // where kCentre looks in a segment, 0..1
  bool augment = false;                // one random crop for all snippets of the clip; else the centre
  CropOptions crop;                    // of augment
  std::uint64_t seed = 0, stream = 0;  // of all random choices: the same pair gives the same bytes
  int decoder_threads = 1;
};

struct ClipInput {
  TensorMap inputs;                   // "rgb" f32 [K, 3, S, S]; "motion" f32 [K, C, S, S]
  std::vector<std::int64_t> sampled;  // K frame indices, in order
  std::int64_t frames = 0, damaged = 0;
  std::vector<std::string> warnings;  // one line each, the file's name first
};

// Decodes in display order and keeps no frame. A clip's number of frames is known for certain only once it is decoded: the
// first reading trusts the container and is repeated where that was wrong; later ones remember the number (for as long as
// the file's size and time stay the same) and stop after the last frame that is needed. A damaged or truncated clip is used
// for what decodes, with a warning.
// Threads: safe.
// Throws: as video::Decoder; Error(kBadData) where no frame decodes; Error(kInterrupted) on `stop`.
ClipInput read_clip(const ClipRequest& request, const std::stop_token& stop = {});

}  // namespace actio::data
