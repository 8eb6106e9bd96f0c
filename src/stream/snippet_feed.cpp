#include "stream/snippet_feed.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "data/crop.h"
#include "data/frame_times.h"

namespace actio::stream {
namespace {

constexpr std::int64_t kLongestGap = 1'800'000'000;  // microseconds, as in data/frame_times.cpp

double seconds_of(std::int64_t microseconds) { return static_cast<double>(microseconds) / 1e6; }

}  // namespace

Inputs decided_inputs(Inputs inputs, const video::StreamInfo& info) {
  for (InputSpec& input : inputs.list) {
    if (input.kind != InputKind::kVectors || input.vectors != VectorSource::kAny) continue;
    input.vectors = info.carries_vectors ? VectorSource::kCodec : VectorSource::kEstimated;
  }
  return inputs;
}

SnippetFeed::SnippetFeed(const Inputs& inputs, double part_seconds, double frame_seconds, int flow_threads)
    : inputs_(inputs), part_seconds_(part_seconds), fields_(inputs, flow_threads), step_(std::max<std::int64_t>(1, data::to_microseconds(frame_seconds))) {
  if (!(part_seconds > 0) || data::to_microseconds(part_seconds) < 1) fail_usage("a snippet's part of the video must last a moment, got {} s", part_seconds);
  constexpr std::int64_t kAnywhere = std::int64_t{1} << 32;
  const data::SnippetAssembler example({{kAnywhere}}, inputs_.list, {});
  // And one more: at the end of a video the window moves back by one.
  before_ = 1 + kAnywhere - std::min(kAnywhere, example.needed_frames().front());
  after_ = std::max<std::int64_t>(0, example.last_frame() - kAnywhere);
}

std::int64_t SnippetFeed::time_of(const video::Frame& frame) {
  const std::int64_t given = data::to_microseconds(frame.time_seconds);
  if (count_ == 0) {
    shift_ = -given;
    return 0;
  }
  const std::int64_t step = given + shift_ - last_;
  if (step > 0 && step < kLongestGap) {
    step_ = step;
  } else {
    shift_ = last_ + step_ - given;
    ++odd_times_;
  }
  return given + shift_;
}

void SnippetFeed::push(const video::Frame& frame) {
  if (count_ > 0 && frame.index != seen_.back().frame.index + 1) fail_internal("stream: frame {} follows {}", frame.index, seen_.back().frame.index);
  last_ = time_of(frame);
  ++count_;
  seen_.push_back({frame, last_, {fields_.codec_vectors(frame), {}}});
  // Whatever comes, the next snippet is not of a frame before the one that is shown in its middle so far.
  for (std::int64_t spare = shown_at(middle()) - before_; spare > 0; --spare) seen_.pop_front();
}

void SnippetFeed::finish() { finished_ = true; }

double SnippetFeed::seconds() const { return count_ == 0 ? 0 : seconds_of(last_ + step_); }

std::int64_t SnippetFeed::middle() const { return data::to_microseconds((static_cast<double>(next_) + 0.5) * part_seconds_); }

std::int64_t SnippetFeed::shown_at(std::int64_t microseconds) const {
  const auto later = std::ranges::upper_bound(seen_, microseconds, {}, &Seen::microseconds);
  return std::max<std::int64_t>(0, later - seen_.begin() - 1);
}

std::optional<Snippet> SnippetFeed::next() {
  if (seen_.empty()) return {};
  const std::int64_t wanted = middle();
  if (finished_ ? wanted >= last_ + step_ : last_ <= wanted) return {};
  const std::int64_t sampled = seen_[static_cast<std::size_t>(shown_at(wanted))].frame.index;
  if (!finished_ && seen_.back().frame.index < sampled + after_) return {};
  Snippet snippet{static_cast<double>(next_) * part_seconds_, static_cast<double>(next_ + 1) * part_seconds_, sampled, inputs_of(sampled)};
  if (finished_) snippet.end = std::min(snippet.end, seconds());
  ++next_;
  return snippet;
}

TensorMap SnippetFeed::inputs_of(std::int64_t sampled) {
  data::SnippetPlan plan{{sampled}};
  if (finished_) plan.frames = seen_.back().frame.index + 1;
  data::SnippetAssembler assembler(plan, inputs_.list, [&](int width, int height) { return data::centre_crop(width, height, inputs_.framing); });
  const std::int64_t first = seen_.front().frame.index, count = std::ssize(seen_);
  const auto needs = [&](InputKind kind, std::int64_t index) {
    if (index < first || index >= first + count || !assembler.needs_field(kind, index)) return false;
    const data::FrameFields& made = seen_[static_cast<std::size_t>(index - first)].fields;
    return !(kind == InputKind::kFlow ? made.flow : made.vectors).defined();
  };
  for (const std::int64_t index : assembler.needed_frames()) {
    Seen& seen = seen_.at(static_cast<std::size_t>(index - first));
    fields_.compute(seen.frame, needs, seen.fields);
    assembler.push(seen.frame, seen.fields);
  }
  return assembler.take();
}

}  // namespace actio::stream
