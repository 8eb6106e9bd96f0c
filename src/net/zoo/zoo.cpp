#include "net/zoo.h"

#include <algorithm>

#include "core/error.h"
#include "net/zoo/stream.h"

namespace actio::net {

std::vector<std::string> network_names() { return all_names<NetworkKind>(); }

std::vector<std::string> backbone_names() { return all_names<BackboneKind>(); }

Fields NetworkOptions::fields() {
  return {
      choice_field("network", &network, "the network"),
      choice_field("backbone", &backbone, "the image network of each stream"),
      {"width", &width, "factor on the backbone's channels", {}, 0.05, 4},
      choice_field("padding", &padding, "padding of strided convolutions: torch, or same as in TensorFlow's weights"),
      {"classes", &classes, "number of classes; training takes it from the data", {}, 1, 100000},
      {"segments", &segments, "segments per clip (K)", {}, 1, 64},
      {"streams", &streams,
       "tsn, trn: rgb, motion, both, or several of rgb, motion, rgbdiff, flow and mv with commas between them; late fusion"},
      {"fusion_weights", &fusion_weights,
       "weights of the heads' scores in the prediction, of which shares count; empty: equal"},
      {"dropout_rgb", &dropout_rgb, "dropout before the appearance classifier", {}, 0, 0.99},
      {"dropout_motion", &dropout_motion, "dropout before the motion classifier", {}, 0, 0.99},
      {"dropout_ttn", &dropout_ttn, "dropout before the TTN's classifier", {}, 0, 0.99},
      {"aux_head", &aux_head, "two_stream, tsn: train inception_v3's auxiliary classifier, too"},
      {"trn_features", &trn_features, "trn: features of a snippet that relations are made of", {}, 1, 8192},
      {"trn_tuples", &trn_tuples, "trn: tuples of snippets per scale, at most", {}, 1, 64},
      choice_field("st_fusion", &st_fusion, "st_fusion: how motion enters the appearance stream"),
      choice_field("ifm", &ifm, "if_ttn: fusion of the streams; none: a TTN per stream"),
      {"ttn_first_stage", &ttn_first_stage, "if_ttn: first backbone stage of the TTN", {}, 2, 5},
      {"ttn_final_merge", &ttn_final_merge, "if_ttn: add the last stage's difference to the TTN's output"},
      choice_field("stfn_design", &stfn_design, "stfn: design of figure 4"),
      choice_field("stfn_fusion", &stfn_fusion, "stfn: fusion operation"),
      {"stfn_weights", &stfn_weights,
       "stfn: fixed weights of appearance and motion in the fusion 'weighted', of which shares count; empty: learnt"},
      choice_field("stfn_direction", &stfn_direction, "stfn: fusion direction; none: no fusion, each stream goes on alone"),
      {"stfn_blocks", &stfn_blocks, "stfn: consecutive Res-Inc blocks before the fusion", {}, 1, 4},
      {"stfn_blocks_after", &stfn_blocks_after, "stfn: the same after it, in design a; 0: as many as before", {}, 0, 4},
      {"stfn_width", &stfn_width, "stfn: features that each stream's are reduced to before the first Res-Inc block, for small data; a multiple of 4; 0: all stay", {}, 0, 8192},
      {"stfn_dropout", &stfn_dropout, "stfn: dropout of the streams' features and before the classifiers, for small data", {}, 0, 0.99},
  };
}

std::vector<std::string> networks_with(std::string_view option) {
  if (option == "streams") return {"tsn", "trn"};
  if (option == "aux_head") return {"two_stream", "tsn"};
  if (option == "fusion_weights" || option == "dropout_rgb" || option == "dropout_motion") {
    return {"two_stream", "tsn", "trn", "st_fusion", "if_ttn"};
  }
  if (option == "dropout_ttn" || option == "ifm" || option.starts_with("ttn_")) return {"if_ttn"};
  if (option.starts_with("stfn_")) return {"stfn"};
  if (option.starts_with("trn_")) return {"trn"};
  if (option == "st_fusion") return {"st_fusion"};
  return {};
}

std::vector<std::string> stream_names(const NetworkOptions& options) {
  const std::vector<std::string> choosable = networks_with("streams");
  const bool chooses = std::ranges::find(choosable, name_of(options.network)) != choosable.end();
  if (!chooses || options.streams == "both") return {"rgb", "motion"};
  std::vector<std::string> names;
  std::string_view rest = options.streams;
  while (true) {
    const std::size_t comma = rest.find(',');
    names.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) return names;
    rest.remove_prefix(comma + 1);
  }
}

Inputs network_inputs(const NetworkOptions& options, const Preprocess& preprocess) {
  return inputs_of(stream_names(options), preprocess);
}

std::vector<Motion> motions_of(const NetworkOptions& options, const Preprocess& preprocess) {
  std::vector<Motion> motions;
  if (preprocess.motion != Motion::kNone) motions.push_back(preprocess.motion);
  for (const std::string& name : stream_names(options)) {
    Motion motion{};
    if (set_by_name(name, motion) && motion != Motion::kNone) motions.push_back(motion);
  }
  return motions;
}

NetSpec build_network(const NetworkOptions& options, const Preprocess& preprocess) {
  const Inputs inputs = network_inputs(options, preprocess);
  switch (options.network) {
    case NetworkKind::kTwoStream: return build_two_stream(options, inputs);
    case NetworkKind::kTsn: return build_tsn(options, inputs);
    case NetworkKind::kTrn: return build_trn(options, inputs);
    case NetworkKind::kStFusion: return build_st_fusion(options, inputs);
    case NetworkKind::kStfn: return build_stfn(options, inputs);
    case NetworkKind::kIfTtn: return build_if_ttn(options, inputs);
  }
  fail_internal("network {} has no builder", static_cast<int>(options.network));
}

}  // namespace actio::net
