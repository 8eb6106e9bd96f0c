// net: writes a NetSpec one node at a time; each call returns the new node's name, to be used as the next one's input.
#pragma once

#include <string>
#include <vector>

#include "net/infer.h"
#include "net/netspec.h"

namespace actio::net {

using Value = std::string;  // the name of the node that produces it

struct Conv {
  std::int64_t channels = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
  bool bias = false;
  Padding padding = {};
  std::int64_t kernel_width = 0;  // conv2d; 0: as high as wide
};

Padding same_padding(std::int64_t all_sides);

class Builder {
 public:
  explicit Builder(std::string name, std::int64_t segments);

  Value input(const std::string& name, Shape shape);
  Value conv2d(const std::string& name, const Value& x, const Conv& conv);
  Value conv1d(const std::string& name, const Value& x, const Conv& conv);
  Value batch_norm(const std::string& name, const Value& x, double epsilon = 1e-5);
  Value relu(const std::string& name, const Value& x);
  Value relu6(const std::string& name, const Value& x);
  Value max_pool2d(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride, Padding padding);
  Value avg_pool2d(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride, Padding padding);
  Value linear(const std::string& name, const Value& x, std::int64_t channels);
  Value dropout(const std::string& name, const Value& x, double probability);
  Value weighted_sum(const std::string& name, const std::vector<Value>& xs, std::vector<double> weights, bool trainable);
  // `tuples`: lists of columns, all of one length.
  Value time_tuples(const std::string& name, const Value& x, const std::vector<std::vector<std::int64_t>>& tuples);
  // global_avg_pool, time_mean, add, sub, mul, max, concat, softmax, flatten, segment_diff, segment_mean, segment_stack
  Value apply(Op op, const std::string& name, const std::vector<Value>& xs);

  void head(const std::string& name, const Value& node, HeadLoss loss = HeadLoss::kCrossEntropy);
  // A term of the objective that is no part of the prediction.
  void auxiliary_head(const std::string& name, const Value& node, double weight);
  void stage(const std::string& name, const Value& node);

  // The finished network, checked by infer().
  NetSpec finish(const Value& scores, const Value& output);

  const Shape& shape_of(const Value& x) const;   // of one row
  std::int64_t segments() const { return spec_.segments; }

 private:
  Value add_node(Node node);

  NetSpec spec_;
  Inferred inferred_;
};

}  // namespace actio::net
