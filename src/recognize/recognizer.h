// recognize: a model file and videos in, names of actions out. Recognition, evaluation and archives share it, so that they cannot
// differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "data/clip_reader.h"
#include "data/patience.h"
#include "data/protocol.h"
#include "net/model_file.h"
#include "recognize/session_pool.h"
#include "recognize/view_mean.h"
#include "runtime/compiled_network.h"
#include "video/source.h"

namespace actio::recognize {

struct ReadOptions {
  std::string flow_cache;  // folder; empty: none
  int flow_threads = 1;    // of one video
  std::size_t memory = std::size_t{128} << 20;  // bytes of a clip's inputs that lie in memory at once, unless one view is larger
  data::ReadLimits limits = {};                 // of one video, the reading of all its parts together
};

struct RecognizeOptions {
  runtime::RunOptions run;
  ReadOptions read;
  std::string head;         // whose scores are taken: one of the network's; empty: what it answers, which fuses them
  data::Protocol protocol;  // the views that scores are averaged over; one in the middle unless something else is asked for
  std::vector<std::string> keep = {};  // nodes or stages of the network whose values are results, too
  std::int64_t at_once = 1;            // videos whose networks run beside each other, each with its share of run.threads; fewer where there are fewer threads
};

struct ClassScore {
  std::int64_t index = 0;
  std::string_view label;  // Owns: the recogniser
  float probability = 0;
  float score = 0;  // before softmax where the network has logits
};

struct Timings {
  double read_seconds = 0;     // decoding, motion, resampling
  double network_seconds = 0;
};

struct Recognition {
  Tensor probabilities;               // f32 [classes]
  Tensor scores;                      // f32 [classes], before softmax where the network has logits
  std::int64_t frames = 0, damaged = 0;
  std::vector<std::int64_t> sampled;  // frame indices, view by view
  std::vector<std::string> warnings;  // one line each, the file's name first
  Timings timings;
  std::vector<TensorMap> kept;        // of RecognizeOptions::keep, of each view: f32 [K, ...], [K-1, ...] or [1, ...] by granularity
};

// Threads: safe; the weights are shared, and each call that runs beside others takes a network of a pool.
class Recognizer {
 public:
  // Throws: as its parts; Error(kUsage) for a network that cannot run on the protocol's number of segments and for an
  // unknown head; Error(kFailed) where the cache's folder cannot be made.
  explicit Recognizer(const std::string& model_path, const RecognizeOptions& options = {});
  // `name` stands for the model in messages.
  Recognizer(net::Model model, std::string name, const RecognizeOptions& options = {});

  // Its network has the protocol's number of segments. Without the weights, which the compiled network has in its own layout.
  const net::Model& model() const { return *model_; }
  const std::string& name() const { return name_; }
  const runtime::RuntimeAttributes& attributes() const { return network_->attributes(); }
  // What the user of these options with this model should know, a line each.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // Whether Recognition::scores are logits; else they are the probabilities.
  bool has_logits() const;
  std::size_t views() const { return views_.size(); }
  std::int64_t at_once() const { return at_once_; }
  // A probability that few right answers stay below, from clips that the network had not learned from when its heads were fitted (eval/head_fusion.h);
  // 0 where there were none, and for one head alone.
  double reject_below() const;

  // A path is a source. What does not seek is kept in memory, as in kept_in_memory().
  // Throws: as data::read_clip; Error(kInterrupted) on `stop`.
  Recognition recognize(const video::Source& video, const std::stop_token& stop = {}) const;

  // Of inputs that are preprocessed already. Shape: f32 [V*K, C, H, W] for each of the network's inputs, view by view.
  // Throws: Error(kUsage) naming the input that is missing or misshapen, and both shapes.
  Recognition recognize(const TensorMap& inputs, const std::stop_token& stop = {}) const;

  // The most probable first. Throws: Error for a recognition of another number of classes.
  std::vector<ClassScore> top(const Recognition& recognition, std::int64_t count) const;

  // Many large views do not lie in memory at once: a clip is read in parts, each with some of its views. One view is one
  // part.
  std::size_t parts() const { return (views_.size() + views_of_part_ - 1) / views_of_part_; }
  std::size_t parts_at_once() const;  // that a few times ReadOptions::memory hold, 1 at least

  // What the network needs of a video: the protocol's segments and views, the model's own preprocessing. Its time is not limited.
  data::ClipInput read(const video::Source& video, std::size_t part, const std::stop_token& stop = {}) const;

  const data::ReadLimits& limits() const { return options_.read.limits; }

  // For what runs it by itself, snippet by snippet. Throws: as making one does. Threads: what is lent is for one at a time. It must not outlive this.
  SessionPool::Loan lend() const { return sessions_->take(); }

  // The answer in what the network gave for one clip: of the head that was asked for. Shape: f32 [classes]; may share elements with `values`.
  VideoScores answer_in(const TensorMap& values) const;

  // Runs the network view by view. Throws: Error(kInterrupted) on `stop`.
  // Returns: what was asked to be kept, of each view.
  std::vector<TensorMap> add(const TensorMap& inputs, ViewMean& mean, const std::stop_token& stop = {}) const;

 private:
  std::string name_;
  std::vector<std::string> warnings_;
  std::shared_ptr<const net::Model> model_;
  RecognizeOptions options_;
  std::vector<data::View> views_;
  std::size_t views_of_part_ = 1;
  std::int64_t at_once_ = 1;
  std::optional<net::Head> head_;
  std::shared_ptr<const runtime::CompiledNetwork> network_;
  std::unique_ptr<SessionPool> sessions_;
  std::unique_ptr<data::ClipMemory> memory_ = std::make_unique<data::ClipMemory>(std::size_t{1} << 20);  // most videos are asked for once
};

}  // namespace actio::recognize
