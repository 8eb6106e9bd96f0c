// runtime: a network made ready to run. In: NetSpec + weights. Out: sessions, which share its weights and its compiled
// plans.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "net/classifier.h"
#include "net/netspec.h"
#include "runtime/plan.h"
#include "runtime/run_options.h"

namespace actio::runtime {

struct NetworkPlans;

// A value that compile() was asked to keep.
struct KeptOutput {
  std::string name;
  net::Granularity granularity = net::Granularity::kSnippet;  // tells its rows in a result: [N*K], [N*(K-1)] or [N] of them
  Shape shape;                                                // of one row
};

struct RuntimeAttributes {
  std::string backend;
  Precision precision = Precision::kF32;  // of convolutions; f32 where the processor lacks what was asked for
  std::vector<OpRecord> ops;              // what each merged op is computed in; empty where the backend computes f32 alone
  std::int64_t threads = 1;                                                 // of a session
  std::int64_t snippets_at_once = 1, pairs_at_once = 1, clips_at_once = 1;  // rows that pay best in one call
  std::size_t weight_bytes = 0;   // that exist once, however many sessions there are
  std::size_t session_bytes = 0;  // that a session takes in addition, for clips one at a time
  std::vector<std::string> heads;
  std::vector<KeptOutput> kept;
};

// The nodes whose ranges int8 needs. Throws: Error for a network that infer() rejects. Threads: safe.
std::vector<std::string> values_to_measure(const net::NetSpec& spec);

// Does not change once it is made.
// Threads: safe. Owns: the weights in the backend's layouts. The reference backend has none of its own: it shares the
// elements of those that compile() was given, which must not change.
class CompiledNetwork {
 public:
  // Compiles every plan that a session will run, so that what the backend refuses is known here.
  // keep: names of nodes or stages whose values are results too, f32 in their plain layout; a network computes them at the
  // price of what could otherwise be merged with them. ranges: of values, for 8 bits. The precision
  // "auto" is f32 here: chosen_precision() knows the model. Throws: Error for a network that infer() rejects and for weights that
  // are missing or misshapen; Error(kUsage) for options that do not hold, for int8 without ranges and for an unknown name in `keep`, naming the
  // nearest; Error naming the node that the backend refuses.
  static std::shared_ptr<const CompiledNetwork> compile(net::NetSpec spec, TensorMap weights, const RunOptions& options = {},
                                                        std::span<const std::string> keep = {}, const net::Ranges& ranges = {});

  const net::NetSpec& spec() const;
  const RuntimeAttributes& attributes() const { return attributes_; }

  // What the primitives of one clip take, each by itself with its values in the cache: their sum is what the network could take at best. On inputs of ones.
  std::vector<StepTime> time_steps(int repeats) const;

  // What one thread at a time can run: memory for values of its own, everything else shared. It allocates for the first call
  // with more rows than before, and nothing after that. Throws: Error where memory is short. Owns: the caller, the session,
  // which keeps what it shares alive.
  std::unique_ptr<net::Classifier> session() const;

 private:
  explicit CompiledNetwork(std::shared_ptr<const NetworkPlans> plans) : plans_(std::move(plans)) {}

  std::shared_ptr<const NetworkPlans> plans_;
  RuntimeAttributes attributes_;
};

}  // namespace actio::runtime
