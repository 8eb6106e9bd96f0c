// runtime: runs a compiled network for one thread. In: preprocessed snippets. Out: scores. It owns the memory for values;
// the plans and weights are those of all sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "net/classifier.h"
#include "runtime/network_plans.h"
#include "runtime/pages.h"

namespace actio::runtime {

// Threads: one caller at a time; any number of sessions beside each other.
class Session final : public net::Classifier {
 public:
  explicit Session(std::shared_ptr<const NetworkPlans> plans);

  // What a session takes for clips one at a time.
  static std::size_t bytes_of(const NetworkPlans& plans);

  using Classifier::run;
  using Classifier::run_clip;
  using Classifier::run_pairs;
  using Classifier::run_snippets;
  const net::NetSpec& spec() const override { return plans_->spec; }
  void run(const TensorMap& inputs, TensorMap& results) override;
  void run_snippets(const TensorMap& inputs, TensorMap& results) override;
  void run_pairs(const TensorMap& earlier, const TensorMap& later, TensorMap& results) override;
  void run_clip(const TensorMap& snippets, const TensorMap& pairs, TensorMap& results) override;

 private:
  // Rows of each granularity, by index_of.
  using Rows = std::array<std::int64_t, kGranularities.size()>;

  // Values that stay inside of the session, in a block that only grows.
  struct Values {
    Block block;
    std::size_t count = 0;
    float* at_least(std::size_t wanted);
  };

  // A piece with the memory between it and the others.
  struct Part {
    Part(const PiecePlans& plans, std::byte* memory);
    PieceRunner runner;
    std::vector<const float*> inputs;                   // of the current run, one per port
    std::vector<float*> outputs;                        // null: not bound
    std::vector<Values> input_values, output_values;    // one per port; used where the port is not the caller's
    std::vector<std::int64_t> input_rows, output_rows;  // elements of one row
  };

  Part& part(net::Granularity granularity) { return parts_[index_of(granularity)]; }
  void run_clips(const TensorMap& inputs, TensorMap& results, std::int64_t first, std::int64_t clips);
  void bind_inputs(const TensorMap& inputs, std::int64_t first_row);
  // The outputs go to the tensors of `results` from row `first` on, or where no result is asked for into own memory for
  // `rows`.
  void bind_outputs(const std::vector<Route>& routes, TensorMap& results, const Rows& first, const Rows& rows);
  void finish(const std::vector<Route>& routes, TensorMap& results, const Rows& first, const Rows& rows);
  float* input_of(const Connection& connection, std::int64_t rows);
  void join(const Connection& connection, const float* values, std::int64_t clips);

  std::shared_ptr<const NetworkPlans> plans_;
  Block memory_;  // of the intermediate values of whichever plan runs
  std::vector<Part> parts_;
};

}  // namespace actio::runtime
