// Every network of the zoo with every variant, small enough to be trained in a test.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "core/tensor.h"
#include "net/zoo.h"

namespace actio::testing {

struct ZooVariant {
  std::string name;
  net::NetworkOptions options;
  Preprocess preprocess;

  net::NetSpec spec() const { return net::build_network(options, preprocess); }
};

class ZooVariants {
 public:
  static std::vector<ZooVariant> all() {
    ZooVariants list;
    for (const char* backbone : {"resnet18", "resnet50", "mobilenet_v2", "inception_v3"}) list.add_backbone(backbone);
    list.add_variants();
    return std::move(list.variants_);
  }

  // On ResNet-18 an eighth as wide, 4 segments, 4 classes, dropout off.
  static ZooVariant plain(const std::string& network) {
    ZooVariant variant;
    variant.name = network;
    variant.options.network = value_named<net::NetworkKind>("network", network);
    variant.options.backbone = net::BackboneKind::kResnet18;
    variant.options.width = 0.125;
    variant.options.classes = 4;
    variant.options.segments = 4;
    variant.options.dropout_rgb = variant.options.dropout_motion = variant.options.dropout_ttn = 0;
    variant.options.trn_features = 16;
    variant.preprocess.input_size = 40;
    variant.preprocess.motion = Motion::kRgbDifference;
    variant.preprocess.motion_length = 1;
    return variant;
  }

 private:
  void add_backbone(const std::string& backbone) {
    for (const std::string& network : net::network_names()) {
      if (network == "st_fusion" && backbone == "inception_v3") continue;  // has no residual units
      ZooVariant& variant = variants_.emplace_back(plain(network));
      variant.name = network + " on " + backbone;
      variant.options.backbone = value_named<net::BackboneKind>("backbone", backbone);
      variant.options.segments = 3;
      if (backbone == "inception_v3") variant.preprocess.input_size = 75;
      if (backbone == "mobilenet_v2") variant.options.width = 0.35;
    }
  }

  template <typename Change>
  void add(const std::string& network, const std::string& what, Change change) {
    ZooVariant& variant = variants_.emplace_back(plain(network));
    variant.name = network + ", " + what;
    change(variant.options);
  }

  void add_variants() {
    for (const char* streams : {"rgb", "motion"}) {
      for (const char* network : {"tsn", "trn"}) add(network, streams, [&](auto& o) { o.streams = streams; });
    }
    add("st_fusion", "multiplicative", [](auto& o) { o.st_fusion = net::StFusionKind::kMultiplicative; });
    for (const char* ifm : {"adaptive", "additive", "multiplicative", "none"}) {
      add("if_ttn", ifm, [&](auto& o) { o.ifm = value_named<net::IfmKind>("ifm", ifm); });
    }
    for (const std::int64_t first : {2, 4, 5}) {
      add("if_ttn", fmt::format("first stage {}", first), [&](auto& o) { o.ttn_first_stage = first; });
    }
    add("if_ttn", "final merge", [](auto& o) { o.ttn_final_merge = true; });
    for (const char* fusion : {"average", "maximum", "multiplication", "weighted"}) {
      for (const char* direction : {"bidirectional", "a_from_m", "m_from_a"}) {
        add("stfn", fmt::format("{} {}", fusion, direction), [&](auto& o) {
          o.stfn_fusion = value_named<net::StfnFusion>("stfn_fusion", fusion);
          o.stfn_direction = value_named<net::StfnDirection>("stfn_direction", direction);
        });
      }
    }
    for (const net::StfnDesign design : {net::StfnDesign::kB, net::StfnDesign::kC})
      add("stfn", fmt::format("design {}", name_of(design)), [&](auto& o) { o.stfn_design = design; });
    for (const std::int64_t blocks : {2, 3, 4}) {
      add("stfn", fmt::format("{} blocks", blocks), [&](auto& o) { o.stfn_blocks = blocks; });
    }
    add("stfn", "narrow", [](auto& o) { o.stfn_width = 12; });
    add("stfn", "3 blocks after the fusion", [](auto& o) { o.stfn_blocks_after = 3; });
    for (const char* design : {"a", "b"}) {
      add("stfn", fmt::format("design {} without fusion", design), [&](auto& o) {
        o.stfn_design = value_named<net::StfnDesign>("stfn_design", design);
        o.stfn_direction = net::StfnDirection::kNone;
      });
    }
    add("stfn", "fixed weights", [](auto& o) {
      o.stfn_fusion = net::StfnFusion::kWeighted;
      o.stfn_weights = {2, 3};
    });
    for (const std::int64_t segments : {3, 5, 7, 9}) {
      add("stfn", fmt::format("{} segments", segments), [&](auto& o) { o.segments = segments; });
    }
  }

  std::vector<ZooVariant> variants_;
};

// Noise, each snippet with a brightness of its own.
inline TensorMap random_clips(const net::NetSpec& spec, std::int64_t clips) {
  TensorMap inputs;
  for (const net::Node& node : spec.nodes) {
    if (node.op != net::Op::kInput) continue;
    Shape shape = node.attrs.shape;
    shape.insert(shape.begin(), clips * spec.segments);
    Tensor tensor(shape);
    Rng rng(9, inputs.size());
    for (std::int64_t row = 0; row < shape[0]; ++row) {
      const double brightness = rng.normal();
      for (float& x : tensor.rows(row, 1).values<float>()) x = static_cast<float>(brightness + rng.normal());
    }
    inputs[node.name] = tensor;
  }
  return inputs;
}

}  // namespace actio::testing
