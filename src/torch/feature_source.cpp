#include "torch/feature_source.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "data/epoch_order.h"
#include "torch/convert.h"

namespace actio::torch_train {
namespace {

constexpr double kGigabyte = 1e9;

// The rows of several clips, one after another.
Tensor joined_rows(const std::vector<const Tensor*>& parts) {
  Shape shape = parts[0]->shape();
  shape[0] *= static_cast<std::int64_t>(parts.size());
  Tensor all(shape);
  std::byte* target = all.raw();
  for (const Tensor* part : parts) {
    std::memcpy(target, part->raw(), part->bytes());
    target += part->bytes();
  }
  return all;
}

}  // namespace

FeatureSource::FeatureSource(Graph& graph, std::unique_ptr<BatchSource> clips, FeatureOptions options)
    : graph_(graph), source_(std::move(clips)), options_(std::move(options)), views_(static_cast<std::size_t>(options_.views)) {}

void FeatureSource::limit_views(const data::Batch& batch, const TensorMap& features) {
  double bytes = 0;  // of a view
  for (const auto& [name, tensor] : features) bytes += static_cast<double>(tensor.bytes());
  bytes *= static_cast<double>(source_->clips()) / static_cast<double>(batch.labels.size());
  const auto fit = static_cast<std::size_t>(options_.gigabytes * kGigabyte / bytes);
  if (fit == 0) {
    fail_usage("cache_gigabytes: the frozen features of {} clips take {:.3g} GB, allowed are {}", source_->clips(), bytes / kGigabyte,
               options_.gigabytes);
  }
  if (fit >= views_.size()) return;
  if (options_.warn) {
    options_.warn(fmt::format("cache_views: {} views of {:.3g} GB each do not fit into {} GB; {} are used", views_.size(),
                              bytes / kGigabyte, options_.gigabytes, fit));
  }
  views_.resize(fit);
}

// False when told to stop.
bool FeatureSource::compute(std::int64_t view) {
  graph_.set_precision(options_.bf16, options_.fp16);
  source_->start_epoch(view + 1);
  std::vector<Clip> clips;
  while (const std::optional<data::Batch> batch = source_->next()) {
    TensorMap features;
    for (const auto& [name, value] : graph_.run(batch->inputs, options_.nodes, {})) features[name] = from_torch(value);
    if (clips.empty() && view == 0) limit_views(*batch, features);
    const auto count = static_cast<std::int64_t>(batch->labels.size());
    for (std::int64_t i = 0; i < count; ++i) {
      Clip clip{{}, batch->labels[static_cast<std::size_t>(i)], batch->paths[static_cast<std::size_t>(i)]};
      for (const auto& [name, all] : features) {
        const std::int64_t rows = all.dim(0) / count;
        clip.rows[name] = all.rows(i * rows, rows);
      }
      clips.push_back(std::move(clip));
    }
    if (options_.progress) {
      options_.progress({fmt::format("features of the {} clips, view {}/{}", options_.what, view + 1, views_.size()),
                         static_cast<std::int64_t>(clips.size()), source_->clips(), ""});
    }
  }
  const bool complete = static_cast<std::int64_t>(clips.size()) + source_->skipped_clips() >= source_->clips();
  if (!complete) return false;
  views_[static_cast<std::size_t>(view)] = std::move(clips);
  return true;
}

void FeatureSource::start_epoch(std::int64_t epoch) {
  position_ = 0;
  order_.clear();
  if (views_[0].empty() && !compute(0)) return;
  view_ = static_cast<std::size_t>(epoch - 1) % views_.size();
  if (views_[view_].empty() && !compute(static_cast<std::int64_t>(view_))) return;
  std::vector<std::int64_t> classes;
  for (const Clip& clip : views_[view_]) classes.push_back(clip.label);
  order_ = data::epoch_order(classes, {options_.shuffle, options_.balanced, options_.seed, epoch - 1});
}

std::optional<data::Batch> FeatureSource::next() {
  const std::size_t size = static_cast<std::size_t>(options_.batch_size), shard = static_cast<std::size_t>(options_.shard);
  const std::size_t together = size * static_cast<std::size_t>(options_.shards);
  if (position_ >= order_.size() || (options_.drop_last && order_.size() - position_ < together)) return std::nullopt;
  const std::size_t first = position_ + shard * size;
  position_ += together;
  if (first >= order_.size()) return std::nullopt;
  const std::size_t count = std::min(order_.size() - first, size);
  data::Batch batch;
  std::map<std::string, std::vector<const Tensor*>> parts;
  for (std::size_t i = 0; i < count; ++i) {
    const Clip& clip = views_[view_][order_[first + i]];
    for (const auto& [name, rows] : clip.rows) parts[name].push_back(&rows);
    batch.labels.push_back(clip.label);
    batch.paths.push_back(clip.path);
  }
  for (const auto& [name, rows] : parts) batch.inputs[name] = joined_rows(rows);
  return batch;
}

std::int64_t FeatureSource::clips() const {
  const std::int64_t all = source_->clips(), together = options_.batch_size * options_.shards;
  return options_.drop_last ? all / together * options_.batch_size : all;
}

}  // namespace actio::torch_train
