// net: the seam between a compiled network and what drives it. In: preprocessed snippets. Out: scores, whole clips or a
// snippet at a time. The runtime implements it; recognition, evaluation and streams only see this.
#pragma once

#include "core/tensor.h"
#include "net/netspec.h"

namespace actio::net {

// Every TensorMap maps a node's name to its rows: f32 [rows, ...]. Inputs carry the names of the spec's input nodes.
//
// Each call has two forms. The one that takes `results` leaves exactly what the call gives in that map: a tensor that is
// there with the right shape is written over (whoever shares its elements sees that), others are allocated. The same map
// handed in again and again therefore costs no allocation. It must not be the map of the inputs nor share elements with
// them. Threads: one caller at a time. Throws: Error naming the input and both shapes for one that is missing or misshapen.
class Classifier {
 public:
  virtual ~Classifier() = default;

  virtual const NetSpec& spec() const = 0;

  // N whole clips. In: [N*K, C, H, W] per input, the segment index fastest. Out: [N, classes] for spec().scores,
  // spec().output and every head, and whatever else the network was compiled to keep, in the rows of its granularity.
  virtual void run(const TensorMap& inputs, TensorMap& results) = 0;

  // A stream runs these: one call per NEW snippet and per NEW pair, then the clip. Their result equals run() on the window.
  // In: [n, C, H, W] per input. Out: the snippet values that pairs or the clip need or that are kept, [n, ...].
  virtual void run_snippets(const TensorMap& inputs, TensorMap& results) = 0;

  // In: what run_snippets gave for the earlier and the later snippet of n pairs. Out: the pair values that the clip needs or
  // that are kept.
  virtual void run_pairs(const TensorMap& earlier, const TensorMap& later, TensorMap& results) = 0;

  // In: the values of K snippets, [K, ...], and of K-1 pairs, [K-1, ...], in time order. Out: what run() gives per clip,
  // with N = 1.
  virtual void run_clip(const TensorMap& snippets, const TensorMap& pairs, TensorMap& results) = 0;

  // The same into tensors of their own.  Owns: the caller, the results.
  TensorMap run(const TensorMap& inputs) {
    TensorMap results;
    run(inputs, results);
    return results;
  }
  TensorMap run_snippets(const TensorMap& inputs) {
    TensorMap results;
    run_snippets(inputs, results);
    return results;
  }
  TensorMap run_pairs(const TensorMap& earlier, const TensorMap& later) {
    TensorMap results;
    run_pairs(earlier, later, results);
    return results;
  }
  TensorMap run_clip(const TensorMap& snippets, const TensorMap& pairs) {
    TensorMap results;
    run_clip(snippets, pairs, results);
    return results;
  }
};

}  // namespace actio::net
