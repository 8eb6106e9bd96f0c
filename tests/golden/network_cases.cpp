#include "network_cases.h"

#include "core/error.h"
#include "net/infer.h"

namespace actio::testing {
namespace {

constexpr std::int64_t kClips = 2;
constexpr std::int64_t kMotionLength = 2;  // 4 channels
constexpr std::int64_t kPasses = 100;  // at most 30 are used

NetworkCase small(const std::string& name, const std::string& network, std::int64_t segments = 3) {
  NetworkCase c{name, {}};
  c.options.network = value_named<net::NetworkKind>("network", network);
  c.options.backbone = net::BackboneKind::kResnet18;
  c.options.width = 0.125;
  c.options.classes = 5;
  c.options.segments = segments;
  return c;
}

// The nodes of one block of the real network, between a sequence of rows and flattened scores.
net::NetSpec single_block(const net::NetSpec& whole, std::int64_t dimension) {
  net::NetSpec spec;
  spec.name = "res_inc";
  spec.segments = whole.segments;
  net::Node input{"x", net::Op::kInput, {}, {}};
  input.attrs.shape = {dimension};
  spec.nodes = {input, {"rgb.sequence", net::Op::kSegmentStack, {"x"}, {}}};
  for (const net::Node& node : whole.nodes) {
    if (node.name.starts_with("stfn.a.res_inc0.")) spec.nodes.push_back(node);
  }
  spec.nodes.push_back({"scores", net::Op::kFlatten, {spec.nodes.back().name}, {}});
  spec.nodes.push_back({"probabilities", net::Op::kSoftmax, {"scores"}, {}});
  spec.heads = {{"block", "scores"}};
  spec.scores = "scores";
  spec.output = "probabilities";
  net::infer(spec);
  return spec;
}

}  // namespace

Preprocess NetworkCase::preprocess() const {
  Preprocess preprocess;
  preprocess.input_size = input_size;
  preprocess.motion = Motion::kFlow;
  preprocess.motion_length = kMotionLength;
  return preprocess;
}

net::NetSpec NetworkCase::spec() const {
  const net::NetSpec whole = net::build_network(options, preprocess());
  return block_dimension == 0 ? whole : single_block(whole, block_dimension);
}

Json NetworkCase::json() {
  const Json usual = fields_to_json(net::NetworkOptions().fields()), chosen = fields_to_json(options.fields());
  Json changed = Json::object();
  for (const auto& [key, value] : chosen.items()) {
    if (value != usual.at(key)) changed[key] = value;
  }
  if (block_dimension != 0) {
    changed = {{"network", "res_inc"}, {"segments", options.segments}, {"dimension", block_dimension}};
  }
  return {{"name", name},
          {"options", changed},
          {"input_size", input_size},
          {"motion_channels", 2 * kMotionLength},
          {"clips", kClips},
          {"passes", exact_kinks ? kPasses : 0}};
}

std::vector<NetworkCase> res_inc_cases() {
  std::vector<NetworkCase> cases;
  for (const auto& [segments, dimension] : {std::pair{3, 64}, {5, 256}, {7, 64}, {9, 32}, {2, 64}}) {
    NetworkCase c = small(fmt::format("block_k{}_d{}", segments, dimension), "stfn", segments);
    c.options.stfn_design = net::StfnDesign::kB;
    c.options.width = dimension / 512.0;
    c.block_dimension = dimension;
    cases.push_back(c);
  }
  return cases;
}

std::vector<NetworkCase> stfn_fusion_cases() {
  std::vector<NetworkCase> cases;
  std::int64_t segments = 3;
  for (const char* direction : {"bidirectional", "a_from_m", "m_from_a"}) {
    for (const char* fusion : {"average", "maximum", "multiplication", "weighted"}) {
      NetworkCase c = small(fmt::format("stfn_{}_{}_k{}", fusion, direction, segments), "stfn", segments);
      c.options.stfn_direction = value_named<net::StfnDirection>("stfn_direction", direction);
      c.options.stfn_fusion = value_named<net::StfnFusion>("stfn_fusion", fusion);
      cases.push_back(c);
      segments = segments == 9 ? 3 : segments + 2;
    }
  }
  cases.push_back(small("stfn_fixed_weights", "stfn"));
  cases.back().options.stfn_fusion = net::StfnFusion::kWeighted;
  cases.back().options.stfn_weights = {1, 3};  // shares without rounding
  return cases;
}

std::vector<NetworkCase> stfn_design_cases() {
  struct Variant {
    const char* design;
    std::int64_t blocks;
    const char* fusion;
    const char* direction;
    std::int64_t blocks_after = 0;
  };
  std::vector<NetworkCase> cases;
  for (const Variant& v : {Variant{"a", 2, "average", "bidirectional"}, Variant{"a", 4, "maximum", "a_from_m"},
                           Variant{"b", 1, "average", "bidirectional"}, Variant{"b", 2, "multiplication", "m_from_a"},
                           Variant{"b", 3, "weighted", "a_from_m"}, Variant{"c", 1, "average", "bidirectional"},
                           Variant{"c", 3, "average", "bidirectional"}, Variant{"c", 4, "average", "bidirectional"},
                           Variant{"a", 1, "average", "bidirectional", 2}, Variant{"a", 1, "maximum", "m_from_a", 3},
                           Variant{"a", 3, "weighted", "a_from_m", 1}, Variant{"a", 1, "average", "none"},
                           Variant{"a", 2, "weighted", "none", 1}, Variant{"b", 1, "average", "none"},
                           Variant{"b", 2, "multiplication", "none"}}) {
    NetworkCase c =
        small(fmt::format("stfn_design_{}_blocks_{}_{}_{}", v.design, v.blocks, v.blocks_after, v.direction), "stfn", 4);
    c.options.stfn_design = value_named<net::StfnDesign>("stfn_design", v.design);
    c.options.stfn_blocks = v.blocks;
    c.options.stfn_blocks_after = v.blocks_after;
    c.options.stfn_fusion = value_named<net::StfnFusion>("stfn_fusion", v.fusion);
    c.options.stfn_direction = value_named<net::StfnDirection>("stfn_direction", v.direction);
    cases.push_back(c);
  }
  return cases;
}

std::vector<NetworkCase> ifm_cases() {
  std::vector<NetworkCase> cases;
  for (const char* ifm : {"attention", "adaptive", "additive", "multiplicative", "none"}) {
    NetworkCase c = small(fmt::format("if_ttn_{}", ifm), "if_ttn", 4);
    c.options.ifm = value_named<net::IfmKind>("ifm", ifm);
    c.options.width = 0.25;
    cases.push_back(c);
  }
  return cases;
}

std::vector<NetworkCase> ttn_cases() {
  std::vector<NetworkCase> cases;
  for (std::int64_t first = 2; first <= 5; ++first) {
    for (const bool merge : {false, true}) {
      NetworkCase c = small(fmt::format("if_ttn_first_{}{}", first, merge ? "_merge" : ""), "if_ttn");
      c.options.ttn_first_stage = first;
      c.options.ttn_final_merge = merge;
      if (merge) c.options.ifm = first % 2 == 0 ? net::IfmKind::kAdaptive : net::IfmKind::kNone;
      cases.push_back(c);
    }
  }
  cases[0].options.fusion_weights = {0.2, 0.3, 0.5};
  cases[5].options.fusion_weights = {1, 1.5, 2};
  cases[7].options.fusion_weights = {1, 1.5, 0.5, 2};  // two TTNs
  return cases;
}

std::vector<NetworkCase> tsn_cases() {
  std::vector<NetworkCase> cases;
  for (const char* streams : {"rgb", "motion", "both"}) {
    NetworkCase c = small(fmt::format("tsn_{}", streams), "tsn");
    c.options.streams = streams;
    c.options.width = 0.25;
    cases.push_back(c);
  }
  for (const auto& weights : {std::vector<double>{1, 1.5}, {2, -0.5}}) {  // any sum: shares of it count
    NetworkCase c = small(fmt::format("tsn_weights_{}", cases.size()), "tsn", 5);
    c.options.fusion_weights = weights;
    cases.push_back(c);
  }
  cases.push_back(small("tsn_one_segment", "tsn", 1));
  cases.push_back(small("tsn_same_padding", "tsn"));
  cases.back().options.padding = net::PaddingKind::kSame;
  cases.back().input_size = 45;  // odd sizes are padded unevenly
  return cases;
}

std::vector<NetworkCase> baseline_cases() {
  std::vector<NetworkCase> cases = {small("two_stream", "two_stream"), small("two_stream_weights", "two_stream", 5)};
  cases[1].options.fusion_weights = {0.4, 0.6};
  for (const char* streams : {"rgb", "motion", "both"}) {
    NetworkCase c = small(fmt::format("trn_{}", streams), "trn", streams[0] == 'b' ? 3 : 7);
    c.options.streams = streams;
    c.options.trn_features = 24;
    cases.push_back(c);
  }
  cases.push_back(small("trn_many_tuples", "trn", 5));
  cases.back().options.trn_tuples = 7;
  cases.back().options.trn_features = 24;
  cases.back().options.fusion_weights = {1, 1.5};
  for (const char* kind : {"additive", "multiplicative"}) {
    for (const char* backbone : {"resnet18", "mobilenet_v2"}) {
      NetworkCase c = small(fmt::format("st_fusion_{}_{}", kind, backbone), "st_fusion");
      c.options.st_fusion = value_named<net::StFusionKind>("st_fusion", kind);
      c.options.backbone = value_named<net::BackboneKind>("backbone", backbone);
      cases.push_back(c);
    }
  }
  return cases;
}

std::vector<NetworkCase> resnet_cases() {
  std::vector<NetworkCase> cases = {small("if_ttn_resnet50", "if_ttn"), small("st_fusion_resnet50", "st_fusion"),
                                    small("stfn_resnet34", "stfn"), small("tsn_resnet101", "tsn")};
  cases[0].options.backbone = cases[1].options.backbone = net::BackboneKind::kResnet50;
  cases[2].options.backbone = net::BackboneKind::kResnet34;
  cases[3].options.backbone = net::BackboneKind::kResnet101;
  cases[3].options.streams = "rgb";
  return cases;
}

std::vector<NetworkCase> mobilenet_cases() {
  std::vector<NetworkCase> cases = {small("if_ttn_mobilenet_v2", "if_ttn"), small("tsn_mobilenet_v2_same", "tsn")};
  for (NetworkCase& c : cases) c.options.backbone = net::BackboneKind::kMobilenetV2;
  cases[0].options.width = 0.35;
  cases[0].input_size = 48;
  cases[1].options.padding = net::PaddingKind::kSame;
  cases[1].input_size = 45;
  return cases;
}

std::vector<NetworkCase> inception_cases() {
  std::vector<NetworkCase> cases = {small("stfn_inception_v3", "stfn"), small("if_ttn_inception_v3", "if_ttn"),
                                    small("tsn_inception_v3_aux", "tsn", 2)};
  for (NetworkCase& c : cases) {
    c.options.backbone = net::BackboneKind::kInceptionV3;
    c.input_size = 107;
  }
  cases[0].options.stfn_design = net::StfnDesign::kB;
  cases[2].options.streams = "rgb";
  cases[2].options.aux_head = true;
  cases[2].input_size = 299;      // the auxiliary classifier takes no less
  cases[2].exact_kinks = false;  // among so many units, the search takes half a minute
  return cases;
}

}  // namespace actio::testing
