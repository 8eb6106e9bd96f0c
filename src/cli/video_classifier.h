// cli: a model file and a video in, scores out. Recognition and evaluation share it, so that they cannot differ.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/clip_reader.h"
#include "data/patience.h"
#include "data/protocol.h"
#include "net/classifier.h"
#include "net/model_file.h"
#include "runtime/compile.h"

namespace actio::cli {

struct VideoScores {
  Tensor probabilities;  // f32 [classes]
  Tensor scores;         // f32 [classes], before softmax where the network has logits
};

// The mean of the scores of a clip's views, each view counting the same.
class ViewMean {
 public:
  void add(const Tensor& probabilities, const Tensor& scores);  // f32 [classes] of one view
  VideoScores mean() const;                                     // Throws: Error where nothing was added

 private:
  std::vector<double> probabilities_, scores_;
  std::size_t views_ = 0;
};

struct ReadingOptions {
  std::string flow_cache;  // folder; empty: none
  int flow_threads = 1;    // of one video
  std::size_t part_bytes = std::size_t{128}
                           << 20;  // of a clip's inputs that lie in memory at once, unless one view is larger
  std::string head = {};           // whose scores are taken: one of the network's; empty: what it answers, which fuses them
  data::Protocol protocol =
      {};  // the views that scores are averaged over; one in the middle unless something else is asked for
};

class VideoClassifier {
 public:
  // Throws: as its parts; Error(kUsage) for a network that cannot run on the protocol's number of segments and for an
  // unknown head; Error(kFailed) where the cache's folder cannot be made.
  VideoClassifier(const std::string& model_path, const runtime::RuntimeOptions& options, const ReadingOptions& reading = {});

  // Its network has the protocol's number of segments.
  const net::Model& model() const { return model_; }
  // Whether VideoScores::scores are logits; else they are the probabilities.
  bool has_logits() const;
  std::size_t views() const { return views_.size(); }

  // Many large views do not lie in memory at once: a clip is read in parts, each with some of its views. One view is one
  // part.
  std::size_t parts() const { return (views_.size() + views_of_part_ - 1) / views_of_part_; }
  std::size_t parts_at_once() const;  // that a few times part_bytes hold, 1 at least

  // What the network needs of a video: the protocol's segments and views, the model's own preprocessing. Threads: safe.
  data::ClipInput read(const std::string& video, std::size_t part = 0) const;

  // Runs the network view by view. Throws: Error(kInterrupted) on Ctrl-C.
  void add(const data::ClipInput& clip, ViewMean& mean);

  // Of a clip that is one part.
  VideoScores classify(const data::ClipInput& clip);

 private:
  net::Model model_;
  ReadingOptions reading_;
  std::vector<data::View> views_;
  std::size_t views_of_part_ = 1;
  std::optional<net::Head> head_;
  std::unique_ptr<net::Classifier> classifier_;
  std::unique_ptr<data::ClipMemory> memory_ = std::make_unique<data::ClipMemory>();
};

}  // namespace actio::cli
