#include "data/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <set>
#include <thread>

#include "core/error.h"
#include "data/epoch_order.h"
#include "data/failed_clips.h"
#include "data/snippet.h"

namespace actio::data {
namespace {

// All that is wrong with a video as one line, its path once.
std::string one_warning(const std::string& path, const std::vector<std::string>& warnings) {
  std::string line = warnings.front();
  for (std::size_t i = 1; i < warnings.size(); ++i) {
    const bool named = warnings[i].starts_with(path + ": ");
    line += "; " + warnings[i].substr(named ? path.size() + 2 : 0);
  }
  return line;
}

// One clip of a batch, as a reading thread leaves it.
struct Slot {
  bool filled = false;  // its rows of the batch are there
  std::size_t item = 0;
  std::vector<std::string> warnings;
};

struct Job {
  std::mutex mutex;  // guards the making of `inputs`
  TensorMap inputs;
  std::vector<Slot> slots;
  std::int64_t epoch = 0;
  std::shared_ptr<const std::vector<std::size_t>> order;  // position in the epoch -> item
  std::int64_t first = 0;      // position of the first clip in the epoch
  std::size_t open = 0;        // slots that are not done; guarded by the loader
  std::exception_ptr problem;  // not about one video; guarded by the loader
};

// Copies a clip's rows to its place; the batch takes its shape from the first clip.
void store(Job& job, std::size_t slot, const TensorMap& clip) {
  for (const auto& [name, rows] : clip) {
    Tensor target;
    {
      const std::lock_guard lock(job.mutex);
      Tensor& all = job.inputs[name];
      if (!all.defined()) {
        Shape shape = rows.shape();
        shape[0] *= static_cast<std::int64_t>(job.slots.size());
        all = Tensor(shape);
      }
      target = all.rows(static_cast<std::int64_t>(slot) * rows.dim(0), rows.dim(0));
    }
    std::memcpy(target.raw(), rows.raw(), rows.bytes());
  }
}

void check(const std::vector<Item>& items, const LoaderOptions& options) {
  if (items.empty()) fail_usage("the loader has no clips to read");
  const auto at_least_one = [](std::string_view what, std::int64_t value) {
    if (value < 1) fail_usage("loader: {} must be 1 or more, got {}", what, value);
  };
  at_least_one("batch_size", options.batch_size);
  at_least_one("threads", options.threads);
  at_least_one("prefetch", options.prefetch);
  at_least_one("shards", options.shards);
  if (options.shard < 0 || options.shard >= options.shards) {
    fail_usage("loader: shard must be from 0 to {}, got {}", options.shards - 1, options.shard);
  }
  if (options.shards > 1 && options.shuffle && !options.drop_last) {
    fail_usage("loader: {} shards of a shuffled epoch need drop_last, or some would have more batches", options.shards);
  }
}

LoaderOptions with_reader(LoaderOptions options) {
  if (options.read) return options;
  options.read = [](const ClipRequest& request, ClipMemory& memory, const std::stop_token& stop) {
    return read_clip(request, memory, stop);
  };
  return options;
}

}  // namespace

struct Loader::Impl {
  Impl(std::vector<Item> items, ClipRequest request, const LoaderOptions& options, WarnFn warn, std::stop_token stop);
  ~Impl();

  void start(std::int64_t epoch, std::int64_t first_batch);
  std::optional<Batch> next();
  std::int64_t batches() const;
  std::int64_t end() const;

  void cancel_and_join();
  bool go_on_into(std::int64_t epoch);
  void plan_epoch(std::int64_t epoch, std::int64_t first_batch);
  void plan_jobs();
  void work(const std::stop_token& cancel);
  bool claim(std::shared_ptr<Job>& job, std::size_t& slot, const std::stop_token& cancel);
  void read_slot(Job& job, std::size_t slot, const std::stop_token& cancel);
  std::optional<Batch> finish(Job& job);
  void report_failures();

  const std::vector<Item> items_;
  const ClipRequest request_;
  const LoaderOptions options_;
  const WarnFn warn_;
  ClipMemory memory_;
  FailedClips failed_;

  std::mutex mutex_;
  std::condition_variable_any room_, ready_;
  std::deque<std::shared_ptr<Job>> jobs_;       // in order; the front is the next batch
  std::size_t claim_job_ = 0, claim_slot_ = 0;  // in jobs_
  std::int64_t planned_epoch_ = 0;              // of the next job to be planned
  std::shared_ptr<const std::vector<std::size_t>> planned_order_;
  std::int64_t next_position_ = 0;  // of that job, in the epoch of all shards
  std::exception_ptr misuse_;  // no video's fault: ends the epoch at once

  // Of the consumer only, which holds the mutex when it changes epoch_.
  bool started_ = false;
  std::int64_t epoch_ = 0;
  std::set<std::string> reported_;         // videos with warnings
  std::int64_t seen_ = 0, delivered_ = 0;  // batches of this epoch
  double wait_seconds_ = 0;

