#include "exporter/onnx_graph.h"

#include "core/error.h"

namespace actio::exporter {
namespace {

void set_attribute(onnx::AttributeProto& proto, const Attribute& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(*whole);
  } else if (const auto* real = std::get_if<float>(&value)) {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(*real);
  } else {
    proto.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t each : std::get<Integers>(value)) proto.add_ints(each);
  }
}

void describe_port(onnx::ValueInfoProto& port, const std::string& name, const Shape& shape, const std::string& text) {
  port.set_name(name);
  port.set_doc_string(text);
  onnx::TypeProto::Tensor& type = *port.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape();
  for (const std::int64_t size : shape) {
    auto& dimension = *type.mutable_shape()->add_dim();
    if (size == 0) dimension.set_dim_param("N");
    else dimension.set_dim_value(size);
  }
}

}  // namespace

std::string GraphWriter::claim(const std::string& wanted) {
  std::string name = wanted;
  for (int number = 2; !taken_.insert(name).second; ++number) name = fmt::format("{}_{}", wanted, number);
  return name;
}

void GraphWriter::add(const std::string& name, const OnnxOp& op, const std::string& output) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_name(name);
  node.set_op_type(op.type);
  for (const std::string& input : op.inputs) node.add_input(input);
  node.add_output(output);
  for (const auto& [key, value] : op.attributes) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(key);
    set_attribute(attribute, value);
  }
}

std::string GraphWriter::add(const std::string& wanted, const OnnxOp& op) {
  const std::string name = claim(wanted);
  add(name, op, name);
  return name;
}

std::string GraphWriter::constant(const std::string& wanted, const Tensor& values) {
  onnx::TensorProto& proto = *graph_.add_initializer();
  proto.set_name(claim(wanted));
  proto.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t size : values.shape()) proto.add_dims(size);
  proto.set_raw_data(values.data<float>(), values.bytes());
  return proto.name();
}

std::string GraphWriter::constant(const std::string& wanted, const Integers& values) {
  onnx::TensorProto& proto = *graph_.add_initializer();
  proto.set_name(claim(wanted));
  proto.set_data_type(onnx::TensorProto::INT64);
  proto.add_dims(static_cast<std::int64_t>(values.size()));
  proto.set_raw_data(values.data(), values.size() * sizeof(std::int64_t));
  return proto.name();
}

std::string GraphWriter::reshape(const std::string& wanted, const std::string& x, const Integers& shape) {
  return add(wanted, {"Reshape", {x, constant(wanted + ".shape", shape)}});
}

void GraphWriter::input(const std::string& name, const Shape& shape, const std::string& text) {
  describe_port(*graph_.add_input(), name, shape, text);
}

void GraphWriter::output(const std::string& name, const Shape& shape, const std::string& text) {
  describe_port(*graph_.add_output(), name, shape, text);
}

}  // namespace actio::exporter
