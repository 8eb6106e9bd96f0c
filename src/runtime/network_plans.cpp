#include "runtime/network_plans.h"

#include <algorithm>

#include "runtime/batch_sizes.h"
#include "runtime/weights.h"

namespace actio::runtime {
namespace {

using net::Granularity;

// What follows the segments is small, but its weights may be large: they are read once for these.
constexpr std::int64_t kClipsAtOnce = 4;

std::size_t port_of(const std::vector<Port>& ports, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(ports, name, &Port::name) - ports.begin());
}

std::vector<Connection> connections_of(const Cut& parts) {
  std::vector<Connection> connections;
  for (const SegmentOp& op : parts.ops) {
    const std::vector<Port>& outputs = parts.piece(op.from).outputs;
    const std::size_t output = port_of(outputs, op.input);
    connections.push_back(
        {op.op, op.from, op.to, output, port_of(parts.piece(op.to).inputs, op.name), shape_numel(outputs[output].shape)});
  }
  return connections;
}

// The values that cross from one piece to another, as ports of the earlier piece.
std::vector<Port> ports_between(const Cut& parts, Granularity from, Granularity to) {
  std::vector<Port> ports;
  for (const Port& port : parts.piece(from).outputs) {
    const bool crosses = std::ranges::any_of(
        parts.ops, [&](const SegmentOp& op) { return op.from == from && op.to == to && op.input == port.name; });
    if (crosses) ports.push_back(port);
  }
  return ports;
}

void add_route(std::vector<Route>& routes, const Cut& parts, const std::string& name, Granularity granularity,
               const std::string& value) {
  if (std::ranges::find(routes, name, &Route::name) != routes.end()) return;
  const std::vector<Port>& outputs = parts.piece(granularity).outputs;
  const std::size_t output = port_of(outputs, value);
  const bool again = std::ranges::any_of(
      routes, [&](const Route& route) { return route.granularity == granularity && route.output == output; });
  routes.push_back({name, granularity, output, outputs[output].shape, again});
}

// What a call that runs one piece gives: the values that later pieces need, and the results that the piece computes.
std::vector<Route> routes_of(const Cut& parts, Granularity granularity) {
  std::vector<Route> routes;
  for (const SegmentOp& op : parts.ops) {
    if (op.from == granularity) add_route(routes, parts, op.input, granularity, op.input);
  }
  for (const Result& result : parts.results) {
    if (result.granularity == granularity) add_route(routes, parts, result.name, granularity, result.value);
  }
  return routes;
}

std::vector<PiecePlans> compiled_pieces(const Cut& parts, std::int64_t segments, Backend& backend, TensorMap weights) {
  const auto sizes_of = [&](Granularity each) {
    const std::int64_t at_once = each == Granularity::kClip ? kClipsAtOnce : backend.rows_at_once();
    return batch_sizes(at_once, net::row_count(each, 1, segments));
  };
  std::vector<PlanRequest> requests;
  for (const Granularity each : kGranularities) {
    if (parts.piece(each).outputs.empty()) continue;
    for (const std::int64_t rows : sizes_of(each)) requests.push_back({&parts.piece(each), rows});
  }
  std::vector<std::unique_ptr<Plan>> plans = backend.compile(requests, std::move(weights));
  std::vector<PiecePlans> pieces;
  for (const Granularity each : kGranularities) {
    std::vector<std::unique_ptr<Plan>> own;
    for (std::size_t i = 0; i < plans.size(); ++i) {
      if (requests[i].graph == &parts.piece(each)) own.push_back(std::move(plans[i]));
    }
    pieces.emplace_back(parts.piece(each), sizes_of(each), std::move(own));
  }
  return pieces;
}

}  // namespace

std::int64_t NetworkPlans::clips_at_once() const {
  const std::int64_t rows = piece(Granularity::kSnippet).sizes().front();
  return std::max(kClipsAtOnce, (rows + spec.segments - 1) / spec.segments);
}

std::size_t NetworkPlans::memory_bytes() const {
  std::size_t most = 0;
  for (const PiecePlans& each : pieces) most = std::max(most, each.memory_bytes());
  return most;
}

std::shared_ptr<const NetworkPlans> make_network_plans(net::NetSpec spec, TensorMap weights,
                                                       std::unique_ptr<Backend> backend, std::span<const std::string> keep) {
  auto made = std::make_shared<NetworkPlans>();
  made->spec = std::move(spec);
  made->parts = cut(made->spec, keep);
  made->backend = std::move(backend);
  const Cut& parts = made->parts;
  for (const Granularity each : kGranularities) check_weights(parts.piece(each), weights);
  made->pieces = compiled_pieces(parts, made->spec.segments, *made->backend, std::move(weights));
  made->connections = connections_of(parts);
  for (const Result& result : parts.results) add_route(made->of_run, parts, result.name, result.granularity, result.value);
  made->of_snippets = routes_of(parts, Granularity::kSnippet);
  made->of_pairs = routes_of(parts, Granularity::kPair);
  made->of_clip = routes_of(parts, Granularity::kClip);
  made->snippets_of_pairs = ports_between(parts, Granularity::kSnippet, Granularity::kPair);
  made->snippets_of_clip = ports_between(parts, Granularity::kSnippet, Granularity::kClip);
  made->pairs_of_clip = ports_between(parts, Granularity::kPair, Granularity::kClip);
  return made;
}

}  // namespace actio::runtime
