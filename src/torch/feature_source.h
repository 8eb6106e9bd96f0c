// torch: clips as the features that the frozen part of a network makes of them, computed once. In: a graph with frozen nodes and
// sources of clips. Out: batches of features, from memory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/progress.h"
#include "torch/batch_source.h"
#include "torch/graph.h"

namespace actio::torch_train {

struct FeatureOptions {
  std::vector<std::string> nodes;  // Graph::frozen_boundary
  std::int64_t batch_size = 8;     // clips
  std::int64_t views = 1;          // looks at each clip that are kept; epoch e uses look (e - 1) % views
  bool shuffle = true;
  bool balanced = false;
  bool drop_last = false;
  bool bf16 = false, fp16 = false;  // of the frozen part
  double gigabytes = 4;            // at most; fewer views are kept where they do not fit
  std::int64_t shards = 1, shard = 0;  // as data::LoaderOptions; every shard has the features of all clips
  std::uint64_t seed = 1;
  std::string what;                // for the progress: "training", "test"
  ProgressFn progress;
  WarnFn warn;
};

class FeatureSource final : public BatchSource {
 public:
  // Epoch v + 1 of `clips` delivers every clip, in the same order each time, in its look v.
  FeatureSource(Graph& graph, std::unique_ptr<BatchSource> clips, FeatureOptions options);

  // Throws: as the source; Error(kUsage) where the features of one view do not fit.
  void start_epoch(std::int64_t epoch) override;
  std::optional<data::Batch> next() override;
  std::int64_t clips() const override;
  double wait_seconds() const override { return source_->wait_seconds(); }
  std::int64_t skipped_clips() const override { return source_->skipped_clips(); }

 private:
  struct Clip {
    TensorMap rows;  // f32 [K, ...] by node
    std::int64_t label = 0;
    std::string path;
  };

  bool compute(std::int64_t view);
  void limit_views(const data::Batch& batch, const TensorMap& features);

  Graph& graph_;
  std::unique_ptr<BatchSource> source_;
  FeatureOptions options_;
  std::vector<std::vector<Clip>> views_;
  std::vector<std::size_t> order_;  // of this epoch
  std::size_t view_ = 0, position_ = 0;
};

}  // namespace actio::torch_train
