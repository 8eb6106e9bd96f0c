#include "openvino/backend.h"

#include <algorithm>
#include <cstring>

#include "core/cores.h"
#include "core/error.h"
#include "openvino/bridge.h"
#include "openvino/lower.h"

namespace actio::openvino {
namespace {

using runtime::Precision;

class OpenvinoExecutor : public runtime::Executor {
 public:
  OpenvinoExecutor(std::unique_ptr<Request> request, const std::vector<Source>& sources) : request_(std::move(request)), sources_(sources) {}

  void run(std::span<const float* const> inputs, std::span<float* const> outputs) override {
    computed_.clear();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (sources_[i].kind == Source::Kind::kGraph) computed_.push_back(outputs[i]);
    }
    try {
      if (request_) request_->run(inputs, computed_);
    } catch (const std::exception& error) {
      fail("OpenVINO: {}", message_of(error));
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Source& source = sources_[i];
      if (source.kind == Source::Kind::kGraph) continue;
      std::memcpy(outputs[i], source.kind == Source::Kind::kInput ? inputs[source.port] : outputs[source.port], source.bytes);
    }
  }

 private:
  std::unique_ptr<Request> request_;  // none where nothing is computed
  const std::vector<Source>& sources_;
  std::vector<float*> computed_;
};

// OpenVINO keeps the values inside of a model in memory of its own.
class OpenvinoPlan : public runtime::Plan {
 public:
  OpenvinoPlan(std::unique_ptr<Model> model, std::vector<Source> sources) : model_(std::move(model)), sources_(std::move(sources)) {}
  std::size_t memory_bytes() const override { return 0; }
  std::unique_ptr<runtime::Executor> executor(std::byte*) const override {
    try {
      return std::make_unique<OpenvinoExecutor>(model_ ? model_->request() : nullptr, sources_);
    } catch (const std::exception& error) {
      fail("OpenVINO: {}", message_of(error));
    }
  }

 private:
  std::unique_ptr<Model> model_;
  std::vector<Source> sources_;
};

class OpenvinoBackend : public runtime::Backend {
 public:
  OpenvinoBackend(std::int64_t threads, runtime::Numerics numerics, std::string device)
      : threads_(threads), numerics_(std::move(numerics)), device_(std::move(device)) {
    if (numerics_.precision == Precision::kBf16 && !has_capability(device_.c_str(), "BF16")) numerics_.precision = Precision::kF32;
  }

  std::vector<std::unique_ptr<runtime::Plan>> compile(std::span<const runtime::PlanRequest> requests, TensorMap weights) override {
    std::vector<std::unique_ptr<runtime::Plan>> plans;
    for (const runtime::PlanRequest& request : requests) plans.push_back(compiled(*request.graph, weights, request.rows));
    return plans;
  }

  std::int64_t threads() const override { return threads_; }
  Precision precision() const override { return numerics_.precision; }
  std::vector<runtime::OpRecord> records() const override { return records_; }
  std::int64_t rows_at_once() const override { return std::clamp<std::int64_t>(threads_ / 2, 1, 16); }  // as with oneDNN, which it is made of
  std::size_t weight_bytes() const override { return weight_bytes_; }

 private:
  std::unique_ptr<runtime::Plan> compiled(const runtime::Subgraph& graph, const TensorMap& weights, std::int64_t rows) {
    Graph ops;
    Lowered lowered = lower(graph, weights, rows, numerics_, ops);
    weight_bytes_ += lowered.weight_bytes;
    for (runtime::OpRecord& record : lowered.records) {
      if (std::ranges::find(records_, record.node, &runtime::OpRecord::node) == records_.end()) records_.push_back(std::move(record));
    }
    if (std::ranges::none_of(lowered.outputs, [](const Source& source) { return source.kind == Source::Kind::kGraph; })) {
      return std::make_unique<OpenvinoPlan>(nullptr, std::move(lowered.outputs));
    }
    // Sessions run beside each other: as many as there are cores for, the others wait for their turn.
    const std::int64_t at_once = std::max<std::int64_t>(1, core_count() / threads_);
    const Arithmetic arithmetic = numerics_.precision == Precision::kBf16 ? Arithmetic::kBf16 : Arithmetic::kF32;
    try {
      return std::make_unique<OpenvinoPlan>(openvino::compile(ops, {device_.c_str(), threads_, at_once, arithmetic}), std::move(lowered.outputs));
    } catch (const std::exception& error) {
      fail("{}: OpenVINO cannot compile what makes '{}': {}", device_, graph.outputs.back().name, message_of(error));
    }
  }

  std::int64_t threads_;
  runtime::Numerics numerics_;
  std::string device_;
  std::vector<runtime::OpRecord> records_;
  std::size_t weight_bytes_ = 0;  // of all plans: each has its own
};

}  // namespace

std::unique_ptr<runtime::Backend> make_backend(std::int64_t threads, const runtime::Numerics& numerics, const std::string& device) {
  try {
    return std::make_unique<OpenvinoBackend>(threads > 0 ? threads : core_count(), numerics, device.empty() ? "CPU" : device);
  } catch (const std::exception& error) {
    fail("OpenVINO, device {}: {}", device.empty() ? "CPU" : device, message_of(error));
  }
}

std::vector<std::string> devices() {
  std::vector<std::string> names;
  try {
    for_each_device([&](const char* name) { names.emplace_back(name); });
  } catch (const std::exception& error) {
    fail("OpenVINO: {}", message_of(error));
  }
  names.emplace_back("AUTO");
  return names;
}

}  // namespace actio::openvino
