#include "video/vector_reader.h"

extern "C" {
#include <libavutil/motion_vector.h>
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "video/block_match.h"
#include "video/ffmpeg_handles.h"
#include "video/field_vectors.h"
#include "video/orientation.h"

namespace actio::video {
namespace {

constexpr int kMostCandidates = 16;     // in a direction: the largest reference buffer of H.264

std::span<const AVMotionVector> exported(const AVFrame& picture) {
  const AVFrameSideData* data = av_frame_get_side_data(&picture, AV_FRAME_DATA_MOTION_VECTORS);
  if (!data) return {};
  return {reinterpret_cast<const AVMotionVector*>(data->data), data->size / sizeof(AVMotionVector)};
}

bool same_block(const AVMotionVector& a, const AVMotionVector& b) {
  return a.dst_x == b.dst_x && a.dst_y == b.dst_y && a.w == b.w && a.h == b.h;
}

bool is_zero(const AVMotionVector& vector) { return vector.motion_x == 0 && vector.motion_y == 0; }

bool same_macroblock(const AVMotionVector& a, const AVMotionVector& b) {
  return a.dst_x >> 4 == b.dst_x >> 4 && a.dst_y >> 4 == b.dst_y >> 4;
}

// Where a macroblock of a B-frame is split, FFmpeg exports both directions for each part, and zero for the direction that
// the part does not use. True for such a zero: its counterpart in the other direction is not zero.
bool is_filler(std::span<const AVMotionVector> vectors, std::size_t at) {
  const AVMotionVector& vector = vectors[at];
  if (!is_zero(vector) || (vector.w == 16 && vector.h == 16)) return false;
  const auto counterpart = [&](const AVMotionVector& other) {
    return same_block(vector, other) && (other.source < 0) != (vector.source < 0) && !is_zero(other);
  };
  // The parts of one macroblock follow one another: at most four per direction.
  for (std::size_t i = at; i > 0 && same_macroblock(vectors[i - 1], vector); --i) {
    if (counterpart(vectors[i - 1])) return true;
  }
  for (std::size_t i = at + 1; i < vectors.size() && same_macroblock(vectors[i], vector); ++i) {
    if (counterpart(vectors[i])) return true;
  }
  return false;
}

}  // namespace

void VectorReader::reset() {
  held_.clear();
  past_.clear();
  early_.clear();
  next_order_.reset();
}

void VectorReader::push(DecodedFrame decoded) {
  const std::int64_t order = decoded.order;
  // Numbers of packets without a picture never come.
  std::int64_t next = std::max(next_order_.value_or(order), order - kMaxAhead);
  early_.push_back(order);
  while (std::erase_if(early_, [&](std::int64_t early) { return early <= next; }) > 0) ++next;
  next_order_ = next;
  held_.push_back(std::move(decoded));
}

// What a B-frame refers to in the future ends with the next frame that is not one and was decoded before it.
bool VectorReader::ends_search(const DecodedFrame& later, const DecodedFrame& decoded) const {
  return later.frame.type != FrameType::kB && (kind_ != Kind::kSeveral || later.order < decoded.order);
}

bool VectorReader::front_is_ready() const {
  if (held_.empty()) return false;
  const DecodedFrame& front = held_.front();
  if (front.frame.type != FrameType::kB || held_.back().frame.index - front.frame.index >= kMaxAhead) return true;
  if (reorder_delay_ == 0 && kind_ == Kind::kSeveral) return true;
  return std::any_of(held_.begin() + 1, held_.end(), [&](const auto& later) { return ends_search(later, front); });
}

std::optional<Frame> VectorReader::pop(bool end) {
  if (held_.empty() || (!end && !front_is_ready())) return std::nullopt;
  if (held_.front().wanted) read_vectors(held_.front());
  DecodedFrame ready = std::move(held_.front());
  held_.pop_front();
  if (ready.closes) past_.clear();
  if (ready.reference) past_.push_back({ready.frame.picture, ready.frame.index, ready.order});
  forget_past();
  return std::move(ready.frame);
}

// One is forgotten once no frame to come can refer to it: as many as the codec keeps were decoded after it and before every
// frame to come. The nearest stays, see window_start().
void VectorReader::forget_past() {
  if (kind_ != Kind::kSeveral) {
    if (past_.size() > 1) past_.pop_front();
    return;
  }
  std::int64_t first = next_order_.value_or(0);
  for (const DecodedFrame& frame : held_) first = std::min(first, frame.order);
  std::vector<std::int64_t> orders;
  std::int64_t nearest = -1;  // of what every frame to come may refer to
  for (const PastFrame& past : past_) {
    if (past.order >= first) continue;
    orders.push_back(past.order);
    nearest = past.index;
  }
  const std::int64_t start = window_start(std::move(orders));
  std::erase_if(past_, [&](const PastFrame& past) { return past.order < start && past.index != nearest; });
}

// The codec keeps the references that were decoded last. Returns: the order of the first of them.
std::int64_t VectorReader::window_start(std::vector<std::int64_t> orders) const {
  const std::size_t kept = candidates();
  if (orders.size() <= kept) return std::numeric_limits<std::int64_t>::min();
  const auto start = orders.begin() + static_cast<std::ptrdiff_t>(kept - 1);
  std::nth_element(orders.begin(), start, orders.end(), std::greater<>());
  return *start;
}

std::size_t VectorReader::candidates() const {
  return static_cast<std::size_t>(std::clamp(references_, 1, kMostCandidates));
}

VectorReader::References VectorReader::references_of(const DecodedFrame& decoded) const {
  struct Known {
    const AVFrame* picture;
    std::int64_t index, order;
  };
  std::vector<Known> past, future;  // nearest first
  const std::int64_t index = decoded.frame.index;
  const bool several = kind_ == Kind::kSeveral;
  for (auto other = past_.rbegin(); other != past_.rend(); ++other) {
    if (!several || other->order < decoded.order) past.push_back({other->picture.get(), other->index, other->order});
  }
  for (auto later = held_.begin() + 1; later != held_.end() && later->frame.index - index <= kMaxAhead; ++later) {
    if (later->reference && (!several || later->order < decoded.order)) {
      future.push_back({later->frame.picture.get(), later->frame.index, later->order});
    }
    if (ends_search(*later, decoded)) break;
  }
  std::vector<std::int64_t> orders;
  for (const auto* side : {&past, &future}) {
    for (const Known& known : *side) orders.push_back(known.order);
  }
  // The stream may drop some earlier and keep others longer, which is not visible here; the nearest always was alive.
  const std::int64_t start = several ? window_start(std::move(orders)) : std::numeric_limits<std::int64_t>::max();
  const auto alive = [&](const std::vector<Known>& side) {
    std::vector<Reference> references;
    for (const Known& known : side) {
      if (!references.empty() && known.order < start) continue;
      references.push_back({known.picture, static_cast<int>(std::abs(known.index - index))});
    }
    return references;
  };
  return {alive(past), alive(future)};
}

void VectorReader::read_vectors(DecodedFrame& decoded) {
  Frame& frame = decoded.frame;
  if (std::exchange(decoded.read, true) || frame.key) return;
  if (kind_ == Kind::kWithoutB && frame.type == FrameType::kB) {
    const auto next =
        std::find_if(held_.begin() + 1, held_.end(), [](const auto& o) { return o.frame.type != FrameType::kB; });
    if (next == held_.end() || next->frame.index - frame.index > kMaxAhead) return;
    read_vectors(*next);
    frame.vectors = next->frame.vectors;
    frame.unknown_blocks = next->frame.unknown_blocks;
    return;
  }
  const auto vectors = exported(*frame.picture);
  if (vectors.empty()) return;
  References references = references_of(decoded);
  if (decoded.fields != FieldCoding::kNone) return read_fields(decoded, references);
  BlockMatcher past(*frame.picture, std::move(references.past)), future(*frame.picture, std::move(references.future));
  frame.vectors.reserve(vectors.size());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const AVMotionVector& vector = vectors[i];
    const bool from_past = vector.source < 0;
    BlockMatcher& matcher = from_past ? past : future;
    if (matcher.empty() || vector.motion_scale == 0 || is_filler(vectors, i)) continue;
    const Block block{vector.dst_x - vector.w / 2,
                      vector.dst_y - vector.h / 2,
                      vector.w,
                      vector.h,
                      static_cast<float>(vector.motion_x) / vector.motion_scale,
                      static_cast<float>(vector.motion_y) / vector.motion_scale};
    const float factor = (from_past ? -1.0F : 1.0F) / static_cast<float>(matcher.distance(block));
    BlockVector result;
    result.x = static_cast<std::int16_t>(block.x);
    result.y = static_cast<std::int16_t>(block.y);
    result.width = vector.w;
    result.height = vector.h;
    result.dx = factor * block.motion_x + 0.0F;  // no negative zero
    result.dy = factor * block.motion_y + 0.0F;
    result.direction = from_past ? -1 : 1;
    frame.vectors.push_back(displayed(result, frame.picture->width, frame.picture->height, frame.orientation));
  }
}

void VectorReader::read_fields(DecodedFrame& decoded, const References& references) const {
  Frame& frame = decoded.frame;
  using Standard = FieldVectors::Standard;
  const Standard standard = kind_ == Kind::kSeveral        ? Standard::kH264
                            : kind_ == Kind::kOneReference ? Standard::kMpeg2
                                                           : Standard::kMpeg4;
  const bool both = frame.type == FrameType::kB;
  FieldVectors fields(*frame.picture, standard, decoded.fields, references.past,
                      both ? references.future : std::vector<Reference>{});
  const auto vectors = exported(*frame.picture);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (!is_filler(vectors, i)) fields.add(vectors[i]);
  }
  frame.vectors = fields.result();
  frame.unknown_blocks = fields.unknown();
  for (BlockVector& block : frame.vectors) block = displayed(block, frame.picture->width, frame.picture->height, frame.orientation);
}

}  // namespace actio::video
