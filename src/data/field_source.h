// data: the motion of each frame of a video, in the forms that the inputs need. In: frames in display order. Out: fields.
#pragma once

#include <cstdint>
#include <optional>

#include "core/inputs.h"
#include "data/snippet.h"
#include "motion/estimated_stream.h"
#include "motion/flow_stream.h"
#include "motion/vector_stream.h"

namespace actio::data {

// The codec's, that is; "any" was decided before.
inline bool reads_vectors(const Inputs& inputs) {
  const InputSpec* vectors = inputs.find(InputKind::kVectors);
  return vectors != nullptr && vectors->vectors == VectorSource::kCodec;
}

inline bool carries_vectors_over(const Inputs& inputs) { return reads_vectors(inputs) && inputs.find(InputKind::kVectors)->key_frames == KeyFrames::kCarry; }

// The motion fields of each frame, as far as they are needed.
// Threads: one source belongs to one thread at a time.
class FieldSource {
 public:
  explicit FieldSource(const Inputs& inputs, int flow_threads = 1) {
    if (reads_vectors(inputs)) vectors_.emplace(carries_vectors_over(inputs));
    else if (inputs.has(InputKind::kVectors)) estimated_.emplace();
    if (const InputSpec* flow = inputs.find(InputKind::kFlow)) flow_.emplace(motion::flow_settings(*flow), flow_threads);
  }

  // The codec's, of each frame in turn; undefined where no input reads them.
  Tensor codec_vectors(const video::Frame& frame) { return vectors_ ? vectors_->field(frame) : Tensor(); }

  // Adds what is computed from pictures, where needs(kind, index) says so. In the order of the frames; the one before each that is needed is
  // looked at, too. Frames that were looked at may come again, which costs nothing.
  template <class Needs>
  void compute(const video::Frame& frame, const Needs& needs, FrameFields& fields) {
    if (estimated_) step(*estimated_, estimated_at_, InputKind::kVectors, frame, needs, fields.vectors);
    if (flow_) step(*flow_, flow_at_, InputKind::kFlow, frame, needs, fields.flow);
  }

 private:
  template <class Stream, class Needs>
  static void step(Stream& stream, std::int64_t& at, InputKind kind, const video::Frame& frame, const Needs& needs, Tensor& field) {
    if (needs(kind, frame.index)) field = stream.field(frame);
    else if (at != frame.index && needs(kind, frame.index + 1)) stream.see(frame);
    else return;
    at = frame.index;
  }

  std::optional<motion::VectorStream> vectors_;
  std::optional<motion::EstimatedStream> estimated_;
  std::optional<motion::FlowStream> flow_;
  std::int64_t estimated_at_ = -1, flow_at_ = -1;  // the frames that they saw last
};

}  // namespace actio::data