  std::vector<std::jthread> threads_;
  std::stop_source cancel_;  // of the threads
  std::stop_token stop_;
};

Loader::Impl::Impl(std::vector<Item> items, ClipRequest request, const LoaderOptions& options, WarnFn warn, std::stop_token stop)
    : items_(std::move(items)),
      request_(std::move(request)),
      options_(with_reader(options)),
      warn_(std::move(warn)),
      failed_(items_),
      stop_(std::move(stop)) {
  check(items_, options_);
}

Loader::Impl::~Impl() { cancel_and_join(); }

void Loader::Impl::cancel_and_join() {
  cancel_.request_stop();
  threads_.clear();
}

void Loader::Impl::start(std::int64_t epoch, std::int64_t first_batch) {
  if (first_batch < 0) fail_usage("loader: first_batch must be 0 or more, got {}", first_batch);
  const bool goes_on = first_batch == 0 && go_on_into(epoch);
  seen_ = delivered_ = 0;
  started_ = true;
  if (goes_on) return;
  cancel_and_join();
  epoch_ = epoch;
  jobs_.clear();
  misuse_ = nullptr;
  claim_job_ = claim_slot_ = 0;
  plan_epoch(epoch, first_batch);
  plan_jobs();
  cancel_ = std::stop_source();
  for (std::int64_t i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this, cancel = cancel_.get_token()] { work(cancel); });
  }
}

// Whether the epoch's first batches are in the making already.
bool Loader::Impl::go_on_into(std::int64_t epoch) {
  {
    const std::lock_guard lock(mutex_);
    if (!started_ || misuse_ || cancel_.stop_requested() || epoch != epoch_ + 1 || planned_epoch_ != epoch) return false;
    if (!jobs_.empty() && jobs_.front()->epoch != epoch) return false;
    epoch_ = epoch;
    plan_jobs();
  }
  room_.notify_all();
  return true;
}

void Loader::Impl::plan_epoch(std::int64_t epoch, std::int64_t first_batch) {
  std::vector<std::int64_t> classes;
  for (const Item& item : items_) classes.push_back(item.class_index);
  const EpochOrder order{options_.shuffle, options_.balanced, options_.seed, epoch};
  planned_order_ = std::make_shared<const std::vector<std::size_t>>(epoch_order(classes, order));
  planned_epoch_ = epoch;
  next_position_ = (first_batch * options_.shards + options_.shard) * options_.batch_size;
}

// The positions of the epoch that are read end here.
std::int64_t Loader::Impl::end() const {
  const auto clips = static_cast<std::int64_t>(items_.size());
  const std::int64_t together = options_.batch_size * options_.shards;
  return options_.drop_last ? clips / together * together : clips;
}

std::int64_t Loader::Impl::batches() const {
  const std::int64_t together = options_.batch_size * options_.shards;
  return std::max<std::int64_t>(0, end() - options_.shard * options_.batch_size + together - 1) / together;
}

// Keeps up to `prefetch` batches in the making. The caller holds the mutex, or is alone.
void Loader::Impl::plan_jobs() {
  while (static_cast<std::int64_t>(jobs_.size()) < options_.prefetch) {
    if (next_position_ >= end()) {
      if (planned_epoch_ != epoch_ || planned_epoch_ >= options_.last_epoch || batches() == 0) return;
      plan_epoch(planned_epoch_ + 1, 0);
    }
    auto job = std::make_shared<Job>();
    job->epoch = planned_epoch_;
    job->order = planned_order_;
    job->first = next_position_;
    job->slots.resize(static_cast<std::size_t>(std::min(options_.batch_size, end() - next_position_)));
    job->open = job->slots.size();
    next_position_ += options_.batch_size * options_.shards;
    jobs_.push_back(std::move(job));
  }
}

// Waits for a slot to fill. False once the epoch is cancelled.
bool Loader::Impl::claim(std::shared_ptr<Job>& job, std::size_t& slot, const std::stop_token& cancel) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, cancel, [&] { return claim_job_ < jobs_.size(); });
  if (cancel.stop_requested()) return false;
  job = jobs_[claim_job_];
  slot = claim_slot_++;
  if (claim_slot_ == job->slots.size()) {
    ++claim_job_;
    claim_slot_ = 0;
  }
  return true;
}

