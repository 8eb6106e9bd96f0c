#include "data/flow_extract.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "motion/flow_image.h"
#include "video/decoder.h"

namespace actio::data {
namespace {

constexpr std::size_t kPairsPerThread = 4;  // of a batch: so that a slow pair at its end costs little

// The grey pictures of a frame and the one before, which frame 0 does not have.
struct Pair {
  Tensor before, now;  // u8 [h, w]
  int frame_width, frame_height;
};

// Reads pairs from the video, in order.
class PairReader {
 public:
  PairReader(const FlowExtraction& extraction, const std::stop_token& stop)
      : extraction_(extraction), decoder_(extraction.video, {.max_pixels = extraction.limits.max_pixels}, stop), stop_(stop) {}

  std::vector<Pair> next(std::size_t count) {
    std::vector<Pair> pairs;
    while (pairs.size() < count) {
      if (stop_.stop_requested()) fail(ErrorCode::kInterrupted, "{}: reading was stopped", extraction_.video);
      const std::optional<video::Frame> frame = decoder_.next();
      if (!frame) break;
      ++seen_;
      last_time_ = std::max(last_time_, frame->time_seconds);
      times_.push_back(to_microseconds(frame->time_seconds));
      Tensor now = motion::scaled_grey(frame->grey(), extraction_.settings.short_side);
      pairs.push_back({last_, now, frame->width, frame->height});
      last_ = now;
    }
    return pairs;
  }

  ClipFacts facts() const {
    ClipFacts facts = facts_of(decoder_, seen_, last_time_);
    facts.times = frame_times(times_);
    return facts;
  }
  std::int64_t claimed() const { return decoder_.info().frames_claimed; }

 private:
  const FlowExtraction& extraction_;
  video::Decoder decoder_;
  std::stop_token stop_;
  Tensor last_;
  std::int64_t seen_ = 0;
  double last_time_ = 0;
  std::vector<std::int64_t> times_;
};

// Works on the pairs of a batch with one computer per thread.
class Batcher {
 public:
  Batcher(const FlowExtraction& extraction, const std::stop_token& stop) : video_(extraction.video), stop_(stop) {
    for (int i = 0; i < std::max(1, extraction.threads); ++i) computers_.emplace_back(extraction.settings);
  }

  std::vector<PackedField> run(const std::vector<Pair>& pairs) {
    std::vector<PackedField> packed(pairs.size());
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::exception_ptr problem;
    const auto work = [&](motion::FlowComputer& computer) {
      try {
        for (std::size_t i = next++; i < pairs.size(); i = next++) packed[i] = pack(pairs[i], computer);
      } catch (...) {
        next = pairs.size();
        const std::lock_guard lock(mutex);
        problem = std::current_exception();
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 1; i < std::min(computers_.size(), pairs.size()); ++i) {
        threads.emplace_back([&work, &computer = computers_[i]] { work(computer); });
      }
      work(computers_.front());
    }
    if (problem) std::rethrow_exception(problem);
    return packed;
  }

 private:
  PackedField pack(const Pair& pair, motion::FlowComputer& computer) const {
    if (stop_.stop_requested()) fail(ErrorCode::kInterrupted, "{}: its flow was not finished", video_);
    Tensor image = pair.before.defined() ? computer.image(pair.before, pair.now)
                                         : motion::still_image(pair.now.dim(0), pair.now.dim(1));
    return pack_field({std::move(image), pair.frame_width, pair.frame_height});
  }

  std::string video_;
  std::stop_token stop_;
  std::vector<motion::FlowComputer> computers_;
};

}  // namespace

ClipFacts compute_fields(const FlowExtraction& extraction, const std::function<void(const PackedField&)>& sink,
                         const std::stop_token& stop) {
  PairReader reader(extraction, stop);
  Batcher batcher(extraction, stop);
  const bool alone = extraction.threads <= 1;
  const std::size_t count = alone ? 1 : kPairsPerThread * static_cast<std::size_t>(extraction.threads);
  std::int64_t done = 0;
  std::vector<Pair> pairs = reader.next(count);
  while (!pairs.empty()) {
    std::vector<Pair> following;
    std::vector<PackedField> packed;
    if (alone) {
      packed = batcher.run(pairs);
      following = reader.next(count);
    } else {
      std::future<std::vector<PackedField>> work = std::async(std::launch::async, [&] { return batcher.run(pairs); });
      following = reader.next(count);
      packed = work.get();
    }
    for (const PackedField& field : packed) sink(field);
    done += static_cast<std::int64_t>(packed.size());
    if (extraction.progress) extraction.progress(done, reader.claimed());
    pairs = std::move(following);
  }
  if (done == 0) fail_data("{}: no frame could be decoded", extraction.video);
  return reader.facts();
}

}  // namespace actio::data
