// net: a network as data. In: what a builder writes. Out: the one definition that is trained, executed, exported and counted.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "core/tensor.h"
#include "net/choices.h"

namespace actio::net {

enum class Op {
  kInput, kConv2d, kConv1d, kBatchNorm, kRelu, kRelu6, kMaxPool2d, kAvgPool2d, kGlobalAvgPool, kTimeMean, kLinear, kDropout,
  kAdd, kSub, kMul, kMax, kWeightedSum, kConcat, kSoftmax, kFlatten, kTimeTuples, kSegmentDiff, kSegmentMean, kSegmentStack,
};

std::string_view op_name(Op op);           // "conv2d"
Op op_from_name(std::string_view name);    // Throws: Error(kBadData) naming the nearest op

// What one row of a value stands for. A batch of N clips of K snippets has N*K snippet rows (the snippet index fastest),
// N*(K-1) pair rows and N clip rows.
enum class Granularity { kSnippet, kPair, kClip };

std::string_view granularity_name(Granularity granularity);

struct Padding {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
  bool operator==(const Padding&) const = default;
};

// Attributes of a node; an op reads only its own. conv1d uses the second entries and left/right, time_tuples kernel[1].
struct Attrs {
  Shape shape;                                    // input: the shape of one row, [C, H, W]
  std::int64_t channels = 0;                      // conv, linear: output channels
  std::array<std::int64_t, 2> kernel = {1, 1};    // conv, pool: height, width
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> dilation = {1, 1};
  Padding padding;
  std::int64_t groups = 1;
  bool bias = false;                              // conv, linear
  double epsilon = 1e-5;                          // batch_norm
  double momentum = 0.1;                          // batch_norm: share of the new batch in the running statistics
  double probability = 0.5;                       // dropout
  bool count_padding = true;                      // avg_pool2d: padded elements count in the divisor
  bool ceil_mode = false;                         // pools
  std::vector<double> weights;                    // weighted_sum: initial scalars, one per input
  bool trainable = true;                          // weighted_sum: whether training may change the scalars
  std::vector<std::int64_t> indices;              // time_tuples: columns of the input, tuple after tuple

  bool operator==(const Attrs&) const = default;
};

struct Node {
  std::string name;                  // unique; also the prefix of its parameters ("rgb.layer1.0.conv1" + ".weight")
  Op op = Op::kInput;
  std::vector<std::string> inputs;   // names of earlier nodes
  Attrs attrs;
  bool operator==(const Node&) const = default;
};

// Whether the node is a linear layer: linear itself, or a conv1d of length 1 with a bias, which is one over columns.
bool is_linear(const Node& node);

// One term of the training objective.
struct Head {
  std::string name;                  // "rgb", "motion", "ttn"
  std::string node;                  // clip-granular [classes]: logits or probabilities, as the loss wants them
  HeadLoss loss = HeadLoss::kCrossEntropy;
  double weight = 1.0;
  bool training_only = false;        // an auxiliary head: no part of what a model answers
  bool operator==(const Head&) const = default;
};

// A backbone stage that fusion, CAM and descriptions refer to.
struct Stage {
  std::string name;                  // "rgb.stage3"
  std::string node;                  // its last node
  bool operator==(const Stage&) const = default;
};

struct NetSpec {
  std::string name;                  // "if_ttn(resnet50)"
  std::int64_t segments = 1;         // K, snippets per clip
  std::vector<Node> nodes;           // each after its inputs
  std::vector<Head> heads;
  std::vector<Stage> stages;
  std::string scores;                // node: clip-granular [classes], raw scores (logits where the network has them)
  std::string output;                // node: clip-granular [classes], probabilities
  bool operator==(const NetSpec&) const = default;

  const Node& node(std::string_view name) const;  // Throws: Error naming the nearest node
  bool has_input(std::string_view name) const;    // "rgb", "motion"
};

Json to_json(const NetSpec& spec);
NetSpec spec_from_json(const Json& json, std::string_view where);  // Throws: Error(kBadData) naming `where`

// "rgb", "motion", in the order of the network.
std::vector<std::string> input_names(const NetSpec& spec);

}  // namespace actio::net
