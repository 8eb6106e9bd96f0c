// video: decodes packets into frames. In: a file, and for some of its frames only a plan. Out: frames in display order with
// their motion vectors.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "video/decoder.h"
#include "video/field_coding.h"
#include "video/frame_plan.h"
#include "video/h264_reference.h"
#include "video/planned_input.h"
#include "video/stream_start.h"
#include "video/vector_reader.h"

namespace actio::video {

VectorReader::Kind vector_kind(AVCodecID id);

// One codec from its start on.
class FrameSource {
 public:
  // Reads `input` from where it is; `input` and `counters` outlive it.
  // Throws: as Decoder.
  FrameSource(Input& input, const DecoderOptions& options, DecodeCounters& counters);

  // Decodes only what `plan` says; both outlive this. To be called before the first frame.
  void follow(const FrameIndex& index, const FramePlan& plan);

  // Without a plan: only these frames need their vectors, in ascending order; they outlive this.
  void read_vectors_of(const std::vector<std::int64_t>& frames) { with_vectors_ = &frames; }

  // Empty at the end, and with a plan where the file is not what the plan says, or damaged.
  std::optional<Frame> next();

 private:
  // More packets than a decoder holds back, so that a frame finds its packet's entry.
  static constexpr std::size_t kRememberedPackets = 256;

  // kDrained: a run of the plan is decoded, another one follows.
  enum class Stage { kDecoding, kDrained, kFinished, kSurprise };

  std::optional<Frame> decode();
  std::optional<Frame> take_started();
  std::optional<Frame> take_read();
  bool feed();
  bool feed_planned();
  void send(std::int64_t tag);
  bool next_run();
  bool is_expected(const AVFrame& picture);
  void pass_to_start(FrameHandle picture);
  void end_start();
  Frame describe(std::shared_ptr<const AVFrame> picture);
  Frame describe_hidden(std::shared_ptr<const AVFrame> picture);
  void add_picture(Frame& frame, std::shared_ptr<const AVFrame> picture) const;
  VectorReader::DecodedFrame decoded(Frame frame) const;

  Input& input_;
  DecodeCounters& counters_;
  CodecHandle codec_;
  PacketHandle packet_;
  std::optional<VectorReader> vectors_;
  std::optional<FieldCodings> fields_;                       // with vectors
  const std::vector<std::int64_t>* with_vectors_ = nullptr;  // null: all frames

  bool is_h264_ = false;
  int length_size_ = 0;
  std::array<H264Picture, kRememberedPackets> h264_pictures_{};  // by number of the packet

  // Without a plan. Packets may be there only for what comes after them (edit lists): their pictures are decoded, and later
  // vectors refer to them, but they are not shown.
  std::optional<StreamStart> start_;
  std::array<bool, kRememberedPackets> hides_{};  // by number of the packet
  std::deque<std::int64_t> hidden_;               // places in the order of display of those that vectors_ holds
  std::int64_t hidden_pushed_ = 0, hidden_popped_ = 0;

  Stage stage_ = Stage::kDecoding;
  bool draining_ = false;
  int errors_at_end_ = 0;
  std::int64_t packets_sent_ = 0, next_index_ = 0, first_pts_ = 0, last_pts_ = 0;
  bool forgiven_ = false;

  const FrameIndex* index_ = nullptr;  // of the plan
  std::optional<PlannedInput> planned_;
  std::int64_t sent_in_run_ = 0, decoded_in_run_ = 0;
  std::int64_t last_display_ = -1;
};

}  // namespace actio::video
