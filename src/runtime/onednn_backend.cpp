#include <algorithm>

#include "core/cores.h"
#include "core/error.h"
#include "runtime/backends.h"
#include "runtime/onednn_lower.h"

namespace actio::runtime {
namespace {

class OnednnBackend : public Backend {
 public:
  OnednnBackend(int threads, Numerics numerics)
      : engine_(dnnl::engine::kind::cpu, 0), store_(engine_), threads_(threads), numerics_(std::move(numerics)) {}

  std::vector<std::unique_ptr<Plan>> compile(std::span<const PlanRequest> requests, TensorMap weights) override {
    const ThreadScope scope(threads_);  // primitives divide their work when they are created
    std::vector<std::unique_ptr<Plan>> plans;
    try {
      for (const PlanRequest& request : requests) plans.push_back(lowered(request, weights));
      store_.fill(std::move(weights), threads_);
    } catch (const dnnl::error& error) {
      fail("oneDNN: {} (status {})", error.what(), static_cast<int>(error.status));
    }
    return plans;
  }

  std::int64_t threads() const override { return threads_; }
  Precision precision() const override {
    return numerics_.precision == Precision::kBf16 && !quick_types().bf16 ? Precision::kF32 : numerics_.precision;
  }
  std::vector<OpRecord> records() const override { return records_; }
  std::size_t weight_bytes() const override { return store_.bytes(); }

  // A batch pays only where it feeds more cores than one image can: on few cores the values of one image stay in the cache.
  // Values of 8 bits are a quarter as large, and weights are read again for every batch: four rows took 6 to 9 % less time than one.
  std::int64_t rows_at_once() const override { return std::clamp(threads_ / 2, numerics_.precision == Precision::kInt8 ? 4 : 1, 16); }

 private:
  std::unique_ptr<Plan> lowered(const PlanRequest& request, const TensorMap& weights) {
    Lowering lowering(*request.graph, weights, request.rows, engine_, store_, numerics_);
    Program program = lowering.run();
    for (OpRecord& record : lowering.records()) {
      if (std::ranges::find(records_, record.node, &OpRecord::node) == records_.end()) records_.push_back(std::move(record));
    }
    return make_onednn_plan(std::move(program), engine_, threads_);
  }

  dnnl::engine engine_;
  WeightStore store_;
  int threads_;
  Numerics numerics_;
  std::vector<OpRecord> records_;
};

}  // namespace

std::unique_ptr<Backend> make_onednn_backend(std::int64_t threads, const Numerics& numerics) {
  return std::make_unique<OnednnBackend>(static_cast<int>(threads > 0 ? threads : core_count()), numerics);
}

}  // namespace actio::runtime
