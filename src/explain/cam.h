// explain: class activation maps: which places of which snippets speak for a class, exactly as the network adds them up. In: a model and a video. Out: maps of
// every head with pooled features.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/tensor.h"
#include "explain/pooled_head.h"
#include "recognize/recognizer.h"

namespace actio::explain {

// Source: IF-TTN, section 4.4 and figure 6.
struct HeadMaps {
  std::string head;
  net::Granularity granularity = net::Granularity::kSnippet;  // pair: row k is of the snippets k and k + 1
  Tensor maps;      // f32 [rows, h, w]: their mean plus `bias` is the logit
  double bias = 0;
  double logit = 0;   // as the network answers it
  double weight = 1;  // of the head in the answer's score; 1 where the network does not add its heads up
};

struct Cam {
  std::string video, label;
  std::int64_t class_index = 0;
  recognize::Recognition answer;
  std::vector<HeadMaps> heads;
  std::vector<std::string> without;  // a line for each head that has none
  TensorMap inputs;                  // of the view: f32 [K, C, S, S], as the network saw them
};

// Threads: safe, as Recognizer.
class CamMaker {
 public:
  // Throws: as Recognizer; Error(kUsage) for a network without a pooled head, with the reason of each.
  CamMaker(const std::string& model_path, recognize::RecognizeOptions options = {});

  const recognize::Recognizer& recognizer() const { return *recognizer_; }

  // Of the first view. `label`: a class; empty: the one that the network answers. Throws: Error(kUsage) naming the nearest class; as Recognizer::recognize.
  Cam make(const video::Source& video, const std::string& label = "", const std::stop_token& stop = {}) const;

 private:
  HeadMaps maps_of(std::size_t index, const TensorMap& kept, std::int64_t class_index) const;

  PooledHeads pooled_;
  std::vector<double> fusion_;  // weights of the heads
  TensorMap weights_;  // of the heads' linear layers
  std::unique_ptr<recognize::Recognizer> recognizer_;
};

// {"video", "class", "label", "probability", "sampled_frames", "heads": [{"head", "of": "snippet" or "pair", "logit", "bias", "maps": [[[...]]]}], "without"}.
Json to_json(const Cam& cam);

// The answer, and of each head its logit and what its maps are of.
std::string text_of(const Cam& cam);

}  // namespace actio::explain
