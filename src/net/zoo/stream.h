// net: one stream of a two-stream network: a backbone over snippets, with its stages kept for fusion.
#pragma once

#include <array>
#include <string>

#include "core/preprocess.h"
#include "net/zoo.h"
#include "net/zoo/backbone.h"

namespace actio::net {

struct Stream {
  std::string name;                                        // "rgb", "motion"
  std::array<Value, Backbone::kStages + 1> stages;         // stages[s] is the value after stage s; [0] is the input
  Value feature;                                           // snippet-granular [D]: globally pooled
};

// Adds the input node and all stages.
Stream add_stream(Builder& builder, const Backbone& backbone, const std::string& name, const Preprocess& preprocess);

// Per-snippet scores and their mean over the segments (TSN's consensus). Returns clip-granular logits [classes].
Value add_consensus_head(Builder& builder, const Backbone& backbone, const Stream& stream, double dropout, std::int64_t classes);

// The weighted sum of clip-granular scores, and softmax on it. Empty weights: equal, adding up to 1.
NetSpec finish_with_fusion(Builder& builder, const std::vector<Value>& scores, const std::vector<double>& weights);

// The networks; options and preprocess as in build_network.
NetSpec build_tsn(const NetworkOptions& options, const Preprocess& preprocess);
NetSpec build_stfn(const NetworkOptions& options, const Preprocess& preprocess);
NetSpec build_if_ttn(const NetworkOptions& options, const Preprocess& preprocess);

BackboneOptions backbone_options(const NetworkOptions& options);

}  // namespace actio::net
