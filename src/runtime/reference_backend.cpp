#include <algorithm>
#include <cstring>

#include "core/cores.h"
#include "core/error.h"
#include "runtime/plan.h"
#include "runtime/reference_ops.h"

namespace actio::runtime {
namespace {

class ReferencePlan : public Plan {
 public:
  ReferencePlan(Subgraph graph, const TensorMap& weights, std::int64_t rows, std::int64_t threads)
      : graph_(std::move(graph)), weights_(weights), rows_(rows), threads_(threads), infos_(infer_values(graph_)) {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const std::string& input : graph_.nodes[i].inputs) last_use_[input] = i;
    }
    for (const Port& port : graph_.outputs) last_use_[port.name] = graph_.nodes.size();
  }

  void run(const TensorMap& inputs, TensorMap& outputs) override {
    TensorMap values;
    for (const Port& port : graph_.inputs) values[port.name] = inputs.at(port.name);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      values[graph_.nodes[i].name] = execute(graph_.nodes[i], values);
      std::erase_if(values, [&](const auto& value) { return last_use_[value.first] <= i; });
    }
    for (const Port& port : graph_.outputs) {
      std::memcpy(outputs.at(port.name).raw(), values.at(port.name).raw(), values.at(port.name).bytes());
    }
  }

 private:
  Tensor execute(const net::Node& node, const TensorMap& values) const {
    const Shape& row = infos_.at(node.name).shape;
    Shape shape = row;
    shape.insert(shape.begin(), rows_);
    Tensor out(shape);
    OpCall call{node, rows_, {}, weights_, out.data<float>(), row, threads_};
    for (const std::string& input : node.inputs) {
      call.inputs.push_back({values.at(input).data<float>(), infos_.at(input).shape});
    }
    run_reference_op(call);
    return out;
  }

  Subgraph graph_;
  TensorMap weights_;
  std::int64_t rows_;
  std::int64_t threads_;
  std::map<std::string, net::NodeInfo, std::less<>> infos_;
  std::map<std::string, std::size_t> last_use_;  // value -> the last node that reads it
};

class ReferenceBackend : public Backend {
 public:
  explicit ReferenceBackend(std::int64_t threads) : threads_(threads) {}
  std::unique_ptr<Plan> compile(const Subgraph& graph, const TensorMap& weights, std::int64_t rows) override {
    return std::make_unique<ReferencePlan>(graph, weights, rows, threads_);
  }
  std::int64_t rows_at_once() const override { return 4; }

 private:
  std::int64_t threads_;
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend(std::int64_t threads) {
  return std::make_unique<ReferenceBackend>(threads > 0 ? threads : core_count());
}

}  // namespace actio::runtime
