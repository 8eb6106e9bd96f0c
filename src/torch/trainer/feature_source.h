// torch: clips as the features that the frozen part of a network makes of them, computed once. In: a graph with frozen nodes and
// sources of clips. Out: batches of features, from memory.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/progress.h"
#include "torch/trainer/job.h"
#include "torch/graph/graph.h"

namespace actio::torch_train {

// Memory that the features of several parts share.
struct FeatureMemory {
  double gigabytes = 4;  // at most
  double used = 0;       // what was set aside, in gigabytes
};

struct FeatureOptions {
  std::vector<std::string> nodes;  // Graph::frozen_boundary
  std::int64_t batch_size = 8;     // clips
  std::int64_t views = 1;          // looks at each clip that are kept; epoch e uses look (e - 1) % views
  bool shuffle = true;
  bool balanced = false;
  bool drop_last = false;
  bool bf16 = false, fp16 = false;  // of the frozen part
  std::int64_t segments = 0;        // snippets of a clip; 0: the network's
  // Fewer views are kept where they do not fit; where not even one does, clips that are only tested are read each time.
  std::shared_ptr<FeatureMemory> memory = std::make_shared<FeatureMemory>();
  bool only_tested = false;
  std::int64_t shards = 1, shard = 0;  // as data::LoaderOptions; every shard has the features of all clips
  std::uint64_t seed = 1;
  std::string what;                // for the progress: "training", "test"
  std::stop_token stop;            // computing ends; then next() delivers nothing
  std::function<void()> check;     // before every batch that is computed; may throw
  ProgressFn progress;
  WarnFn warn;
};

class FeatureSource final : public BatchSource {
 public:
  // Epoch v + 1 of `clips` delivers every clip, in the same order each time, in its look v.
  FeatureSource(Graph& graph, std::unique_ptr<BatchSource> clips, FeatureOptions options);

  // Throws: as the source; Error(kUsage) where the features of one view do not fit and the clips are not only tested.
  void start_epoch(std::int64_t epoch) override;
  std::optional<data::Batch> next() override;
  std::int64_t clips() const override;
  double wait_seconds() const override { return source_->wait_seconds(); }
  std::int64_t skipped_clips() const override { return source_->skipped_clips(); }
  std::vector<std::int64_t> failed_items() const override { return source_->failed_items(); }
  void take_for_failed(const std::vector<std::int64_t>& items) override { source_->take_for_failed(items); }

 private:
  struct Clip {
    TensorMap rows;  // f32 [K, ...] by node
    std::int64_t label = 0;
    std::string path;
  };

  bool compute(std::int64_t view);
  bool fits(const data::Batch& batch, const TensorMap& features);

  Graph& graph_;
  std::unique_ptr<BatchSource> source_;
  FeatureOptions options_;
  std::vector<std::vector<Clip>> views_;
  std::vector<std::size_t> order_;  // of this epoch
  std::size_t view_ = 0, position_ = 0;
  bool reads_anew_ = false;  // nothing is kept
};

}  // namespace actio::torch_train
