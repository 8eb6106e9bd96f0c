// video: the motion of one picture that is coded as fields, wholly or in some of its blocks. In: what FFmpeg exports for it
// and the pictures that it may refer to. Out: displacements per frame, for the blocks where they can be told.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "video/block_match.h"
#include "video/field_candidate.h"
#include "video/field_coding.h"
#include "video/frame.h"

struct AVMotionVector;

namespace actio::video {

// FFmpeg says neither which blocks are field-coded nor to which field they refer:
// - H.264 and MPEG-2: the vertical component of a field-coded block counts lines of a field, where the block is 16 x 8 or
//   8 x 16 lines of the frame. That both fields lie half a line apart is left out.
// - Field-coded pairs of macroblocks of H.264, and pictures that are fields: the block of the top field is said to lie above
//   that of the bottom field, but both lie on the same 32 lines.
// - MPEG-4 Part 2: a field-coded block has the mean of both fields' vectors, its vertical component doubled.
// So all that a vector may mean is compared with the pixels, and what they leave open with the neighbouring blocks. Whether
// the two fields of a frame are half a frame apart in time, or none (film), is told from how they fit each other.
class FieldVectors {
 public:
  enum class Standard : std::uint8_t { kMpeg2, kMpeg4, kH264 };

  // The pictures outlive this; references: nearest first.
  FieldVectors(const AVFrame& picture, Standard standard, FieldCoding coding, std::vector<Reference> past,
               std::vector<Reference> future);

  void add(const AVMotionVector& vector);

  // The blocks whose motion can be told, as they lie in the coded picture.
  std::vector<BlockVector> result();

  // Blocks that result() left out and no other one covers.
  std::int64_t unknown() const { return unknown_; }

 private:
  struct Motion {
    float x = 0, y = 0;  // as exported, pixels
  };

  void add_as_frame(FieldPart& part, Motion motion, const Reference& reference) const;
  void add_as_field(FieldPart& part, Motion motion, const Reference& reference, int parity) const;
  void add_as_mean(FieldPart& part, Motion motion, const Reference& reference) const;
  void measure(FieldPart& part) const;
  void decide_pairs();
  void find_time_between_fields();
  double misfit_between_fields_at(float between_fields, std::span<const FieldPart* const> moving) const;
  void test_means(FieldPart& part) const;
  void decide_alone(FieldPart& part) const;
  void decide_by_neighbours();
  void refine(FieldPart& part) const;
  void count_unknown();

  const AVFrame& picture_;
  Standard standard_;
  FieldCoding coding_;
  std::vector<Reference> past_, future_;
  bool comparable_ = false;
  float between_fields_ = 0;  // frames, see velocity_of()
  std::int64_t unknown_ = 0;
  std::vector<FieldPart> parts_;
};

}  // namespace actio::video
