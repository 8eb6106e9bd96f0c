// data: a video file as network input. In: a path and how to look at it. Out: tensors of K snippets, and what was wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/inputs.h"
#include "core/tensor.h"
#include "data/clip_memory.h"
#include "data/crop.h"
#include "data/protocol.h"
#include "data/read_limits.h"
#include "data/sampling.h"
#include "video/source.h"

namespace actio::data {

struct ClipRequest {
  std::string path;
  std::int64_t segments = 1;  // K
  Inputs inputs;
  Sampling sampling = Sampling::kCentre;
  std::vector<View> views = {{}};      // V looks at the clip in one decode; their places are those of kCentre
  ViewCrops crops = ViewCrops::kCentre;  // what the views' crops count among; without effect with augment
  bool augment = false;                // one random crop for all snippets of the clip; else the centre
  CropOptions crop;                    // of augment
  std::uint64_t seed = 0, stream = 0;  // of all random choices: the same pair gives the same bytes
  int decoder_threads = 1;
  std::string flow_cache;  // folder of flow files (data/flow_cache.h), for motion "flow"; empty: none
  int flow_threads = 1;    // of motion "flow", where it has to be computed
  // Where the bytes are not those of the file at `path`, which is its name then: one that can be read more than once. What is known of
  // files, and their flow, is not looked for.
  std::optional<video::Source> source = std::nullopt;
  ReadLimits limits = {};
};

// What a network of these inputs and K segments reads of a clip: the one way from a model's record to a reading request.
ClipRequest request_for(const Inputs& inputs, std::int64_t segments);

struct ClipInput {
  TensorMap inputs;                   // each by its name: f32 [V*K, C, S, S], view by view
  std::vector<std::int64_t> sampled;  // V*K frame indices, those of a view in order
  std::int64_t frames = 0, damaged = 0;
  std::vector<std::string> warnings;  // one line each, the file's name first
};

// Decodes no more frames than are needed, where the file's packets tell which these are (video::Decoder::select), and keeps
// none. Where they do not tell the number of frames either, the first reading decodes the whole clip and is repeated where the
// container's claim was wrong or the rate varies; later readings take what `memory` has of it, for as long as the file's size and
// time stay the same. Segments are equal in time (data/frame_times.h), motion windows are neighbouring frames. A damaged or truncated
// clip is used for what decodes, with a warning; damage in frames that nobody looked at is not seen.
// With an input of flow and a cache, the flow and the number of frames come from the clip's flow file, and only the frames that
// other inputs need are decoded. A flow file that is missing or damaged is computed from the whole clip and kept; where the folder
// cannot be written to, the needed fields are computed each time, with one warning. The inputs are the same bytes either way.
// Threads: safe, with one memory too.
// Throws: Error(kUsage) for a flow file of other parameters, or a record that makes no sense; as video::Decoder; Error(kBadData) where
// no frame decodes and past a limit; Error(kInterrupted) on `stop`.
ClipInput read_clip(const ClipRequest& request, ClipMemory& memory, const std::stop_token& stop = {});

// Of a clip that is read once: nothing is remembered.
ClipInput read_clip(const ClipRequest& request, const std::stop_token& stop = {});

}  // namespace actio::data
