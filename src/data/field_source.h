// data: the motion of each frame of a clip, in the forms that the inputs need. In: frames in display order. Out: fields.
#pragma once

#include <optional>

#include "data/clip_reader.h"
#include "data/view_assembler.h"
#include "motion/estimated_stream.h"
#include "motion/flow_stream.h"
#include "motion/vector_stream.h"

namespace actio::data {

// The codec's, that is; "any" was decided before.
inline bool reads_vectors(const ClipRequest& request) {
  const InputSpec* vectors = request.inputs.find(InputKind::kVectors);
  return vectors != nullptr && vectors->vectors == VectorSource::kCodec;
}

inline bool estimates_vectors(const ClipRequest& request) { return request.inputs.has(InputKind::kVectors) && !reads_vectors(request); }

inline bool carries(const ClipRequest& request) {
  return reads_vectors(request) && request.inputs.find(InputKind::kVectors)->key_frames == KeyFrames::kCarry;
}

// The motion fields of each frame, as far as they are needed.
class FieldSource {
 public:
  explicit FieldSource(const ClipRequest& request) {
    if (reads_vectors(request)) vectors_.emplace(carries(request));
    if (estimates_vectors(request)) estimated_.emplace();
    if (const InputSpec* flow = request.inputs.find(InputKind::kFlow)) flow_.emplace(motion::flow_settings(*flow), request.flow_threads);
  }

  // To be called for each frame in turn, up to the last that `assembler` needs.
  FrameFields fields(const video::Frame& frame, const ViewAssembler& assembler) {
    FrameFields fields;
    if (vectors_) fields.vectors = vectors_->field(frame);
    if (estimated_ && assembler.needs_field(InputKind::kVectors, frame.index)) fields.vectors = estimated_->field(frame);
    else if (estimated_ && assembler.needs_field(InputKind::kVectors, frame.index + 1)) estimated_->see(frame);
    if (!flow_) return fields;
    if (assembler.needs_field(InputKind::kFlow, frame.index)) fields.flow = flow_->field(frame);
    else if (assembler.needs_field(InputKind::kFlow, frame.index + 1)) flow_->see(frame);
    return fields;
  }

 private:
  std::optional<motion::VectorStream> vectors_;
  std::optional<motion::EstimatedStream> estimated_;
  std::optional<motion::FlowStream> flow_;
};

}  // namespace actio::data
