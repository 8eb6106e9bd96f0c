#include "stream/segment_stream.h"

#include <cstring>
#include <utility>

#include "core/error.h"

namespace actio::stream {
namespace {

// Writes the one row of each tensor into row `row` of `rows` in `stacked`.
void put_row(const TensorMap& values, std::int64_t row, std::int64_t rows, TensorMap& stacked) {
  for (const auto& [name, value] : values) {
    Tensor& all = stacked[name];
    Shape shape = value.shape();
    shape.at(0) = rows;
    if (!all.defined() || all.shape() != shape) all = Tensor(shape);
    std::memcpy(all.raw() + static_cast<std::size_t>(row) * value.bytes(), value.raw(), value.bytes());
  }
}

}  // namespace

SegmentStream::SegmentStream(net::Classifier& network, AnswerFn answer, std::int64_t step)
    : network_(network),
      answer_(std::move(answer)),
      segments_(static_cast<std::size_t>(network.spec().segments)),
      step_(step),
      until_next_(network.spec().segments) {
  if (step < 1) fail_usage("a window moves by one snippet at least, got {}", step);
}

// The memory of what the window has left behind.
SegmentStream::Part SegmentStream::spare_part() {
  if (parts_.size() < segments_) return {};
  Part part = std::move(parts_.front());
  parts_.pop_front();
  return part;
}

std::optional<Decision> SegmentStream::add(const Snippet& snippet) {
  Part part = spare_part();
  part.begin = snippet.begin;
  part.end = snippet.end;
  part.frame = snippet.frame;
  network_.run_snippets(snippet.inputs, part.values);
  if (segments_ > 1 && !parts_.empty()) network_.run_pairs(parts_.back().values, part.values, part.pair);
  parts_.push_back(std::move(part));
  if (--until_next_ > 0) return {};
  until_next_ = step_;
  return decide();
}

Decision SegmentStream::decide() {
  Decision decision;
  decision.begin = parts_.front().begin;
  decision.end = parts_.back().end;
  const auto count = static_cast<std::int64_t>(segments_);
  for (std::int64_t k = 0; k < count; ++k) {
    const Part& part = parts_[static_cast<std::size_t>(k)];
    decision.frames.push_back(part.frame);
    put_row(part.values, k, count, snippets_);
    if (k > 0) put_row(part.pair, k - 1, count - 1, pairs_);
  }
  network_.run_clip(snippets_, pairs_, values_);
  const recognize::VideoScores answer = answer_(values_);
  decision.probabilities = answer.probabilities.clone();
  decision.scores = answer.scores.clone();
  return decision;
}

}  // namespace actio::stream
