// net: one stream of a two-stream network: a backbone over snippets, with its stages kept for fusion.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "core/inputs.h"
#include "net/zoo.h"
#include "net/zoo/backbone.h"

namespace actio::net {

struct Stream {
  std::string name;                                        // that of its input: "rgb", "motion", "flow"
  std::array<Value, Backbone::kStages + 1> stages;         // stages[s] is the value after stage s; [0] is the input
  Value feature;                                           // snippet-granular [D]: globally pooled
};

// What a residual unit of a stream reads instead, see Backbone::stage.
using StreamInjection = std::function<Value(const Value& unit_input)>;

// Adds the input node and all stages.
Stream add_stream(Builder& builder, const Backbone& backbone, const std::string& name, const Inputs& inputs,
                  const StreamInjection& inject = nullptr);

// One of each input.
std::vector<Stream> add_streams(Builder& builder, const Backbone& backbone, const Inputs& inputs);

// "both", or "rgb+rgbdiff+flow": for the network's name.
std::string streams_text(const NetworkOptions& options);

double dropout_of(const NetworkOptions& options, const Stream& stream);

// An auxiliary head on the backbone's own auxiliary classifier, Szegedy et al.'s weight 0.4 (torchvision trains with it).
void add_auxiliary_head(Builder& builder, const Backbone& backbone, const Stream& stream, std::int64_t classes);

// Per-snippet scores and their mean over the segments (TSN's consensus). Returns clip-granular logits [classes].
Value add_consensus_head(Builder& builder, const Backbone& backbone, const Stream& stream, double dropout, std::int64_t classes);

// Weights as shares, which add up to 1. Throws: Error(kUsage) naming `option` for another number of them than `count`, and
// where they add up to nothing.
std::vector<double> shares(std::vector<double> weights, std::size_t count, const std::string& option);

// The weighted mean of clip-granular values. Empty weights: equal. Throws: as shares.
Value add_fusion(Builder& builder, const std::string& name, const std::vector<Value>& values, const std::vector<double>& weights);

// add_fusion of scores, and softmax on it.
NetSpec finish_with_fusion(Builder& builder, const std::vector<Value>& scores, const std::vector<double>& weights);

// The networks; options as in build_network, inputs as of network_inputs.
NetSpec build_tsn(const NetworkOptions& options, const Inputs& inputs);
NetSpec build_two_stream(const NetworkOptions& options, const Inputs& inputs);
NetSpec build_trn(const NetworkOptions& options, const Inputs& inputs);
NetSpec build_st_fusion(const NetworkOptions& options, const Inputs& inputs);
NetSpec build_stfn(const NetworkOptions& options, const Inputs& inputs);
NetSpec build_if_ttn(const NetworkOptions& options, const Inputs& inputs);

BackboneOptions backbone_options(const NetworkOptions& options);

}  // namespace actio::net
