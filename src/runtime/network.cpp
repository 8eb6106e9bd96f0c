#include "runtime/network.h"

#include <algorithm>

#include "core/error.h"
#include "runtime/segments.h"
#include "runtime/weights.h"

namespace actio::runtime {

using net::Granularity;
using net::Op;

namespace {

// What follows the segments is small, but its weights may be large: they are read once for all of these.
constexpr std::int64_t kClipsAtOnce = 16;

}  // namespace

Network::Network(net::NetSpec spec, TensorMap weights, std::unique_ptr<Backend> backend)
    : spec_(std::move(spec)),
      weights_(std::move(weights)),
      cut_(cut(spec_)),
      backend_(std::move(backend)),
      snippet_(cut_.snippet, *backend_, weights_, backend_->rows_at_once()),
      pair_(cut_.pair, *backend_, weights_, backend_->rows_at_once()),
      clip_(cut_.clip, *backend_, weights_, kClipsAtOnce) {
  for (const Subgraph* graph : {&cut_.snippet, &cut_.pair, &cut_.clip}) check_weights(*graph, weights_);
}

// The values that cross from one piece to another, as ports of the earlier piece.
std::vector<Port> Network::ports_between(Granularity from, Granularity to) const {
  std::vector<Port> ports;
  for (const Port& port : cut_.piece(from).outputs) {
    const bool crosses = std::ranges::any_of(
        cut_.ops, [&](const SegmentOp& op) { return op.from == from && op.to == to && op.input == port.name; });
    if (crosses) ports.push_back(port);
  }
  return ports;
}

TensorMap Network::run(const TensorMap& inputs) {
  const std::int64_t rows = checked_rows(cut_.snippet.inputs, inputs, spec_.segments);
  const std::int64_t clips = rows / spec_.segments;
  const TensorMap snippets = snippet_.run(inputs, rows);
  TensorMap pair_inputs;
  for (const SegmentOp& op : cut_.ops) {
    if (op.op == Op::kSegmentDiff) pair_inputs[op.name] = segment_diff_of_clips(snippets.at(op.input), spec_.segments);
  }
  const TensorMap pairs = pair_inputs.empty() ? TensorMap{} : pair_.run(pair_inputs, clips * (spec_.segments - 1));
  return finish(snippets, pairs, clips);
}

TensorMap Network::run_snippets(const TensorMap& inputs) {
  return snippet_.run(inputs, checked_rows(cut_.snippet.inputs, inputs, 1));
}

TensorMap Network::run_pairs(const TensorMap& earlier, const TensorMap& later) {
  const std::vector<Port> ports = ports_between(Granularity::kSnippet, Granularity::kPair);
  if (ports.empty()) return {};
  const std::int64_t rows = checked_rows(ports, earlier, 1);
  if (const std::int64_t others = checked_rows(ports, later, 1); others != rows) {
    fail("pairs need as many earlier as later snippets, got {} and {}", rows, others);
  }
  TensorMap inputs;
  for (const SegmentOp& op : cut_.ops) {
    if (op.op == Op::kSegmentDiff) inputs[op.name] = segment_diff(earlier.at(op.input), later.at(op.input));
  }
  return pair_.run(inputs, rows);
}

TensorMap Network::run_clip(const TensorMap& snippets, const TensorMap& pairs) {
  const auto check = [&](Granularity from, const TensorMap& values, std::int64_t rows) {
    const std::vector<Port> ports = ports_between(from, Granularity::kClip);
    const std::int64_t given = checked_rows(ports, values, rows);
    if (!ports.empty() && given != rows) {
      fail("a clip has {} {}s, got {} rows of '{}'", rows, net::granularity_name(from), given, ports[0].name);
    }
  };
  check(Granularity::kSnippet, snippets, spec_.segments);
  if (spec_.segments > 1) check(Granularity::kPair, pairs, spec_.segments - 1);
  return finish(snippets, pairs, 1);
}

TensorMap Network::finish(const TensorMap& snippets, const TensorMap& pairs, std::int64_t clips) {
  TensorMap inputs;
  for (const SegmentOp& op : cut_.ops) {
    if (op.to != Granularity::kClip) continue;
    const bool from_pairs = op.from == Granularity::kPair;
    const Tensor& values = (from_pairs ? pairs : snippets).at(op.input);
    const std::int64_t count = from_pairs ? spec_.segments - 1 : spec_.segments;
    inputs[op.name] = op.op == Op::kSegmentMean ? segment_mean(values, count) : segment_stack(values, count);
  }
  const TensorMap values = clip_.run(inputs, clips);
  TensorMap results;
  for (const auto& [name, value] : cut_.results) results[name] = values.at(value);
  return results;
}

}  // namespace actio::runtime
