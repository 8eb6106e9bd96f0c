// runtime: everything about a network that its sessions share, none of which changes. In: a network, weights, a backend.
// Out: the plans of its pieces, and how values get from one piece to the next and to the caller.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "net/netspec.h"
#include "runtime/cut.h"
#include "runtime/piece.h"

namespace actio::runtime {

constexpr std::array kGranularities = {net::Granularity::kSnippet, net::Granularity::kPair, net::Granularity::kClip};
constexpr std::size_t index_of(net::Granularity granularity) { return static_cast<std::size_t>(granularity); }

// A segment op by the positions of its ports.
struct Connection {
  net::Op op = net::Op::kSegmentDiff;
  net::Granularity from = net::Granularity::kSnippet, to = net::Granularity::kPair;
  std::size_t output = 0;  // port of the piece `from`
  std::size_t input = 0;   // port of the piece `to`
  std::int64_t row = 0;    // elements of one row of the output
};

// Where the tensor of a name comes from.
struct Route {
  std::string name;
  net::Granularity granularity = net::Granularity::kClip;
  std::size_t output = 0;  // port of the piece
  Shape shape;             // of one row
  bool again = false;      // an earlier route of the list has the same port
};

// Threads: safe.
struct NetworkPlans {
  net::NetSpec spec;
  Cut parts;
  std::unique_ptr<Backend> backend;  // outlives the plans
  std::vector<PiecePlans> pieces;    // by index_of(granularity)
  std::vector<Connection> connections;
  std::vector<Route> of_run, of_snippets, of_pairs, of_clip;  // what each call gives
  std::vector<Port> snippets_of_pairs, snippets_of_clip, pairs_of_clip;

  const PiecePlans& piece(net::Granularity granularity) const { return pieces[index_of(granularity)]; }
  // Clips that run() takes through all pieces at once: it bounds the memory of what lies between these.
  std::int64_t clips_at_once() const;
  // Of the memory that any one plan needs.
  std::size_t memory_bytes() const;
};

// Throws: Error for a network that infer() rejects, for weights that are missing or misshapen, for an unknown name in
// `keep`, and for what the backend refuses.
std::shared_ptr<const NetworkPlans> make_network_plans(net::NetSpec spec, TensorMap weights,
                                                       std::unique_ptr<Backend> backend, std::span<const std::string> keep);

}  // namespace actio::runtime
