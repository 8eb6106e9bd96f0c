// cli: a model file and a video in, scores out. Recognition and evaluation share it, so that they cannot differ.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/clip_reader.h"
#include "net/classifier.h"
#include "net/model_file.h"
#include "runtime/compile.h"

namespace actio::cli {

struct VideoScores {
  Tensor probabilities;   // f32 [classes]
  Tensor scores;          // f32 [classes], before softmax where the network has logits
};

struct ReadingOptions {
  std::string flow_cache;  // folder; empty: none
  int flow_threads = 1;    // of one video
};

class VideoClassifier {
 public:
  // Throws: as its parts; Error(kFailed) where the cache's folder cannot be made.
  VideoClassifier(const std::string& model_path, const runtime::RuntimeOptions& options, const ReadingOptions& reading = {});

  const net::Model& model() const { return model_; }

  // What the network needs of a video: centred segments, the model's own preprocessing. Threads: safe.
  data::ClipInput read(const std::string& video) const;

  VideoScores classify(const data::ClipInput& clip);

 private:
  net::Model model_;
  ReadingOptions reading_;
  std::unique_ptr<net::Classifier> classifier_;
};

}  // namespace actio::cli
