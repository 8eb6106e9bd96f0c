// video: turns the motion vectors that FFmpeg exports into displacements per frame. In: decoded frames in display order.
// Out: the same frames, each once the pictures that its vectors may refer to are known.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "video/block_match.h"
#include "video/field_coding.h"
#include "video/frame.h"

namespace actio::video {

// Frames: the longest run of B-frames. What one refers to further ahead is not looked for.
inline constexpr std::int64_t kMaxAhead = 16;

// FFmpeg says whether a vector points to the past or the future, not to which picture. The references of a picture are
// therefore rebuilt from the order of decoding: the nearest one in the vector's direction is assumed, and where several may
// have been used (H.264) the one whose pixels, displaced by the vector, fit the block clearly better.
class VectorReader {
 public:
  enum class Kind {
    kOneReference,  // MPEG-1, MPEG-2: one picture in each direction
    kWithoutB,      // MPEG-4 Part 2: as above, but FFmpeg keeps no vectors of B-frames: what it exports for them belongs to
                    // other frames. They take those of the next reference, which span the interval that they lie in.
    kSeveral,       // H.264: several pictures in each direction, B-frames among them
  };

  struct DecodedFrame {
    Frame frame;
    std::int64_t order = 0;  // of decoding
    bool reference = true;   // later pictures may refer to it
    bool closes = false;     // nothing after it refers to what was decoded before it
    bool wanted = true;      // somebody wants its vectors
    bool read = false;       // its vectors are in `frame`
    FieldCoding fields = FieldCoding::kNone;
  };

  explicit VectorReader(Kind kind) : kind_(kind) {}

  void push(DecodedFrame decoded);

  // What the codec says about the stream so far: references it keeps, frames by which display lags behind decoding.
  void set_stream(int references, int reorder_delay) {
    references_ = references;
    reorder_delay_ = reorder_delay;
  }

  // The next frame whose vectors are known; `end`: nothing will be pushed any more.
  std::optional<Frame> pop(bool end);

  // Forgets all frames: what is pushed next does not refer to them.
  void reset();

 private:
  struct PastFrame {
    std::shared_ptr<const AVFrame> picture;
    std::int64_t index = 0, order = 0;
  };
  struct References {
    std::vector<Reference> past, future;  // nearest first
  };

  bool ends_search(const DecodedFrame& later, const DecodedFrame& decoded) const;
  bool front_is_ready() const;
  void forget_past();
  std::int64_t window_start(std::vector<std::int64_t> orders) const;
  std::size_t candidates() const;  // references that are considered in a direction
  References references_of(const DecodedFrame& decoded) const;
  void read_vectors(DecodedFrame& decoded);
  void read_fields(DecodedFrame& decoded, const References& references) const;

  Kind kind_;
  int references_ = 1;
  int reorder_delay_ = 1;
  std::deque<DecodedFrame> held_;           // display order, not yet handed out
  std::deque<PastFrame> past_;              // display order, references already handed out
  std::optional<std::int64_t> next_order_;  // the first of the order of decoding that has not come
  std::vector<std::int64_t> early_;         // what came and is after it in that order
};

}  // namespace actio::video
