#include "torch/trainer/feature_source.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "data/epoch_order.h"
#include "torch/graph/convert.h"

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

// Sets the memory aside. False where nothing can be kept and need not be.
bool FeatureSource::fits(const data::Batch& batch, const TensorMap& features) {
  double gigabytes = 0;  // of a view
  for (const auto& [name, tensor] : features) gigabytes += static_cast<double>(tensor.bytes()) / kGigabyte;
  gigabytes *= static_cast<double>(source_->clips()) / static_cast<double>(batch.labels.size());
  FeatureMemory& memory = *options_.memory;
  const double left = std::max(0.0, memory.gigabytes - memory.used);
  const std::size_t fit = std::min(views_.size(), static_cast<std::size_t>(left / gigabytes));
  if (fit == 0 && !options_.only_tested) {
    fail_usage("cache_gigabytes: the frozen features of {} clips take {:.3g} GB, allowed are {}", source_->clips(), gigabytes, memory.gigabytes);
  }
  if (fit == 0 && options_.warn) {
    options_.warn(fmt::format("cache_gigabytes: the features of the {} {} clips take {:.3g} GB, left are {:.3g}; the clips are read each time",
                              source_->clips(), options_.what, gigabytes, left));
  } else if (fit < views_.size() && options_.warn) {
    options_.warn(fmt::format("cache_views: {} views of {:.3g} GB each do not fit into {} GB; {} are used", views_.size(), gigabytes,
                              memory.gigabytes, fit));
  }
  memory.used += static_cast<double>(fit) * gigabytes;
  if (fit > 0) views_.resize(fit);
  return fit > 0;
}

// False when told to stop, or where nothing is kept.
bool FeatureSource::compute(std::int64_t view) {
  graph_.set_precision(options_.bf16, options_.fp16);
  graph_.set_segments(options_.segments);
  source_->start_epoch(view + 1);
  std::vector<Clip> clips;
  while (const std::optional<data::Batch> batch = source_->next()) {
    if (options_.check) options_.check();
    if (options_.stop.stop_requested()) return false;
    TensorMap features;
    for (const auto& [name, value] : graph_.run(batch->inputs, options_.nodes, {})) features[name] = from_torch(value);
    if (clips.empty() && view == 0 && !fits(*batch, features)) {
      reads_anew_ = true;
      return false;
    }
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
  const bool has_view = reads_anew_ || !views_[0].empty() || compute(0);
  if (reads_anew_) return source_->start_epoch(1);  // compute() may have found that nothing can be kept
  if (!has_view) return;
  view_ = static_cast<std::size_t>(epoch - 1) % views_.size();
  if (views_[view_].empty() && !compute(static_cast<std::int64_t>(view_))) return;
  std::vector<std::int64_t> classes;
  for (const Clip& clip : views_[view_]) classes.push_back(clip.label);
  order_ = data::epoch_order(classes, {options_.shuffle, options_.balanced, options_.seed, epoch - 1});
}

std::optional<data::Batch> FeatureSource::next() {
  if (reads_anew_) return source_->next();
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
