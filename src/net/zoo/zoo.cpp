#include "net/zoo.h"

#include "core/error.h"
#include "net/zoo/stream.h"

namespace actio::net {

std::vector<std::string> network_names() { return {"tsn", "stfn", "if_ttn"}; }

Fields NetworkOptions::fields() {
  return {
      {"network", &network, "the network: tsn, stfn or if_ttn", network_names()},
      {"backbone", &backbone, "the image network of each stream", backbone_names()},
      {"width", &width, "factor on the backbone's channels", {}, 0.05, 4},
      {"padding", &padding, "padding of strided convolutions: torch, or same as in TensorFlow's weights", {"torch", "same"}},
      {"classes", &classes, "number of classes; training takes it from the data", {}, 1, 100000},
      {"segments", &segments, "segments per clip (K)", {}, 1, 64},
      {"streams", &streams, "tsn: rgb, motion, or both with late fusion", {"rgb", "motion", "both"}},
      {"fusion_weights", &fusion_weights, "weights of the heads' scores in the prediction; empty: equal"},
      {"dropout_rgb", &dropout_rgb, "dropout before the appearance classifier", {}, 0, 0.99},
      {"dropout_motion", &dropout_motion, "dropout before the motion classifier", {}, 0, 0.99},
      {"dropout_ttn", &dropout_ttn, "dropout before the TTN's classifier", {}, 0, 0.99},
      {"ifm", &ifm, "if_ttn: fusion of the streams; none: a TTN per stream",
       {"attention", "adaptive", "additive", "multiplicative", "none"}},
      {"ttn_first_stage", &ttn_first_stage, "if_ttn: first backbone stage of the TTN", {}, 2, 5},
      {"ttn_final_merge", &ttn_final_merge, "if_ttn: add the last stage's difference to the TTN's output"},
      {"stfn_design", &stfn_design, "stfn: design of figure 4", {"a", "b", "c"}},
      {"stfn_fusion", &stfn_fusion, "stfn: fusion operation", {"average", "maximum", "multiplication", "weighted"}},
      {"stfn_direction", &stfn_direction, "stfn: fusion direction", {"bidirectional", "a_from_m", "m_from_a"}},
      {"stfn_blocks", &stfn_blocks, "stfn: consecutive Res-Inc blocks", {}, 1, 4},
  };
}

NetSpec build_network(const NetworkOptions& options, const Preprocess& preprocess) {
  if (options.network == "tsn") return build_tsn(options, preprocess);
  if (options.network == "stfn") return build_stfn(options, preprocess);
  if (options.network == "if_ttn") return build_if_ttn(options, preprocess);
  fail_usage("{}", unknown_name_text("network", options.network, network_names()));
}

}  // namespace actio::net
