#include <cstring>
#include <limits>

#include "core/cores.h"
#include "core/error.h"
#include "runtime/arena.h"
#include "runtime/backends.h"
#include "runtime/pages.h"
#include "runtime/reference_ops.h"

namespace actio::runtime {
namespace {

constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

class ReferencePlan : public Plan {
 public:
  // Keeps a reference to the weights.
  ReferencePlan(Subgraph graph, const TensorMap& weights, std::int64_t rows, std::int64_t threads)
      : graph_(std::move(graph)), weights_(weights), rows_(rows), threads_(threads), infos_(infer_values(graph_)) {
    std::vector<Lifetime> lifetimes;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      lifetimes.push_back({bytes_of(graph_.nodes[i].name), i, i});
      index_[graph_.nodes[i].name] = i;
      for (const std::string& input : graph_.nodes[i].inputs) {
        if (const auto found = index_.find(input); found != index_.end()) lifetimes[found->second].last = i;
      }
    }
    for (const Port& port : graph_.outputs) {
      if (const auto found = index_.find(port.name); found != index_.end())
        lifetimes[found->second].last = graph_.nodes.size();
    }
    arena_ = plan_arena(lifetimes, kBlockAlignment);
  }

  std::size_t memory_bytes() const override { return arena_.bytes; }
  std::unique_ptr<Executor> executor(std::byte* memory) const override;

 private:
  friend class ReferenceExecutor;

  std::size_t bytes_of(const std::string& value) const {
    return static_cast<std::size_t>(rows_ * shape_numel(infos_.at(value).shape)) * sizeof(float);
  }

  Subgraph graph_;
  const TensorMap& weights_;
  std::int64_t rows_;
  std::int64_t threads_;
  std::map<std::string, net::NodeInfo, std::less<>> infos_;
  std::map<std::string, std::size_t> index_;  // node -> position
  ArenaPlan arena_;
};

class ReferenceExecutor : public Executor {
 public:
  ReferenceExecutor(const ReferencePlan& plan, std::byte* memory) : plan_(plan) {
    for (std::size_t i = 0; i < plan.graph_.nodes.size(); ++i) {
      const net::Node& node = plan.graph_.nodes[i];
      auto* out = reinterpret_cast<float*>(memory + plan.arena_.offsets[i]);
      OpCall& call = calls_.emplace_back(
          OpCall{node, plan.rows_, {}, plan.weights_, out, plan.infos_.at(node.name).shape, plan.threads_});
      for (std::size_t k = 0; k < node.inputs.size(); ++k) {
        const std::size_t port = port_of(node.inputs[k]);
        if (port != kNowhere) from_ports_.push_back({i, k, port});
        call.inputs.push_back(
            {port == kNowhere ? calls_[plan.index_.at(node.inputs[k])].out : nullptr, plan.infos_.at(node.inputs[k]).shape});
      }
    }
  }

  void run(std::span<const float* const> inputs, std::span<float* const> outputs) override {
    for (const FromPort& from : from_ports_) calls_[from.call].inputs[from.argument].data = inputs[from.port];
    for (const OpCall& call : calls_) run_reference_op(call);
    const std::vector<Port>& ports = plan_.graph_.outputs;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      const std::size_t port = port_of(ports[i].name);
      const float* value = port == kNowhere ? calls_[plan_.index_.at(ports[i].name)].out : inputs[port];
      std::memcpy(outputs[i], value, plan_.bytes_of(ports[i].name));
    }
  }

 private:
  struct FromPort {
    std::size_t call, argument, port;
  };

  std::size_t port_of(const std::string& value) const {
    const std::vector<Port>& ports = plan_.graph_.inputs;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i].name == value) return i;
    }
    return kNowhere;
  }

  const ReferencePlan& plan_;
  std::vector<OpCall> calls_;  // one per node
  std::vector<FromPort> from_ports_;
};

std::unique_ptr<Executor> ReferencePlan::executor(std::byte* memory) const {
  return std::make_unique<ReferenceExecutor>(*this, memory);
}

class ReferenceBackend : public Backend {
 public:
  explicit ReferenceBackend(std::int64_t threads) : threads_(threads) {}

  std::vector<std::unique_ptr<Plan>> compile(std::span<const PlanRequest> requests, TensorMap weights) override {
    std::vector<std::unique_ptr<Plan>> plans;
    for (const auto& [graph, rows] : requests) {
      for (const auto& [name, info] : infer_values(*graph)) {
        for (const net::ParamInfo& param : info.params) weights_[param.name] = weights.at(param.name);
      }
      plans.push_back(std::make_unique<ReferencePlan>(*graph, weights_, rows, threads_));
    }
    return plans;
  }
  std::int64_t threads() const override { return threads_; }
  std::int64_t rows_at_once() const override { return 4; }
  std::size_t weight_bytes() const override {
    std::size_t bytes = 0;
    for (const auto& [name, tensor] : weights_) bytes += tensor.bytes();
    return bytes;
  }

 private:
  std::int64_t threads_;
  TensorMap weights_;  // those that a plan reads
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend(std::int64_t threads) {
  return std::make_unique<ReferenceBackend>(threads > 0 ? threads : core_count());
}

}  // namespace actio::runtime
