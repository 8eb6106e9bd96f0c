#include "video/field_vectors.h"

extern "C" {
#include <libavutil/motion_vector.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "video/ffmpeg_compat.h"

namespace actio::video {
namespace {

constexpr int kMacroblock = 16, kPairHeight = 32;       // pixels
constexpr float kAsGood = 1.3F, kNoise = 0.4F;          // a misfit up to that factor and that much more may be right, too
constexpr float kClearlySmaller = 0.8F;                 // the smaller misfit as a share of the larger one
constexpr float kSameMotion = 0.3F;                     // pixels per frame
constexpr float kNearSpeed = 0.5F, kNearShare = 0.15F;  // how far a block's motion may be from its neighbours'
constexpr int kReach = 3;                               // macroblocks: neighbours
constexpr float kMoves = 1;                             // pixels per frame: motion that tells the time between fields
constexpr std::size_t kMostProbes = 256;                // blocks that are asked for it
constexpr float kHalfFrame = 0.5F;
constexpr int kCell = 8;           // pixels: the smallest block that is exported
constexpr float kSmallMisfit = 2;  // mean absolute difference of luma
constexpr float kMostOff = 1;      // pixels: by which a coarse vector is wrong

float larger(float x, float y) { return std::max(std::abs(x), std::abs(y)); }

float difference(Velocity a, Velocity b) { return larger(a.x - b.x, a.y - b.y); }

float median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

float least_misfit(const FieldPart& part) {
  float least = part.candidates.front().misfit;
  for (const FieldCandidate& candidate : part.candidates) least = std::min(least, candidate.misfit);
  return least;
}

bool is_plausible(const FieldCandidate& candidate, float least) { return candidate.misfit <= kAsGood * least + kNoise; }

void settle(FieldPart& part, const FieldCandidate& candidate, Velocity velocity) {
  part.velocity = velocity;
  part.meaning = candidate;
}

}  // namespace

FieldVectors::FieldVectors(const AVFrame& picture, Standard standard, FieldCoding coding, std::vector<Reference> past,
                           std::vector<Reference> future)
    : picture_(picture), standard_(standard), coding_(coding), past_(std::move(past)), future_(std::move(future)) {
  const auto same = [&](const Reference& reference) { return same_layout(picture, *reference.picture); };
  comparable_ = has_plain_luma(picture) && picture.height >= 2 && std::ranges::all_of(past_, same) &&
                std::ranges::all_of(future_, same);
}

void FieldVectors::add(const AVMotionVector& vector) {
  const std::vector<Reference>& references = vector.source < 0 ? past_ : future_;
  if (vector.motion_scale == 0 || references.empty()) return;
  FieldPart part;
  const int x = vector.dst_x - vector.w / 2, y = vector.dst_y - vector.h / 2;
  const bool split = vector.w != vector.h;  // 16 x 8 or 8 x 16
  Motion motion{static_cast<float>(vector.motion_x) / static_cast<float>(vector.motion_scale),
                static_cast<float>(vector.motion_y) / static_cast<float>(vector.motion_scale)};
  const Motion in_lines{motion.x, split ? motion.y / 2 : motion.y};
  part.direction = vector.source < 0 ? -1 : 1;
  part.as_frame = part.as_field = {x, y, vector.w, vector.h};
  if (standard_ == Standard::kH264 || coding_ == FieldCoding::kPictures) {
    part.parity = y / kMacroblock % 2;
    part.as_field = {x, y / kPairHeight * kPairHeight + y % kMacroblock * 2, vector.w, 2 * vector.h};
    // The later field may refer to the earlier one.
    const bool later = part.parity == (is_top_field_first(picture_) ? 1 : 0);
    if (coding_ == FieldCoding::kPictures && later && part.direction < 0) {
      add_as_field(part, in_lines, {&picture_, 0}, 1 - part.parity);
    }
    for (const Reference& reference : references) {
      if (coding_ != FieldCoding::kPictures) add_as_frame(part, motion, reference);
      for (const int parity : {part.parity, 1 - part.parity}) add_as_field(part, in_lines, reference, parity);
    }
  } else if (!split) {
    add_as_frame(part, motion, references.front());
    // Of dual prime prediction, which only P-frames have, FFmpeg exports the vector between fields of one parity.
    const bool may_be_dual = standard_ == Standard::kMpeg2 && future_.empty() && motion.y != 0;
    if (may_be_dual) {
      part.candidates.push_back(part.candidates.front());
      part.candidates.back().motion_y *= 2;
      part.candidates.back().field = true;
    }
  } else {
    part.as_frame = part.as_field = {x / kMacroblock * kMacroblock, y / kMacroblock * kMacroblock, kMacroblock, kMacroblock};
    if (standard_ == Standard::kMpeg2) {
      part.parity = y % kMacroblock / 8;
      for (const int parity : {part.parity, 1 - part.parity}) add_as_field(part, in_lines, references.front(), parity);
    } else {
      add_as_mean(part, in_lines, references.front());
    }
  }
  parts_.push_back(std::move(part));
}

void FieldVectors::add_as_frame(FieldPart& part, Motion motion, const Reference& reference) const {
  const auto frames = static_cast<float>(-part.direction * reference.distance);
  part.candidates.push_back({reference.picture, motion.x, motion.y, frames, 0, false, 0});
}

// `motion` in lines of a field, to the field `parity` of the reference.
void FieldVectors::add_as_field(FieldPart& part, Motion motion, const Reference& reference, int parity) const {
  const auto frames = static_cast<float>(-part.direction * reference.distance);
  const auto shift = static_cast<float>(part.parity - parity);
  part.candidates.push_back({reference.picture, motion.x, 2 * motion.y - shift, frames, shift, true, 0});
}

// Each field may refer to either field of the reference: to its own kind or each to the other's, both to the bottom field,
// both to the top field.
void FieldVectors::add_as_mean(FieldPart& part, Motion motion, const Reference& reference) const {
  const auto frames = static_cast<float>(-part.direction * reference.distance);
  for (const float shift : {0.0F, -0.5F, 0.5F}) {
    part.candidates.push_back({reference.picture, motion.x, motion.y - shift, frames, shift, true, 0});
  }
}

// As in frames, references further away are looked at only where the nearer ones do not fit.
void FieldVectors::measure(FieldPart& part) const {
  float least = kOutside;
  for (std::size_t i = 0; i < part.candidates.size(); ++i) {
    FieldCandidate& candidate = part.candidates[i];
    const bool next = i > 0 && candidate.reference != part.candidates[i - 1].reference;
    if (next && least <= kSmallMisfit) return part.candidates.resize(i);
    candidate.misfit = misfit_of(picture_, part, candidate);
    least = std::min(least, candidate.misfit);
  }
}

// The macroblocks of a pair are field-coded both or none.
void FieldVectors::decide_pairs() {
  if (standard_ != Standard::kH264 || coding_ != FieldCoding::kBlocks) return;
  struct Misfit {
    float sum = 0, area = 0;
    float mean() const { return area > 0 ? sum / area : kOutside; }
  };
  std::map<std::pair<int, int>, std::array<Misfit, 2>> pairs;  // as frames, as fields
  const auto pair_of = [](const FieldPart& part) {
    return std::pair(part.as_frame.y / kPairHeight, part.as_frame.x / kMacroblock);
  };
  for (const FieldPart& part : parts_) {
    std::array<float, 2> least{kOutside, kOutside};
    for (const FieldCandidate& candidate : part.candidates)
      least[candidate.field] = std::min(least[candidate.field], candidate.misfit);
    for (const bool field : {false, true}) {
      const auto area = static_cast<float>(visible_area(picture_, part.place(field)));
      Misfit& misfit = pairs[pair_of(part)][field];
      misfit.sum += area * least[field];
      misfit.area += area;
    }
  }
  for (FieldPart& part : parts_) {
    const auto& misfits = pairs[pair_of(part)];
    const float as_frame = misfits[0].mean(), as_field = misfits[1].mean();
    const bool frame = as_frame <= kClearlySmaller * as_field, field = as_field <= kClearlySmaller * as_frame;
    if (frame == field) continue;
    std::erase_if(part.candidates, [&](const FieldCandidate& candidate) { return candidate.field != field; });
  }
}

double FieldVectors::misfit_between_fields_at(float between_fields, std::span<const FieldPart* const> moving) const {
  double sum = 0;
  for (const FieldPart* part : moving) {
    const auto best = std::ranges::min_element(part->candidates, {}, &FieldCandidate::misfit);
    const auto velocity = velocity_of(*best, between_fields == 0 ? kHalfFrame : between_fields);
    sum += misfit_between_fields(picture_, part->place(best->field), velocity.value_or(Velocity{}), between_fields);
  }
  return sum;
}

void FieldVectors::find_time_between_fields() {
  std::vector<const FieldPart*> moving;
  for (const FieldPart& part : parts_) {
    const auto best = std::ranges::min_element(part.candidates, {}, &FieldCandidate::misfit);
    const auto velocity = velocity_of(*best, kHalfFrame);
    if (velocity && larger(velocity->x, velocity->y) >= kMoves) moving.push_back(&part);
  }
  if (moving.size() > kMostProbes) {
    const std::size_t step = moving.size() / kMostProbes;
    for (std::size_t i = 0; i < kMostProbes; ++i) moving[i] = moving[i * step];
    moving.resize(kMostProbes);
  }
  const float marked = is_top_field_first(picture_) ? kHalfFrame : -kHalfFrame;
  const double at_once = misfit_between_fields_at(0, moving), in_turn = misfit_between_fields_at(marked, moving);
  const double reversed = misfit_between_fields_at(-marked, moving);
  between_fields_ = at_once <= in_turn ? 0 : marked;
  if (reversed < kClearlySmaller * std::min(at_once, in_turn)) between_fields_ = -marked;
  if (moving.empty() && is_interlaced(picture_)) between_fields_ = marked;
}

// The vectors of the two fields are not known, only their mean, so that the motion itself is tested.
void FieldVectors::test_means(FieldPart& part) const {
  if (standard_ != Standard::kMpeg4 || part.candidates.size() < 2) return;
  for (FieldCandidate& candidate : part.candidates) {
    const auto velocity = velocity_of(candidate, between_fields_);
    const Velocity motion{-velocity->x * candidate.frames, -velocity->y * candidate.frames};
    candidate.misfit =
        misfit_of_motion(picture_, part.as_field, *candidate.reference, motion, /*as_fields=*/between_fields_ != 0);
  }
}

// Where all that fits as well as the best means the same motion.
void FieldVectors::decide_alone(FieldPart& part) const {
  const float least = least_misfit(part);
  const FieldCandidate* best = nullptr;
  for (const FieldCandidate& candidate : part.candidates) {
    if (!is_plausible(candidate, least)) continue;
    // Nothing moved: what skipped blocks say, and what flat ones look like.
    const bool still = candidate.motion_x == 0 && candidate.motion_y == 0 && candidate.shift == 0;
    if (still) return settle(part, candidate, {});
    if (!best || candidate.misfit < best->misfit) best = &candidate;
  }
  const auto velocity = velocity_of(*best, between_fields_);
  if (!velocity) return;
  for (const FieldCandidate& candidate : part.candidates) {
    if (!is_plausible(candidate, least)) continue;
    const auto other = velocity_of(candidate, between_fields_);
    if (!other || difference(*velocity, *other) > kSameMotion) return;
  }
  settle(part, *best, *velocity);
}

void FieldVectors::decide_by_neighbours() {
  std::map<std::pair<int, int>, std::vector<Velocity>> known;  // by macroblock
  const auto macroblock = [](const FieldPart& part) {
    return std::pair(part.as_field.y / kMacroblock, part.as_field.x / kMacroblock);
  };
  for (const FieldPart& part : parts_) {
    if (part.velocity) known[macroblock(part)].push_back(*part.velocity);
  }
  for (FieldPart& part : parts_) {
    if (part.velocity) continue;
    std::vector<float> x, y;
    const auto [row, column] = macroblock(part);
    for (int i = row - kReach; i <= row + kReach; ++i) {
      const auto end = known.upper_bound({i, column + kReach});
      for (auto at = known.lower_bound({i, column - kReach}); at != end; ++at) {
        for (const Velocity& velocity : at->second) x.push_back(velocity.x), y.push_back(velocity.y);
      }
    }
    if (x.empty()) continue;
    const Velocity around{median(std::move(x)), median(std::move(y))};
    float nearest = kNearSpeed + kNearShare * larger(around.x, around.y);
    const float least = least_misfit(part);
    for (const FieldCandidate& candidate : part.candidates) {
      const auto velocity = velocity_of(candidate, between_fields_);
      if (!velocity || !is_plausible(candidate, least) || difference(*velocity, around) > nearest) continue;
      nearest = difference(*velocity, around);
      settle(part, candidate, *velocity);
    }
  }
}

// Where the fields are two moments, a vector of half or quarter lines between fields, or one between frames, whose lines
// come from both, is coarse, and the encoder took what came nearest. Lines of one parity tell the rest.
void FieldVectors::refine(FieldPart& part) const {
  const FieldCandidate& meaning = part.meaning;
  if (!part.velocity || between_fields_ == 0 || meaning.frames == 0 || meaning.misfit <= kSmallMisfit) return;
  const float reach = kMostOff / std::max(1.0F, std::abs(meaning.frames + meaning.shift * between_fields_));
  const Velocity start = *part.velocity;
  float least = 256;
  for (const float i : {0.0F, -0.5F, 0.5F, -1.0F, 1.0F}) {
    for (const float j : {0.0F, -0.25F, 0.25F}) {
      const Velocity velocity{start.x + j * reach, start.y + i * reach};
      const Velocity motion{-velocity.x * meaning.frames, -velocity.y * meaning.frames};
      const float misfit = misfit_of_motion(picture_, part.place(meaning.field), *meaning.reference, motion, true);
      if (misfit >= least) continue;
      least = misfit;
      part.velocity = velocity;
    }
  }
}

// Those that lie where no other block tells the motion.
void FieldVectors::count_unknown() {
  const int columns = picture_.width / kCell + 1, rows = picture_.height / kCell + 1;
  std::vector<bool> told(static_cast<std::size_t>(columns * rows));
  const auto any_cell = [&](const Rectangle& place, auto action) {
    const int right = std::min(place.x + place.width, picture_.width);
    const int bottom = std::min(place.y + place.height, picture_.height);
    for (int y = std::max(place.y, 0); y < bottom; y += kCell) {
      for (int x = std::max(place.x, 0); x < right; x += kCell) {
        if (action(told[static_cast<std::size_t>(y / kCell * columns + x / kCell)])) return true;
      }
    }
    return false;
  };
  for (const FieldPart& part : parts_) {
    if (part.velocity) any_cell(part.place(part.meaning.field), [](auto cell) { return !(cell = true); });
  }
  for (const FieldPart& part : parts_) {
    if (part.velocity) continue;
    unknown_ += any_cell(part.place(part.candidates.front().field), [](bool cell) { return !cell; });
  }
}

std::vector<BlockVector> FieldVectors::result() {
  if (comparable_) {
    for (FieldPart& part : parts_) measure(part);
    decide_pairs();
    find_time_between_fields();
    for (FieldPart& part : parts_) test_means(part);
  }
  for (FieldPart& part : parts_) decide_alone(part);
  decide_by_neighbours();
  for (FieldPart& part : parts_) refine(part);
  count_unknown();
  std::vector<BlockVector> blocks;
  blocks.reserve(parts_.size());
  for (const FieldPart& part : parts_) {
    if (!part.velocity) continue;
    const Rectangle& place = part.place(part.meaning.field);
    BlockVector block;
    block.x = static_cast<std::int16_t>(place.x);
    block.y = static_cast<std::int16_t>(place.y);
    block.width = static_cast<std::int16_t>(place.width);
    block.height = static_cast<std::int16_t>(place.height);
    block.dx = part.velocity->x;
    block.dy = part.velocity->y;
    block.direction = part.direction;
    blocks.push_back(block);
  }
  return blocks;
}

}  // namespace actio::video
