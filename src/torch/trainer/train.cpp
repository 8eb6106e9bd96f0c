#include "torch/trainer/job.h"

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "training/batch_source.h"
#include "torch/distributed/group.h"
#include "torch/trainer/gather.h"
#include "torch/graph/graph.h"
#include "torch/trainer/job_setup.h"
#include "torch/trainer/tester.h"
#include "torch/trainer/trainer.h"

namespace actio::torch_train {
namespace {

data::ClipRequest clip_request(const TrainJob& job, bool augment, std::int64_t segments) {
  data::ClipRequest request = data::request_for(job.inputs, segments > 0 ? segments : job.spec.segments);
  request.sampling = augment ? data::Sampling::kRandom : data::Sampling::kCentre;
  request.augment = augment;
  request.crop.flip = job.options.flip;
  request.crop.all_pairs = job.options.crop_pairs == training::CropPairs::kAll;
  request.flow_cache = job.flow_cache;
  request.limits = job.limits;
  return request;
}

class VideoSource final : public BatchSource {
 public:
  VideoSource(const TrainJob& job, const std::vector<data::Item>& items, const data::ClipRequest& request,
              const data::LoaderOptions& options, const std::stop_token& stop)
      : loader_(items, request, options, job.warn, stop) {
    const auto all = static_cast<std::int64_t>(items.size());
    const std::int64_t together = options.batch_size * options.shards;
    const std::int64_t rest = options.drop_last ? 0 : all % together;
    clips_ = all / together * options.batch_size + std::clamp<std::int64_t>(rest - options.shard * options.batch_size, 0, options.batch_size);
  }

  void start_epoch(std::int64_t epoch) override { loader_.start_epoch(epoch - 1); }
  void continue_epoch(std::int64_t epoch, std::int64_t first_batch) override { loader_.start_epoch(epoch - 1, first_batch); }

  std::optional<data::Batch> next() override {
    try {
      return loader_.next();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted) return std::nullopt;
      throw;
    }
  }

  std::int64_t clips() const override { return clips_; }
  double wait_seconds() const override { return loader_.wait_seconds(); }
  std::int64_t skipped_clips() const override { return loader_.failed_videos(); }
  std::vector<std::int64_t> failed_items() const override { return loader_.failed_items(); }
  void take_for_failed(const std::vector<std::int64_t>& items) override { loader_.take_for_failed(items); }

 private:
  data::Loader loader_;
  std::int64_t clips_ = 0;  // of this shard
};

void set_shard(const TrainJob& job, data::LoaderOptions& options) {
  if (job.group == nullptr) return;
  options.shards = job.group->size();
  options.shard = job.group->rank();
}

std::unique_ptr<VideoSource> training_source(const TrainJob& job) {
  const bool kept = job.options.cache_views > 0;  // then each clip is read in its place, and the features are shuffled
  data::LoaderOptions options;
  const std::int64_t ranks = job.group == nullptr ? 1 : job.group->size();
  options.batch_size = std::min(job.options.batch_size, static_cast<std::int64_t>(job.train.size()) / (kept ? 1 : ranks));
  if (options.batch_size < 1) fail_usage("{} clips are too few for {} processes", job.train.size(), ranks);
  options.threads = job.options.workers;
  options.seed = static_cast<std::uint64_t>(job.options.seed);
  options.shuffle = options.drop_last = !kept;  // a batch of one or two clips is a poor estimate for batch norm
  options.balanced = job.options.balance == training::Balance::kSampling;
  const std::int64_t views = job.options.augment ? job.options.cache_views : 1;
  options.last_epoch = (kept ? views : job.options.epochs) - 1;
  if (!kept) set_shard(job, options);
  // A step that has begun is finished: it may need several batches, and several ranks agree on which is the last.
  const std::stop_token stop = kept && job.group == nullptr ? job.stop : std::stop_token();
  return std::make_unique<VideoSource>(job, job.train, clip_request(job, job.options.augment, job.options.train_segments), options, stop);
}

std::unique_ptr<VideoSource> test_source(const TrainJob& job, const std::vector<data::Item>& items) {
  if (items.empty()) return nullptr;
  data::LoaderOptions options;
  options.batch_size = job.options.batch_size;
  options.threads = job.options.workers;
  options.shuffle = false;
  options.replace_failed = false;
  set_shard(job, options);
  const std::stop_token stop = job.group == nullptr ? job.stop : std::stop_token();
  return std::make_unique<VideoSource>(job, items, clip_request(job, false, 0), options, stop);
}

}  // namespace

TrainResult train(const TrainJob& job, TensorMap& weights) {
  if (job.train.empty()) fail_usage("there is no clip to train on");
  return train_on(job, weights, {training_source(job), test_source(job, job.validation), test_source(job, job.test)});
}

std::optional<Answers> answers_to_test(const TrainJob& job, const TensorMap& weights) {
  const auto source = test_source(job, job.test);
  if (!source) return std::nullopt;
  set_up_threads(job);
  Graph graph(job.spec, weights, graph_options(job));
  TestPass pass;
  pass.stop = job.stop;
  if (job.group != nullptr) pass.check = [&] { job.group->check(); };
  const std::optional<Answers> own = test(graph, *source, pass);
  if (job.group == nullptr || job.group->size() == 1) return own;
  return gather_answers(*job.group, job.test, own, job.stop.stop_requested());
}

}  // namespace actio::torch_train
