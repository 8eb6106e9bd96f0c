// stream: a network over a window that moves along a video. In: snippets, one by one. Out: a decision for each place of the window.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "net/classifier.h"
#include "recognize/view_mean.h"
#include "stream/snippet_feed.h"

namespace actio::stream {

// What the network answers to one window.
struct Decision {
  double begin = 0, end = 0;         // of the window, seconds from the first frame
  std::vector<std::int64_t> frames;  // the sampled ones, one a snippet
  Tensor probabilities, scores;      // f32 [classes]; scores are those before softmax where the network has them

  double middle() const { return (begin + end) / 2; }
};

// What a network's values for one clip say: recognize::Recognizer::answer_in.
using AnswerFn = std::function<recognize::VideoScores(const TensorMap& values)>;

// A window is K snippets, as many as the network has segments. Each snippet goes through the network's snippet plan once and each pair of
// neighbours through its pair plan once, however many windows they are in; a window costs the clip plan. The scores are those of
// Recognizer::recognize of the same K snippets, bit for bit, in f32 where that runs a row at a time (on one thread) and in 8 bits.
// Threads: one stream belongs to one thread at a time.
class SegmentStream {
 public:
  // A decision after K snippets, and after every `step` more. `network` must outlive it. Throws: Error(kUsage) for a step of less than one snippet.
  SegmentStream(net::Classifier& network, AnswerFn answer, std::int64_t step = 1);

  // Throws: as net::Classifier for inputs that are not the network's.
  std::optional<Decision> add(const Snippet& snippet);

 private:
  struct Part {
    double begin = 0, end = 0;
    std::int64_t frame = 0;
    TensorMap values, pair;  // of the snippet, [1, ...]; of the pair with the snippet before it
  };

  Part spare_part();
  Decision decide();

  net::Classifier& network_;
  AnswerFn answer_;
  std::size_t segments_;
  std::int64_t step_, until_next_;
  std::deque<Part> parts_;  // the last K
  TensorMap snippets_, pairs_, values_;  // of the window: [K, ...], [K - 1, ...] and what the network gave
};

}  // namespace actio::stream
