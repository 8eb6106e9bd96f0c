// net: the seam between a compiled network and what drives it. In: preprocessed snippets. Out: scores, whole clips or a
// snippet at a time. The runtime implements it; recognition, evaluation and streams only see this.
#pragma once

#include "core/tensor.h"
#include "net/netspec.h"

namespace actio::net {

// Every TensorMap maps a node's name to its rows: f32 [rows, ...]. Inputs carry the names of the spec's input nodes.
// Threads: one caller at a time.
class Classifier {
 public:
  virtual ~Classifier() = default;

  virtual const NetSpec& spec() const = 0;

  // N whole clips. In: [N*K, C, H, W] per input, the segment index fastest. Out: [N, classes] for spec().scores,
  // spec().output and every head. Throws: Error naming the input and both shapes.
  virtual TensorMap run(const TensorMap& inputs) = 0;

  // A stream runs these: one call per NEW snippet and per NEW pair, then the clip. Their result equals run() on the window.
  // In: [n, C, H, W] per input. Out: the snippet values that pairs or the clip need, [n, ...].
  virtual TensorMap run_snippets(const TensorMap& inputs) = 0;

  // In: what run_snippets gave for the earlier and the later snippet of n pairs. Out: the pair values that the clip needs.
  virtual TensorMap run_pairs(const TensorMap& earlier, const TensorMap& later) = 0;

  // In: the values of K snippets, [K, ...], and of K-1 pairs, [K-1, ...], in time order. Out: as run() with N = 1.
  virtual TensorMap run_clip(const TensorMap& snippets, const TensorMap& pairs) = 0;
};

}  // namespace actio::net
