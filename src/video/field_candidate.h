// video: what a vector of an interlaced picture may mean, and how well each meaning fits the pixels. In: a picture, a block
// of it, a candidate. Out: a misfit, a velocity.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

struct AVFrame;

namespace actio::video {

struct Velocity {
  float x = 0, y = 0;  // pixels of the frame per frame
};

struct Rectangle {
  int x = 0, y = 0, width = 0, height = 0;  // pixels of the frame
};

struct FieldCandidate {
  const AVFrame* reference = nullptr;
  float motion_x = 0, motion_y = 0;  // from the block to where it was predicted from, pixels of the frame
  float frames = 1;                  // to this frame from that of the reference; negative towards the future
  float shift = 0;    // parity of the block less that of the reference, a mean where both fields have their own reference
  bool field = true;  // false: the block is coded as part of the frame
  float misfit = 0;   // mean absolute difference of luma, 0..255
};

struct FieldPart {
  static constexpr int kBoth = -1;

  Rectangle as_frame, as_field;
  int parity = kBoth;  // of the lines that it covers as a field block
  std::int8_t direction = -1;
  std::vector<FieldCandidate> candidates;  // the likelier first
  std::optional<Velocity> velocity;        // once it is known
  FieldCandidate meaning;                  // the one that it came from

  const Rectangle& place(bool as_fields) const { return as_fields ? as_field : as_frame; }
};

inline constexpr float kOutside = 256;  // the misfit of what lies outside of the picture

// Pixels of the picture that lie in `place`.
int visible_area(const AVFrame& picture, const Rectangle& place);

// `between_fields`: frames from the top field of a frame to its bottom field. Empty where no time passes.
std::optional<Velocity> velocity_of(const FieldCandidate& candidate, float between_fields);

// Of a prediction from where the candidate says; where that is not one place, from there in both fields.
float misfit_of(const AVFrame& picture, const FieldPart& part, const FieldCandidate& candidate);

// Of the lines of this frame, or of both fields each by itself, from those of `reference` that lie at (motion_x, motion_y).
float misfit_of_motion(const AVFrame& picture, const Rectangle& place, const AVFrame& reference, Velocity motion,
                       bool as_fields);

// Of the bottom field from the top field of the same frame, which is `between_fields` later.
float misfit_between_fields(const AVFrame& picture, const Rectangle& place, Velocity velocity, float between_fields);

}  // namespace actio::video
