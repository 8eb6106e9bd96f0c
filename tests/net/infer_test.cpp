#include "net/infer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "net/builder.h"

namespace actio::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Two snippet convolutions, a pair part and a clip part.
NetSpec small_net() {
  Builder b("small", 3);
  const Value x = b.input("rgb", {3, 8, 10});
  const Value y = b.relu("r", b.conv2d("c1", x, {4, 3, 2, 1, false, same_padding(1)}));
  const Value d = b.apply(Op::kSegmentDiff, "d", {y});
  const Value p = b.apply(Op::kGlobalAvgPool, "g", {b.conv2d("c2", d, {5, 1})});
  const Value scores = b.linear("fc", b.apply(Op::kSegmentMean, "m", {p}), 2);
  b.head("only", scores);
  return b.finish(scores, b.apply(Op::kSoftmax, "out", {scores}));
}

TEST(Infer, follows_granularity_and_shape_from_snippet_to_pair_to_clip) {
  const NetSpec spec = small_net();
  const Inferred inferred = infer(spec);
  EXPECT_EQ(inferred.at("c1").granularity, Granularity::kSnippet);
  EXPECT_THAT(inferred.at("c1").shape, ElementsAre(4, 4, 5));
  EXPECT_EQ(inferred.at("d").granularity, Granularity::kPair);
  EXPECT_THAT(inferred.at("d").shape, ElementsAre(4, 4, 5));
  EXPECT_EQ(inferred.at("m").granularity, Granularity::kClip);
  EXPECT_THAT(inferred.at("out").shape, ElementsAre(2));
}

TEST(Infer, counts_multiply_adds_and_lists_parameters_with_their_shapes) {
  const NetSpec spec = small_net();
  const Inferred inferred = infer(spec);
  EXPECT_EQ(inferred.at("c1").multiply_adds, 4 * 5 * 4 * 3 * 3 * 3);
  EXPECT_EQ(inferred.at("fc").multiply_adds, 5 * 2);
  std::vector<std::string> names;
  for (const ParamInfo& param : parameters(spec)) names.push_back(param.name + shape_text(param.shape));
  EXPECT_THAT(names, ElementsAre("c1.weight[4, 3, 3, 3]", "c2.weight[5, 4, 1, 1]", "fc.weight[2, 5]", "fc.bias[2]"));
}

