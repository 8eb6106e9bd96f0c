#include "video/field_candidate.h"

#include <algorithm>
#include <cmath>

#include "video/ffmpeg_handles.h"
#include "video/luma_match.h"

namespace actio::video {
namespace {

constexpr int kRowStep =
    2;  // of a field's lines, these tell candidates apart; of a frame's, those of both fields are needed

float mean_misfit(const LumaPlane& here, const LumaPlane& there, const Block& block, int step = 1) {
  const LumaProbe probe(block, here);
  const int pixels = (probe.rows() + step - 1) / step * probe.width();
  return pixels > 0 ? static_cast<float>(probe.misfit(here, there, 0, step)) / static_cast<float>(pixels) : kOutside;
}

Block in_field(const Rectangle& place, float motion_x, float lines) {
  return {place.x, place.y / 2, place.width, place.height / 2, motion_x, lines};
}

}  // namespace

int visible_area(const AVFrame& picture, const Rectangle& place) {
  const int width = std::min(place.x + place.width, picture.width) - std::max(place.x, 0);
  const int height = std::min(place.y + place.height, picture.height) - std::max(place.y, 0);
  return std::max(width, 0) * std::max(height, 0);
}

std::optional<Velocity> velocity_of(const FieldCandidate& candidate, float between_fields) {
  const float time = candidate.frames + candidate.shift * between_fields;
  if (std::abs(time) < 0.1F) return std::nullopt;
  return Velocity{-candidate.motion_x / time + 0.0F, -candidate.motion_y / time + 0.0F};  // no negative zero
}

float misfit_of(const AVFrame& picture, const FieldPart& part, const FieldCandidate& candidate) {
  const Velocity motion{candidate.motion_x, candidate.motion_y};
  if (!candidate.field || part.parity == FieldPart::kBoth) {
    return misfit_of_motion(picture, part.place(candidate.field), *candidate.reference, motion, candidate.field);
  }
  const int there = part.parity - static_cast<int>(candidate.shift);
  return mean_misfit(field_of(picture, part.parity), field_of(*candidate.reference, there),
                     in_field(part.as_field, motion.x, (motion.y + candidate.shift) / 2), kRowStep);
}

float misfit_of_motion(const AVFrame& picture, const Rectangle& place, const AVFrame& reference, Velocity motion,
                       bool as_fields) {
  if (!as_fields) {
    return mean_misfit(luma_of(picture), luma_of(reference),
                       {place.x, place.y, place.width, place.height, motion.x, motion.y});
  }
  float sum = 0;
  for (const int parity : {0, 1}) {
    sum += mean_misfit(field_of(picture, parity), field_of(reference, parity), in_field(place, motion.x, motion.y / 2));
  }
  return sum / 2;
}

float misfit_between_fields(const AVFrame& picture, const Rectangle& place, Velocity velocity, float between_fields) {
  // Line l of the bottom field lies half a line below line l of the top field.
  const float x = -velocity.x * between_fields, y = -velocity.y * between_fields / 2 + 0.5F;
  return mean_misfit(field_of(picture, 1), field_of(picture, 0), in_field(place, x, y));
}

}  // namespace actio::video
