// runtime: a compiled network. In: preprocessed snippets. Out: scores. It runs the pieces of a cut network on one backend
// and the segment ops between them.
#pragma once

#include <memory>

#include "net/classifier.h"
#include "runtime/cut.h"
#include "runtime/piece.h"

namespace actio::runtime {

class Network : public net::Classifier {
 public:
  // Throws: Error for a network that infer() rejects and for weights that are missing or misshapen.
  Network(net::NetSpec spec, TensorMap weights, std::unique_ptr<Backend> backend);

  const net::NetSpec& spec() const override { return spec_; }
  TensorMap run(const TensorMap& inputs) override;
  TensorMap run_snippets(const TensorMap& inputs) override;
  TensorMap run_pairs(const TensorMap& earlier, const TensorMap& later) override;
  TensorMap run_clip(const TensorMap& snippets, const TensorMap& pairs) override;

 private:
  // In: values of `clips` clips. Out: the caller's results.
  TensorMap finish(const TensorMap& snippets, const TensorMap& pairs, std::int64_t clips);
  std::vector<Port> ports_between(net::Granularity from, net::Granularity to) const;

  net::NetSpec spec_;
  TensorMap weights_;
  Cut cut_;
  std::unique_ptr<Backend> backend_;
  Piece snippet_, pair_, clip_;
};

}  // namespace actio::runtime
