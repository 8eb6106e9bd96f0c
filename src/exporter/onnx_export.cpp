#include "exporter/onnx_export.h"

#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <exception>
#include <limits>

#include "core/error.h"
#include "core/file.h"
#include "exporter/onnx_graph.h"
#include "exporter/onnx_lower.h"
#include "exporter/onnx_text.h"

namespace actio::exporter {
namespace {

constexpr std::int64_t kMostBytes = std::numeric_limits<std::int32_t>::max();  // of a protobuf message

void check_size(const std::string& where, std::int64_t bytes) {
  if (bytes > kMostBytes) fail("{}: the model needs {} bytes, an ONNX file holds at most {}", where, bytes, kMostBytes);
}

std::int64_t weight_bytes(const std::vector<const net::Node*>& nodes, const net::Inferred& inferred) {
  std::int64_t bytes = 0;
  for (const net::Node* node : nodes) {
    for (const net::ParamInfo& param : inferred.at(node->name).params) {
      bytes += shape_numel(param.shape) * static_cast<std::int64_t>(sizeof(float));
      if (bytes > kMostBytes) return bytes;
    }
  }
  return bytes;
}

// Ports in the order of the network.
OnnxFile ports_of(const net::NetSpec& spec, const net::Inferred& inferred, const std::vector<const net::Node*>& nodes,
                  std::int64_t clips) {
  OnnxFile file;
  for (const net::Node* node : nodes) {
    if (node->op != net::Op::kInput) continue;
    Shape shape = {clips, spec.segments};
    shape.insert(shape.end(), node->attrs.shape.begin(), node->attrs.shape.end());
    file.inputs.push_back({node->name, shape});
  }
  file.outputs = {{kScores, {clips, inferred.at(spec.scores).shape[0]}}, {kProbabilities, {clips, inferred.at(spec.output).shape[0]}}};
  return file;
}

void describe_model(const net::Model& model, onnx::ModelProto& proto) {
  proto.set_ir_version(kOnnxIrVersion);
  onnx::OperatorSetIdProto& opset = *proto.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOnnxOpset);
  proto.set_producer_name("actio");
  proto.set_producer_version(ACTIO_VERSION);
  proto.set_doc_string(model_text(model));
  for (const auto& [key, value] : metadata(model)) {
    onnx::StringStringEntryProto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  proto.mutable_graph()->set_name(model.spec.name);
}

// Also fills in the shapes of the values between, which some engines want.
void check_graph(const std::string& where, onnx::ModelProto& proto) {
  try {
    onnx::checker::check_model(proto);
    onnx::shape_inference::InferShapes(proto, onnx::OpSchemaRegistry::Instance(), {true, 1, true});
  } catch (const std::exception& error) {
    fail("{}: the ONNX checker refuses the network: {}", where, error.what());
  }
}

}  // namespace

std::string port_text(const OnnxPort& port) {
  std::string text = port.name + " [";
  for (std::size_t i = 0; i < port.shape.size(); ++i) {
    text += (i > 0 ? ", " : "") + (port.shape[i] == 0 ? "N" : std::to_string(port.shape[i]));
  }
  return text + "]";
}

OnnxFile export_onnx(const net::Model& model, const std::filesystem::path& path, const OnnxOptions& options) {
  const std::string where = path.string();
  if (options.clips < 0 || options.clips > kMostClips) {
    fail_usage("{}: the number of clips must be between 0 and {}, got {}", where, kMostClips, options.clips);
  }
  const net::Inferred inferred = net::infer(model.spec);
  onnx::ModelProto proto;
  describe_model(model, proto);
  GraphWriter graph(*proto.mutable_graph());
  Lowering lowering(model.spec, inferred, model.weights, graph);
  check_size(where, weight_bytes(lowering.nodes(), inferred));
  lowering.run();
  const OnnxFile file = ports_of(model.spec, inferred, lowering.nodes(), options.clips);
  for (const OnnxPort& port : file.inputs) graph.input(port.name, port.shape, input_text(model, port.name));
  graph.output(kScores, file.outputs[0].shape, scores_text(model));
  graph.output(kProbabilities, file.outputs[1].shape, probabilities_text());
  check_graph(where, proto);
  check_size(where, static_cast<std::int64_t>(proto.ByteSizeLong()));
  write_file_atomically(path, [&](std::ostream& stream) {
    if (!proto.SerializeToOstream(&stream)) stream.setstate(std::ios::failbit);
  });
  return file;
}

}  // namespace actio::exporter
