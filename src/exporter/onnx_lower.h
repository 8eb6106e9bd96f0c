// exporter: what each op of a network is in ONNX. In: a network and its weights. Out: the nodes of an ONNX graph, from the
// clips [N, K, C, H, W] to the tensors "scores" and "probabilities". Values of snippets have N*K rows, of pairs N*(K-1).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "exporter/onnx_graph.h"
#include "net/infer.h"
#include "net/netspec.h"

namespace actio::exporter {

inline constexpr const char* kScores = "scores";
inline constexpr const char* kProbabilities = "probabilities";

class Lowering {
 public:
  Lowering(const net::NetSpec& spec, const net::Inferred& inferred, const TensorMap& weights, GraphWriter& graph);

  // The nodes that scores and probabilities need, in order.
  const std::vector<const net::Node*>& nodes() const { return nodes_; }

  // Throws: Error naming the node or tensor.
  void run();

 private:
  void name_tensors();
  void lower(const net::Node& node);
  void lower_input(const net::Node& node);
  void lower_conv(const net::Node& node);
  void lower_batch_norm(const net::Node& node);
  void lower_linear(const net::Node& node);
  void lower_max_pool(const net::Node& node);
  void lower_avg_pool(const net::Node& node);
  void lower_dilated_avg_pool(const net::Node& node);
  void lower_global_avg_pool(const net::Node& node);
  void lower_dropout(const net::Node& node);
  void lower_weighted_sum(const net::Node& node);
  void lower_time_tuples(const net::Node& node);
  void lower_segment_diff(const net::Node& node);
  void lower_segment_mean(const net::Node& node);
  void lower_segment_stack(const net::Node& node);

  // The op that makes the value of `node`.
  void emit(const net::Node& node, const OnnxOp& op);
  std::vector<std::string> tensors(const net::Node& node) const;   // of its inputs
  const std::string& tensor(const net::Node& node, std::size_t input = 0) const;
  const Shape& row(const std::string& node) const { return inferred_.at(node).shape; }
  const Tensor& weight(const net::Node& node, const char* suffix) const;
  std::string weight_constant(const net::Node& node, const char* suffix);
  std::string padded(const net::Node& node, const Integers& before, const Integers& after);
  struct Range {
    std::int64_t axis, begin, end;
  };
  std::string slice(const net::Node& node, const std::string& what, const std::string& x, const Range& range);
  // [N*count, ...] -> [N, count, ...]; `count` is the number of snippets or pairs of a clip. Returns: the tensor.
  std::string by_clip(const net::Node& node);
  std::int64_t rows_of_clip(const net::Node& node) const;

  const net::NetSpec& spec_;
  const net::Inferred& inferred_;
  const TensorMap& weights_;
  GraphWriter& graph_;
  std::vector<const net::Node*> nodes_;
  std::map<std::string, std::string, std::less<>> tensors_;   // node -> the tensor of its value
};

}  // namespace actio::exporter
