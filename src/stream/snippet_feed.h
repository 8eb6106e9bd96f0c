// stream: a video's snippets as a network reads them, one by one while the frames go by. In: frames in display order. Out: preprocessed inputs.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "core/inputs.h"
#include "core/tensor.h"
#include "data/field_source.h"
#include "video/decoder.h"

namespace actio::stream {

// Of one part of the video's time.
struct Snippet {
  double begin = 0, end = 0;  // of the part, seconds from the first frame; the last parts end with the video where it is known to end
  std::int64_t frame = 0;     // that is shown in the middle of the part
  TensorMap inputs;           // each by its name, f32 [1, C, S, S]
};

// Inputs whose vectors are "any" become those that a video has: the codec's, else estimated ones.
Inputs decided_inputs(Inputs inputs, const video::StreamInfo& info);

// Cuts time into parts of equal length and makes a snippet of each, as recognition does of a clip's segments: the frame that was last shown
// in the middle of the part, with the motion window that belongs to it, through the same preprocessing. Keeps as many frames as one snippet
// looks at, and no more. A snippet is ready as soon as the last frame of its window and a frame behind its middle were pushed. Where time
// stamps repeat, go back or leave a gap of half an hour, time goes on at the rate before.
// Threads: one feed belongs to one thread at a time.
class SnippetFeed {
 public:
  // `inputs` are decided ones; `frame_seconds` is how long a frame is shown until two of them say it.
  // Throws: Error(kUsage) for parts that have no length.
  SnippetFeed(const Inputs& inputs, double part_seconds, double frame_seconds = 0.04, int flow_threads = 1);

  // The next frame: its index is one more than that of the frame before. With vectors where an input reads the codec's.
  void push(const video::Frame& frame);

  // There is no further frame: windows end with the last one, as recognition's do.
  void finish();

  // The next snippet that is ready; to be called until it is empty.
  std::optional<Snippet> next();

  std::int64_t frames() const { return count_; }
  double seconds() const;                                  // until when frames are shown; the last for as long as the one before it
  std::int64_t odd_times() const { return odd_times_; }    // frames whose time stamps made no sense

 private:
  struct Seen {
    video::Frame frame;
    std::int64_t microseconds = 0;
    data::FrameFields fields;
  };

  std::int64_t time_of(const video::Frame& frame);
  std::int64_t middle() const;       // of the next part, microseconds
  std::int64_t shown_at(std::int64_t microseconds) const;  // place in seen_
  TensorMap inputs_of(std::int64_t sampled);

  Inputs inputs_;
  double part_seconds_;
  data::FieldSource fields_;
  std::int64_t before_ = 0, after_ = 0;  // frames around the sampled one that its snippet looks at
  std::deque<Seen> seen_;
  std::int64_t count_ = 0, next_ = 0;    // frames pushed; the next part
  std::int64_t last_ = 0, step_, shift_ = 0, odd_times_ = 0;  // microseconds
  bool finished_ = false;
};

}  // namespace actio::stream
