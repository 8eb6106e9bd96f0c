// net: every network of actio by name. In: options. Out: a checked NetSpec.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/inputs.h"
#include "net/choices.h"
#include "net/netspec.h"

namespace actio::net {

struct NetworkOptions {
  static constexpr std::string_view kTable = "network";

  NetworkKind network = NetworkKind::kIfTtn;
  BackboneKind backbone = BackboneKind::kMobilenetV2;
  double width = 1.0;                        // factor on the backbone's channels
  PaddingKind padding = PaddingKind::kTorch;
  std::int64_t classes = 101;
  std::int64_t segments = 7;                 // K
  std::string streams = "both";              // tsn, trn: "both", or names of inputs ("rgb,rgbdiff,flow"): late fusion
  std::vector<double> fusion_weights;        // of the heads' scores in the prediction, as shares; empty: equal
  double dropout_rgb = 0.8;
  double dropout_motion = 0.7;
  double dropout_ttn = 0.8;
  bool aux_head = false;                     // two_stream, tsn: train Inception-V3's auxiliary classifier, too
  std::int64_t trn_features = 256;           // of a snippet, that relations are made of
  std::int64_t trn_tuples = 3;               // per scale, at most
  StFusionKind st_fusion = StFusionKind::kAdditive;
  IfmKind ifm = IfmKind::kAttention;
  std::int64_t ttn_first_stage = 3;          // 2..5
  bool ttn_final_merge = false;              // add the last stage's difference to the TTN's output
  StfnDesign stfn_design = StfnDesign::kA;
  StfnFusion stfn_fusion = StfnFusion::kAverage;
  std::vector<double> stfn_weights;          // of "weighted", as shares that stay as they are; empty: learnt
  StfnDirection stfn_direction = StfnDirection::kBidirectional;
  std::int64_t stfn_blocks = 1;              // consecutive Res-Inc blocks before the fusion, 1..4
  std::int64_t stfn_blocks_after = 0;        // of design a, after it, 1..4; 0: as many as before
  std::int64_t stfn_width = 0;               // that the streams' features are reduced to before the first block; 0: they are not, as in the paper
  double stfn_dropout = 0;                   // of the streams' features and before the classifiers; the paper has none

  Fields fields();
};

// Throws: Error naming the option, for instance a network with a motion stream where preprocess.motion is "none".
NetSpec build_network(const NetworkOptions& options, const Preprocess& preprocess);

// The network's inputs: "rgb" and "motion", or for networks of single streams those that `streams` names. Throws: as build_network.
Inputs network_inputs(const NetworkOptions& options, const Preprocess& preprocess);

// "rgb", "motion", "flow", ... in the order of the options.
std::vector<std::string> stream_names(const NetworkOptions& options);

// The kinds of motion that the options speak of: what preprocess.motion says, and the streams that are named after a kind.
std::vector<Motion> motions_of(const NetworkOptions& options, const Preprocess& preprocess);

// The networks that an option of NetworkOptions is for; empty: all of them.
std::vector<std::string> networks_with(std::string_view option);

std::vector<std::string> network_names();
std::vector<std::string> backbone_names();

}  // namespace actio::net