TEST(Infer, joins_the_columns_of_a_tuple_and_counts_the_tuples) {
  Builder b("tuples", 5);
  const Value x = b.apply(Op::kSegmentStack, "s", {b.apply(Op::kFlatten, "f", {b.input("rgb", {8, 1, 1})})});
  EXPECT_THAT(b.shape_of(b.time_tuples("t", x, {{0, 2, 4}, {1, 2, 3}})), ElementsAre(24, 2));
  EXPECT_THAT(message_of([&] { b.time_tuples("out", x, {{0, 5}}); }), HasSubstr("out: index 5 is outside of 5 columns"));
  EXPECT_THAT(message_of([&] { b.time_tuples("odd", x, {{0, 1}, {2}}); }), HasSubstr("odd: 3 indices do not make tuples of 2"));
  EXPECT_THAT(message_of([&] { b.time_tuples("none", x, {}); }), HasSubstr("none: 0 indices"));
  const std::vector<std::vector<std::int64_t>> many(40'000, {0, 1});
  EXPECT_THAT(message_of([&] { b.time_tuples("many", x, many); }), HasSubstr("many: 80000 indices, at most 65536 are allowed"));
}

TEST(Infer, gives_rows_for_clips_of_k_segments) {
  EXPECT_EQ(row_count(Granularity::kSnippet, 2, 7), 14);
  EXPECT_EQ(row_count(Granularity::kPair, 2, 7), 12);
  EXPECT_EQ(row_count(Granularity::kClip, 2, 7), 2);
}

TEST(Infer, keeps_the_length_of_a_sequence_for_odd_and_even_kernels_padded_as_same) {
  for (const std::int64_t kernel : {2, 3, 4, 5}) {
    Builder b("sequence", 5);
    const Value x = b.apply(Op::kSegmentStack, "s", {b.apply(Op::kFlatten, "f", {b.input("rgb", {8, 1, 1})})});
    const std::int64_t before = (kernel - 1) / 2;
    const Value y = b.conv1d("c", x, {6, kernel, 1, 1, false, {0, 0, before, kernel - 1 - before}});
    EXPECT_THAT(b.shape_of(y), ElementsAre(6, 5)) << kernel;
  }
}

TEST(Infer, matches_pytorch_on_the_size_of_pools_in_ceil_mode) {
  Builder b("pools", 1);
  Node node{"p", Op::kMaxPool2d, {"x"}, {}};
  node.attrs.kernel = {3, 2};
  node.attrs.stride = {2, 2};
  node.attrs.padding = {1, 1, 1, 1};
  node.attrs.ceil_mode = true;
  NodeInfo x;
  x.shape = {1, 6, 5};
  // torch.nn.functional.max_pool2d(torch.zeros(1, 1, 6, 5), (3, 2), 2, 1, ceil_mode=True).shape is (1, 1, 4, 3)
  EXPECT_THAT(infer_node(node, {&x}, 1).shape, ElementsAre(1, 4, 3));
}

TEST(Infer, names_the_node_and_both_values_of_what_does_not_fit) {
  EXPECT_THAT(message_of([] {
                Builder b("bad", 2);
                b.linear("fc", b.input("rgb", {3, 8, 8}), 4);
              }),
              HasSubstr("fc: linear expects rows of 1 dimensions, got [3, 8, 8]"));
  EXPECT_THAT(message_of([] {
                Builder b("bad", 2);
                const Value x = b.input("rgb", {3, 8, 8});
                b.apply(Op::kAdd, "sum", {x, b.conv2d("c", x, {3, 3})});
              }),
              HasSubstr("sum: add expects equal shapes, got [3, 8, 8] of 'rgb' and [3, 6, 6] of 'c'"));
  EXPECT_THAT(message_of([] {
                Builder b("bad", 2);
                const Value x = b.input("rgb", {3, 8, 8});
                b.apply(Op::kAdd, "sum", {x, b.apply(Op::kSegmentDiff, "d", {x})});
              }),
              HasSubstr("sum: add mixes snippet values of 'rgb' and pair values of 'd'"));
  EXPECT_THAT(message_of([] {
                Builder b("bad", 1);
                b.apply(Op::kSegmentDiff, "d", {b.input("rgb", {3, 8, 8})});
              }),
              HasSubstr("d: segment_diff needs at least 2 segments, the network has 1"));
  EXPECT_THAT(message_of([] {
                Builder b("bad", 1);
                b.conv2d("c", b.input("rgb", {3, 8, 8}), {4, 3, 1, 2});
              }),
              HasSubstr("c: 2 groups must divide 3 input and 4 output channels"));
  EXPECT_THAT(message_of([] {
                Builder b("bad", 1);
                b.conv2d("c", b.input("rgb", {3, 2, 2}), {4, 3});
              }),
              HasSubstr("c: a window of 3 does not fit into 2 with padding 0"));
}

TEST(Infer, refuses_two_nodes_of_one_name_a_later_input_and_a_snippet_output) {
  NetSpec twice = small_net();
  twice.nodes.push_back(twice.nodes.back());
  EXPECT_THAT(message_of([&] { infer(twice); }), HasSubstr("two nodes have this name"));
  NetSpec later = small_net();
  std::swap(later.nodes[1], later.nodes[2]);
  EXPECT_THAT(message_of([&] { infer(later); }), HasSubstr("is not an earlier node"));
  NetSpec snippet = small_net();
  snippet.output = "r";
  EXPECT_THAT(message_of([&] { infer(snippet); }), HasSubstr("must be one vector per clip, got snippet rows of shape [4, 4, 5]"));
}

TEST(Infer, refuses_hostile_sizes_instead_of_overflowing) {
  NetSpec spec = small_net();
  spec.nodes[0].attrs.shape = {3, std::int64_t{1} << 62, 4};
  EXPECT_THAT(message_of([&] { infer(spec); }), HasSubstr("input size must be between"));
  spec = small_net();
  spec.nodes[1].attrs.stride = {0, 1};
  EXPECT_THAT(message_of([&] { infer(spec); }), HasSubstr("stride must be between"));
  spec = small_net();
  spec.nodes[1].attrs.padding.top = -5;
  EXPECT_THAT(message_of([&] { infer(spec); }), HasSubstr("padding must be between"));
}

TEST(Infer, refuses_values_and_costs_beyond_any_machine) {
  NetSpec spec = small_net();
  spec.nodes[1].attrs.kernel = {1 << 20, 1 << 20};
  spec.nodes[1].attrs.padding = {1 << 20, 1 << 20, 1 << 20, 1 << 20};
  EXPECT_THAT(message_of([&] { infer(spec); }), HasSubstr("multiply-adds"));
  spec = small_net();
  spec.nodes[0].attrs.shape = {1 << 20, 1 << 20, 4};
  EXPECT_THAT(message_of([&] { infer(spec); }), HasSubstr("is too large, at most"));

  // Concatenations of concatenations: each is 64 times the one before.
  NetSpec nested;
  nested.name = "nested";
  nested.nodes.push_back({"rgb", Op::kInput, {}, {}});
  nested.nodes.back().attrs.shape = {1 << 20, 1, 1};
  for (int i = 0; i < 11; ++i) {
    nested.nodes.push_back({fmt::format("concat{}", i), Op::kConcat, std::vector<std::string>(64, nested.nodes.back().name), {}});
  }
  EXPECT_THAT(message_of([&] { infer(nested); }), HasSubstr("is too large, at most"));
}

TEST(NetSpec, survives_the_way_through_json) {
  const NetSpec spec = small_net();
  EXPECT_EQ(spec_from_json(to_json(spec), "test"), spec);
}

TEST(NetSpec, names_what_is_wrong_with_its_json) {
  Json json = to_json(small_net());
  json["nodes"][1]["op"] = "conv3d";
  EXPECT_THAT(message_of([&] { spec_from_json(json, "m.actio"); }),
              HasSubstr("m.actio: the network definition cannot be read: unknown op 'conv3d'; the nearest is 'conv2d'"));
  json = to_json(small_net());
  json["nodes"][1]["attrs"]["kernal"] = 3;
  EXPECT_THAT(message_of([&] { spec_from_json(json, "m.actio"); }), HasSubstr("unknown attribute 'kernal'"));
  json = to_json(small_net());
  json["heads"] = {{{"name", "rgb"}, {"node", "y"}, {"loss", "nil"}, {"weight", 1.0}}};
  EXPECT_THAT(message_of([&] { spec_from_json(json, "m.actio"); }),
              HasSubstr("head 'rgb' has the loss 'nil'; known: cross_entropy, nll"));
  json.erase("segments");
  EXPECT_THAT(message_of([&] { spec_from_json(json, "m.actio"); }), HasSubstr("m.actio: the network definition"));
}

TEST(NetSpec, takes_nothing_but_whole_numbers_for_sizes) {
  const Json good = Json::parse(R"({"name":"n","segments":2,"nodes":[{"name":"x","op":"input","inputs":[],
      "attrs":{"shape":[3,4,4],"channels":1,"kernel":[1,1],"padding":[0,0,0,0],"groups":1}}],
      "heads":[],"stages":[],"scores":"x","output":"x"})");
  EXPECT_EQ(spec_from_json(good, "m.actio").nodes.front().attrs.shape, (Shape{3, 4, 4}));
  for (const char* value : {"1e21", "-1e300", "1.5", "true", "\"3\"", "null", "[3]", "9223372036854775808"}) {
    const Json wrong = Json::parse(value);
    for (const char* place : {"/segments", "/nodes/0/attrs/shape/0", "/nodes/0/attrs/channels", "/nodes/0/attrs/kernel/1",
                              "/nodes/0/attrs/padding/3", "/nodes/0/attrs/groups"}) {
      Json json = good;
      json[Json::json_pointer(place)] = wrong;
      EXPECT_THAT(message_of([&] { spec_from_json(json, "m.actio"); }), HasSubstr("a whole number was expected, got "))
          << place << " = " << value;
    }
  }
}

}  // namespace
}  // namespace actio::net
