// net: a network as a reader wants it. In: a NetSpec. Out: stages with shapes, parameters and cost, per granularity.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "net/infer.h"

namespace actio::net {

struct PartSummary {
  std::string name;                     // "rgb.stage3", "rgb (head)", "ttn.stage4", "fusion"
  Granularity granularity = Granularity::kSnippet;
  Shape shape;                          // of one row of its last node
  std::int64_t nodes = 0;
  std::int64_t parameters = 0;          // trainable or fixed scalars, weights and biases; no running statistics
  std::int64_t multiply_adds = 0;       // of one row
};

struct Description {
  std::string name;
  std::int64_t segments = 0;
  std::vector<PartSummary> parts;
  std::vector<std::size_t> part_of_node;             // position in parts, for every node of the spec
  std::int64_t parameters = 0;
  std::array<std::int64_t, 3> row_multiply_adds{};   // of one snippet, pair, clip
  std::int64_t clip_multiply_adds = 0;               // of a whole clip: K snippets, K-1 pairs, 1 clip
  std::int64_t stream_multiply_adds = 0;             // of one more snippet in a stream: 1 snippet, 1 pair, 1 clip
};

Description describe(const NetSpec& spec);

std::string count_text(std::int64_t count);  // "25.56 M"

std::string to_text(const Description& description);
// Graphviz: a box per part, snippets, pairs and clips in their own colours; edges that change the number of rows are named.
std::string to_dot(const Description& description, const NetSpec& spec);
Json to_json(const Description& description, const NetSpec& spec);   // with every node: op, inputs, granularity, shape, cost

}  // namespace actio::net