void Loader::Impl::work(const std::stop_token& cancel) {
  std::shared_ptr<Job> job;
  std::size_t slot = 0;
  while (claim(job, slot, cancel)) {
    std::exception_ptr problem;
    bool misuse = false;
    try {
      read_slot(*job, slot, cancel);
    } catch (const Error& error) {
      problem = std::current_exception();
      misuse = error.code() == ErrorCode::kUsage;
    } catch (...) {
      problem = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    if (problem && !job->problem) job->problem = problem;
    if (misuse && !misuse_) misuse_ = problem;
    if (--job->open == 0 || misuse) ready_.notify_all();
  }
}

// Reads the clip at the slot's position, or the first after it that works. Which one that is does not depend on what other
// threads found out before; they only save the trying.
void Loader::Impl::read_slot(Job& job, std::size_t slot_index, const std::stop_token& cancel) {
  Slot& slot = job.slots[slot_index];
  const std::size_t position = static_cast<std::size_t>(job.first) + slot_index;
  ClipRequest request = request_;
  request.seed = options_.seed ^ 0x636c697073ULL;
  request.stream = (static_cast<std::uint64_t>(job.epoch) << 32) + position;
  const std::vector<std::size_t>& order = *job.order;
  const std::size_t tries = options_.replace_failed ? order.size() : 1;
  for (std::size_t i = 0; i < tries; ++i) {
    slot.item = order[(position + i) % order.size()];
    if (failed_.contains(slot.item)) continue;
    try {
      request.path = items_[slot.item].path;
      ClipInput clip = read_patiently(options_.read, options_.patience, request, memory_, cancel);
      store(job, slot_index, clip.inputs);
      slot.warnings = std::move(clip.warnings);
      slot.filled = true;
      return;
    } catch (const Error& error) {
      const ErrorCode code = error.code();
      if (code == ErrorCode::kInterrupted || code == ErrorCode::kUsage || code == ErrorCode::kTransient) throw;
      failed_.add(slot.item, error.what());
    }
  }
}

void Loader::Impl::report_failures() {
  const std::vector<std::string> failures = failed_.take_messages();
  if (!warn_) return;
  for (const std::string& message : failures) {
    warn_(fmt::format("{}; {}", message, options_.replace_failed ? "another clip takes its place" : "the clip is left out"));
  }
}

// The batch without the slots that stayed empty, or nothing where all did.
std::optional<Batch> Loader::Impl::finish(Job& job) {
  Batch batch;
  std::int64_t filled = 0;
  for (std::size_t i = 0; i < job.slots.size(); ++i) {
    const Slot& slot = job.slots[i];
    if (!slot.warnings.empty() && reported_.insert(items_[slot.item].path).second && warn_) {
      warn_(one_warning(items_[slot.item].path, slot.warnings));
    }
    if (!slot.filled) continue;
    for (auto& [name, all] : job.inputs) {
      const std::int64_t rows = all.dim(0) / static_cast<std::int64_t>(job.slots.size());
      Tensor target = all.rows(filled * rows, rows);
      const Tensor source = all.rows(static_cast<std::int64_t>(i) * rows, rows);
      if (target.raw() != source.raw()) std::memcpy(target.raw(), source.raw(), source.bytes());
    }
    batch.labels.push_back(items_[slot.item].class_index);
    batch.paths.push_back(items_[slot.item].path);
    ++filled;
  }
  if (filled == 0) return std::nullopt;
  for (auto& [name, all] : job.inputs) {
    batch.inputs[name] = all.rows(0, all.dim(0) / static_cast<std::int64_t>(job.slots.size()) * filled);
  }
  return batch;
}

std::optional<Batch> Loader::Impl::next() {
  if (!started_) start(0, 0);
  while (true) {
    std::shared_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      if (jobs_.empty() || jobs_.front()->epoch != epoch_) break;
      const auto begin = std::chrono::steady_clock::now();
      const bool done = ready_.wait(lock, stop_, [&] { return misuse_ || jobs_.front()->open == 0; });
      wait_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      if (!done || stop_.stop_requested()) {
        lock.unlock();
        cancel_and_join();
        fail(ErrorCode::kInterrupted, "reading clips was stopped");
      }
      if (misuse_) {
        lock.unlock();
        cancel_and_join();
        std::rethrow_exception(misuse_);
      }
      job = jobs_.front();
      jobs_.pop_front();
      --claim_job_;
      plan_jobs();
    }
    room_.notify_all();
    report_failures();
    ++seen_;
    if (job->problem) std::rethrow_exception(job->problem);
    if (std::optional<Batch> batch = finish(*job)) {
      ++delivered_;
      return batch;
    }
  }
  // Where one shard of several replaces nothing, the others may have had better luck.
  const bool saw_all = options_.shards == 1 || options_.replace_failed;
  if (seen_ == 0 || delivered_ > 0 || !saw_all) return std::nullopt;
  fail_data("none of the {} clips could be read; the first: {}", items_.size(), failed_.first_message());
}

Loader::Loader(std::vector<Item> items, ClipRequest request, const LoaderOptions& options, WarnFn warn, std::stop_token stop)
    : impl_(std::make_unique<Impl>(std::move(items), std::move(request), options, std::move(warn), std::move(stop))) {}

Loader::~Loader() = default;

void Loader::start_epoch(std::int64_t epoch, std::int64_t first_batch) { impl_->start(epoch, first_batch); }
std::optional<Batch> Loader::next() { return impl_->next(); }
std::int64_t Loader::batches() const { return impl_->batches(); }
std::int64_t Loader::failed_videos() const { return static_cast<std::int64_t>(impl_->failed_.count()); }
std::vector<std::int64_t> Loader::failed_items() const { return impl_->failed_.items(); }
void Loader::take_for_failed(const std::vector<std::int64_t>& items) { impl_->failed_.assume(items); }
double Loader::wait_seconds() const { return impl_->wait_seconds_; }

}  // namespace actio::data
