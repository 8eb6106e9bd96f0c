// What an ONNX file says beside its numbers, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "core/error.h"
#include "exporter/onnx_export.h"
#include "models.h"
#include "net/builder.h"
#include "net/infer.h"
#include "support/temp_dir.h"

namespace actio::testing {
namespace {

using exporter::export_onnx;
using ::testing::HasSubstr;

std::string content_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

onnx::ModelProto read_onnx(const std::string& path) {
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(content_of(path)));
  return proto;
}

net::Model if_ttn_model() {
  net::NetworkOptions options = variants("if_ttn", "resnet18").front().options;
  options.segments = 3;
  return random_model(options);
}

// Scores of each snippet and a head that only training uses.
net::Model model_with_an_auxiliary_head() {
  net::Builder b("small", 3);
  const net::Value x = b.relu("rgb.relu", b.conv2d("rgb.conv", b.input("rgb", {3, 8, 8}), {.channels = 4, .kernel = 3}));
  const net::Value unused = b.apply(net::Op::kGlobalAvgPool, "motion.pool", {b.input("motion", {4, 8, 8})});
  const net::Value pooled = b.dropout("rgb.dropout", b.apply(net::Op::kGlobalAvgPool, "rgb.pool", {x}), 0.5);
  const net::Value scores = b.apply(net::Op::kSegmentMean, "rgb.consensus", {b.linear("rgb.fc", pooled, 5)});
  b.head("rgb", scores);
  b.head("aux", b.apply(net::Op::kSegmentMean, "aux.consensus", {b.linear("aux.fc", unused, 5)}));
  return random_model(b.finish(scores, b.apply(net::Op::kSoftmax, "rgb.softmax", {scores})), 2);
}

std::vector<std::string> dims(const onnx::ValueInfoProto& port) {
  std::vector<std::string> sizes;
  for (const auto& dim : port.type().tensor_type().shape().dim()) {
    sizes.push_back(dim.has_dim_param() ? dim.dim_param() : dim.has_dim_value() ? std::to_string(dim.dim_value()) : "?");
  }
  return sizes;
}

std::string message_of(const net::Model& model, const std::string& path, ErrorCode code, const exporter::OnnxOptions& options = {}) {
  try {
    export_onnx(model, path, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

TEST(OnnxFile, tells_what_its_inputs_and_outputs_mean) {
  const TempDir dir;
  net::Model model = if_ttn_model();
  model.classes = {"clap", "jump", "wave \"both\" hands", "d", "e", "f", "g"};
  model.hash = "0123";
  model.inputs.list.at(1).std = {40.5};
  export_onnx(model, dir / "m.onnx");
  const onnx::ModelProto proto = read_onnx(dir / "m.onnx");
  std::map<std::string, std::string> metadata;
  for (const auto& entry : proto.metadata_props()) metadata[entry.key()] = entry.value();
  EXPECT_EQ(metadata.at("actio.format"), "1");
  EXPECT_EQ(metadata.at("actio.network"), "if_ttn(resnet18)");
  EXPECT_EQ(metadata.at("actio.segments"), "3");
  EXPECT_EQ(metadata.at("actio.hash"), "0123");
  EXPECT_EQ(Json::parse(metadata.at("actio.classes")).get<std::vector<std::string>>(), model.classes);
  Preprocess read;
  fields_from_json(read.fields(), Json::parse(metadata.at("actio.preprocess")), "metadata");
  EXPECT_EQ(inputs_of({"rgb", "motion"}, read), model.inputs);
  EXPECT_EQ(inputs_from_json(Json::parse(metadata.at("actio.inputs")), "metadata"), model.inputs);

  EXPECT_EQ(proto.producer_name(), "actio");
  EXPECT_THAT(proto.producer_version(), ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(proto.doc_string(), HasSubstr("3 snippets out of 7 classes"));
  ASSERT_EQ(proto.opset_import_size(), 1);
  EXPECT_EQ(proto.opset_import(0).version(), exporter::kOnnxOpset);
  EXPECT_LE(proto.ir_version(), 8);
  ASSERT_EQ(proto.graph().input_size(), 2);
  EXPECT_THAT(proto.graph().input(0).doc_string(), HasSubstr("mean [123.675, 116.28, 103.53]"));
  EXPECT_THAT(proto.graph().input(1).doc_string(), HasSubstr("/ 40.5"));
  ASSERT_EQ(proto.graph().output_size(), 2);
  EXPECT_THAT(proto.graph().output(0).doc_string(), HasSubstr("before the softmax"));
}

TEST(OnnxFile, has_the_shapes_of_its_ports_and_of_the_values_between) {
  const TempDir dir;
  const net::Model model = if_ttn_model();
  const exporter::OnnxFile file = export_onnx(model, dir / "m.onnx", {.clips = 2});
  EXPECT_EQ(port_text(file.inputs.at(1)), "motion [2, 3, 4, 48, 48]");
  const onnx::GraphProto graph = read_onnx(dir / "m.onnx").graph();
  EXPECT_EQ(dims(graph.input(0)), (std::vector<std::string>{"2", "3", "3", "48", "48"}));
  EXPECT_EQ(dims(graph.output(0)), (std::vector<std::string>{"2", "7"}));
  const net::Inferred inferred = net::infer(model.spec);
  int compared = 0;
  for (const auto& value : graph.value_info()) {
    const auto found = inferred.index.find(value.name());
    if (found == inferred.index.end()) continue;
    const net::NodeInfo& info = inferred.nodes[found->second];
    std::vector<std::string> expected = {std::to_string(net::row_count(info.granularity, 2, 3))};
    for (const std::int64_t size : info.shape) expected.push_back(std::to_string(size));
    EXPECT_EQ(dims(value), expected) << value.name();
    ++compared;
  }
  EXPECT_GT(compared, 100);
}

TEST(OnnxFile, leaves_the_number_of_clips_open_where_that_is_asked_for) {
  const TempDir dir;
  const exporter::OnnxFile file = export_onnx(if_ttn_model(), dir / "m.onnx", {.clips = 0});
  EXPECT_EQ(port_text(file.inputs.at(0)), "rgb [N, 3, 3, 48, 48]");
  const onnx::GraphProto graph = read_onnx(dir / "m.onnx").graph();
  EXPECT_EQ(dims(graph.input(1)), (std::vector<std::string>{"N", "3", "4", "48", "48"}));
  EXPECT_EQ(dims(graph.output(1)), (std::vector<std::string>{"N", "7"}));
}

TEST(OnnxFile, has_the_names_and_numbers_of_the_network_and_nothing_that_only_training_needs) {
  const TempDir dir;
  const net::Model model = model_with_an_auxiliary_head();
  export_onnx(model, dir / "m.onnx");
  const onnx::GraphProto graph = read_onnx(dir / "m.onnx").graph();
  std::set<std::string> nodes;
  for (const auto& node : graph.node()) {
    nodes.insert(node.name());
    EXPECT_NE(node.op_type(), "Dropout");
  }
  for (const char* name : {"rgb", "rgb.conv", "rgb.relu", "rgb.pool", "rgb.fc", "rgb.consensus", "rgb.softmax"}) {
    EXPECT_TRUE(nodes.contains(name)) << name;
  }
  for (const char* name : {"aux.fc", "aux.consensus", "motion.pool", "rgb.dropout"}) EXPECT_FALSE(nodes.contains(name)) << name;
  ASSERT_EQ(graph.input_size(), 1);
  EXPECT_EQ(graph.input(0).name(), "rgb");
  int weights = 0;
  for (const auto& constant : graph.initializer()) {
    const auto found = model.weights.find(constant.name());
    if (found == model.weights.end()) continue;
    EXPECT_EQ(Shape(constant.dims().begin(), constant.dims().end()), found->second.shape());
    ASSERT_EQ(constant.raw_data().size(), found->second.bytes());
    EXPECT_EQ(std::memcmp(constant.raw_data().data(), found->second.raw(), found->second.bytes()), 0) << constant.name();
    ++weights;
  }
  EXPECT_EQ(weights, 3);
}

TEST(OnnxFile, is_the_same_for_the_same_model) {
  const TempDir dir;
  export_onnx(if_ttn_model(), dir / "a.onnx");
  export_onnx(if_ttn_model(), dir / "b.onnx");
  EXPECT_EQ(content_of(dir / "a.onnx"), content_of(dir / "b.onnx"));
}

TEST(OnnxFile, keeps_names_apart_that_a_network_could_mix_up) {
  const TempDir dir;
  net::Builder b("names", 2);
  const net::Value x = b.input("x", {4});
  const net::Value y = b.linear("x.snippets", b.relu("scores", x), 4);
  const net::Value z = b.linear("fc", b.relu("fc.weight", b.relu("probabilities", y)), 4);
  const net::Value mean = b.apply(net::Op::kSegmentMean, "mean", {b.relu("mean.clips", z)});
  export_onnx(random_model(b.finish(mean, b.apply(net::Op::kSoftmax, "x.weight", {mean})), 1), dir / "m.onnx");
}

TEST(OnnxFile, refuses_an_input_with_the_name_of_an_output) {
  const TempDir dir;
  net::Builder b("names", 2);
  const net::Value mean = b.apply(net::Op::kSegmentMean, "mean", {b.input("scores", {4})});
  const net::Model model = random_model(b.finish(mean, mean), 1);
  EXPECT_EQ(message_of(model, dir / "m.onnx", ErrorCode::kFailed), "scores: an input has the name of an output");
}

TEST(OnnxFile, refuses_weights_that_are_missing_or_misshapen_and_leaves_the_old_file) {
  const TempDir dir;
  net::Model model = model_with_an_auxiliary_head();
  std::ofstream(dir / "m.onnx") << "old";
  model.weights["rgb.fc.weight"] = Tensor({5, 3});
  EXPECT_EQ(message_of(model, dir / "m.onnx", ErrorCode::kFailed), "rgb.fc.weight: expected f32 [5, 4], got f32 [5, 3]");
  model.weights.erase("rgb.conv.weight");
  EXPECT_EQ(message_of(model, dir / "m.onnx", ErrorCode::kFailed), "rgb.conv.weight: the model has no such tensor");
  EXPECT_EQ(content_of(dir / "m.onnx"), "old");
}

TEST(OnnxFile, refuses_more_than_a_file_can_hold_in_one_line) {
  const TempDir dir;
  net::Builder b("large", 2);
  const net::Value y = b.linear("fc", b.input("x", {1 << 15}), 1 << 15);
  const net::Value mean = b.apply(net::Op::kSegmentMean, "mean", {y});
  net::Model model;
  model.spec = b.finish(mean, mean);
  EXPECT_EQ(message_of(model, dir / "m.onnx", ErrorCode::kFailed),
            (dir / "m.onnx") + ": the model needs 4294967296 bytes, an ONNX file holds at most 2147483647");
}

TEST(OnnxFile, refuses_a_wrong_number_of_clips_and_a_place_that_cannot_be_written) {
  const TempDir dir;
  const net::Model model = model_with_an_auxiliary_head();
  EXPECT_THAT(message_of(model, dir / "m.onnx", ErrorCode::kUsage, {.clips = -1}), HasSubstr("between 0 and 65536, got -1"));
  EXPECT_THAT(message_of(model, dir / "m.onnx", ErrorCode::kUsage, {.clips = 65537}), HasSubstr("got 65537"));
  EXPECT_THAT(message_of(model, dir / "none/m.onnx", ErrorCode::kFailed), HasSubstr("none/m.onnx: cannot be written"));
}

}  // namespace
}  // namespace actio::testing
