#include "openvino/bridge_graph.h"

namespace actio::openvino {
namespace {

// Never destroyed: it would unload its plugins while the process ends, in no certain order with their threads.
ov::Core& core() {
  static auto* const made = new ov::Core;
  return *made;
}

class OwnRequest : public Request {
 public:
  explicit OwnRequest(const ov::CompiledModel& model) : model_(model), request_(model_.create_infer_request()) {
    inputs_.resize(model_.inputs().size());
    outputs_.resize(model_.outputs().size());
  }

  void run(std::span<const float* const> inputs, std::span<float* const> outputs) override {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      float* from = const_cast<float*>(inputs[i]);  // OpenVINO has no tensors of constants; inputs are read alone
      if (std::exchange(inputs_[i], from) != from) request_.set_input_tensor(i, {ov::element::f32, model_.input(i).get_shape(), from});
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      if (std::exchange(outputs_[i], outputs[i]) == outputs[i]) continue;
      request_.set_output_tensor(i, {ov::element::f32, model_.output(i).get_shape(), outputs[i]});
    }
    request_.infer();
  }

 private:
  ov::CompiledModel model_;
  ov::InferRequest request_;
  std::vector<float*> inputs_, outputs_;  // that the request has
};

class OwnModel : public Model {
 public:
  explicit OwnModel(ov::CompiledModel model) : model_(std::move(model)) {}
  std::unique_ptr<Request> request() const override { return std::make_unique<OwnRequest>(model_); }

 private:
  ov::CompiledModel model_;
};

ov::AnyMap properties_of(const Settings& settings) {
  ov::AnyMap properties;
  // A device without f32 (an NPU) computes what it has.
  if (has_capability(settings.device, ov::device::capability::FP32)) {
    properties.insert(ov::hint::inference_precision(settings.arithmetic == Arithmetic::kBf16 ? ov::element::bf16 : ov::element::f32));
  }
  if (std::string(settings.device) != "CPU") return properties;
  properties.insert(ov::inference_num_threads(static_cast<int>(settings.threads * settings.at_once)));
  properties.insert(ov::num_streams(ov::streams::Num(static_cast<int>(settings.at_once))));
  properties.insert(ov::hint::enable_cpu_pinning(false));  // other threads of the process decode meanwhile
  return properties;
}

}  // namespace

class Compiler {
 public:
  static std::unique_ptr<Model> compile(const Graph& graph, const Settings& settings) {
    const Graph::Parts& parts = *graph.parts_;
    const auto model = std::make_shared<ov::Model>(parts.outputs, parts.inputs);
    return std::make_unique<OwnModel>(core().compile_model(model, settings.device, properties_of(settings)));
  }
};

std::unique_ptr<Model> compile(const Graph& graph, const Settings& settings) { return Compiler::compile(graph, settings); }

void for_each_device(const std::function<void(const char* name)>& use) {
  for (const std::string& name : core().get_available_devices()) use(name.c_str());
}

bool has_capability(const char* device, const char* capability) {
  const std::vector<std::string> all = core().get_property(device, ov::device::capabilities);
  return std::find(all.begin(), all.end(), capability) != all.end();
}

}  // namespace actio::openvino
