#include "runtime/fuse.h"

#include <map>
#include <set>

namespace actio::runtime {
namespace {

using net::Op;

bool has_weight_matrix(Op op) { return op == Op::kConv2d || op == Op::kConv1d || op == Op::kLinear; }
bool is_pairwise(Op op) { return op == Op::kAdd || op == Op::kSub || op == Op::kMul || op == Op::kMax; }
bool takes_activation(Op op) { return has_weight_matrix(op) || is_pairwise(op) || op == Op::kBatchNorm; }
bool takes_residual(Op op) { return takes_activation(op) && op != Op::kLinear; }

class Fuser {
 public:
  explicit Fuser(const Subgraph& graph) : graph_(graph), infos_(infer_values(graph)) {
    for (const Port& port : graph.inputs) {
      values_[port.name] = port.name;
      available_.insert(port.name);
    }
    for (const net::Node& node : graph.nodes) {
      values_[node.name] = node.op == Op::kDropout ? values_.at(node.inputs[0]) : node.name;
      if (node.op == Op::kDropout) continue;
      for (const std::string& input : node.inputs) readers_[values_.at(input)].push_back(&node);
    }
    for (const Port& port : graph.outputs) kept_.insert(values_.at(port.name));
  }

  FusedGraph run() {
    FusedGraph fused;
    for (const net::Node& node : graph_.nodes) {
      if (node.op == Op::kDropout || merged_.contains(node.name)) continue;
      fused.ops.push_back(merge_from(node));
      available_.insert(fused.ops.back().output);
    }
    for (const Port& port : graph_.outputs) fused.outputs.push_back(values_.at(port.name));
    return fused;
  }

 private:
  // The node that alone reads `value`, where nothing else needs it.
  const net::Node* only_reader(const std::string& value) const {
    const auto found = readers_.find(value);
    return found == readers_.end() || found->second.size() != 1 || kept_.contains(value) ? nullptr : found->second[0];
  }

  void absorb(FusedOp& op, const net::Node& next) {
    merged_.insert(next.name);
    op.output = next.name;
  }

  FusedOp merge_from(const net::Node& node) {
    FusedOp op{node, {}, "", Activation::kNone, node.name, infos_.at(node.name).shape};
    for (std::string& input : op.node.inputs) input = values_.at(input);
    const net::Node* next = only_reader(op.output);
    if (next && next->op == Op::kBatchNorm && has_weight_matrix(node.op)) {
      op.norm = *next;
      absorb(op, *next);
      next = only_reader(op.output);
    }
    if (next && next->op == Op::kAdd && takes_residual(node.op)) {
      const std::string& left = values_.at(next->inputs[0]);
      const std::string& other = left == op.output ? values_.at(next->inputs[1]) : left;
      if (available_.contains(other)) {
        op.residual = other;
        absorb(op, *next);
        next = only_reader(op.output);
      }
    }
    if (next && (next->op == Op::kRelu || next->op == Op::kRelu6) && takes_activation(node.op)) {
      op.activation = next->op == Op::kRelu ? Activation::kRelu : Activation::kRelu6;
      absorb(op, *next);
    }
    return op;
  }

  const Subgraph& graph_;
  std::map<std::string, net::NodeInfo, std::less<>> infos_;
  std::map<std::string, std::string> values_;                     // node -> the value it stands for
  std::map<std::string, std::vector<const net::Node*>> readers_;  // value -> nodes, one entry per use
  std::set<std::string> kept_, available_, merged_;
};

}  // namespace

FusedGraph fuse(const Subgraph& graph) { return Fuser(graph).run(); }

}  // namespace actio::runtime
