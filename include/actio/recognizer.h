// actio: names the action in videos. In: a model and videos, or inputs that are preprocessed already. Out: a probability for each class.
#pragma once

#include <actio/error.h>
#include <actio/export.h>
#include <actio/hooks.h>
#include <actio/model.h>
#include <actio/tensor.h>
#include <actio/video.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace actio {

struct RunOptions {
  std::string backend = {};  // "onednn", "reference" (naive loops, the arbiter), or "openvino" where it was built in; empty: the fastest
  std::int64_t threads = 0;  // of each call, or of all networks that run at once (at_once); 0: one per core
  // What convolutions are computed in: "auto" is the fastest that `actio quantize` found the model to bear, else f32; "bf16" is f32 where the processor
  // lacks it, which is warned of; "int8" needs a model that went through `actio quantize`.
  std::string precision = "auto";
  std::string device = {};  // of a backend that has devices: openvino's "CPU", "GPU", "NPU" or "AUTO"; empty: the processor
};

struct ReadOptions {
  std::filesystem::path flow_cache = {};        // folder of optical flow that is kept; empty: none
  int flow_threads = 1;                         // of one video
  std::size_t memory = std::size_t{128} << 20;  // bytes of a video's inputs that lie in memory at once, unless one view is larger
  std::int64_t max_pixels = std::int64_t{1} << 26;  // of a frame; a video with larger ones is Error(kBadData)
  double max_seconds = 0;  // wall time that reading one video may take, its motion included; more is Error(kBadData); 0: no limit
};

// The views of a video that its scores are averaged over.
struct ACTIO_API Protocol {
  std::int64_t segments = 0;           // snippets per view; 0: as many as the network was trained with
  std::vector<double> places = {0.5};  // where each view looks in its segments, 0..1
  std::string crops = "centre";        // "centre", "three", "ten"

  // "centre", "tsn" (25 snippets, ten crops), "stfn" (five places), "slowfast" (ten places, three crops).
  // Throws: Error(kUsage) naming the nearest.
  static Protocol named(std::string_view name);
};

struct RecognizeOptions {
  RunOptions run = {};
  ReadOptions read = {};
  Protocol protocol = {};
  std::string head = {};               // whose scores are taken, of Model::heads(); empty: what the network answers, which fuses them
  std::vector<std::string> keep = {};  // nodes or stages of the network whose values are results, too
  std::int64_t at_once = 1;            // videos of recognize_all() whose networks run beside each other, each with its share of run.threads
};

struct ClassScore {
  std::int64_t index = 0;
  std::string label;
  float probability = 0;
  float score = 0;  // before softmax where the network has logits
};

struct Timings {
  double read_seconds = 0;  // decoding, motion, resampling
  double network_seconds = 0;
};

struct Recognition {
  Tensor probabilities;  // f32 [classes]
  Tensor scores;         // f32 [classes], before softmax where the network has logits
  std::int64_t frames = 0, damaged = 0;
  std::vector<std::int64_t> sampled;  // frame indices, view by view
  std::vector<std::string> warnings;  // one line each, the video's name first
  Timings timings;
  std::vector<TensorMap> kept;  // of RecognizeOptions::keep, of each view
};

// What was recognised, or why the video could not be read.
using Answer = std::variant<Recognition, Error>;

// Threads: safe; the weights are shared, and each call that runs beside others takes a network of a pool.
class ACTIO_API Recognizer {
 public:
  // Throws: Error(kUsage) for options that make no sense with this model, naming the nearest that do.
  explicit Recognizer(const Model& model, const RecognizeOptions& options = {});
  ~Recognizer();
  Recognizer(Recognizer&&) noexcept;
  Recognizer& operator=(Recognizer&&) noexcept;

  Model model() const;
  // What the user of these options with this model should know, a line each.
  const std::vector<std::string>& warnings() const;

  // Throws: as Video; Error(kBadData) past a limit of ReadOptions; Error(kInterrupted) on `stop`.
  Recognition recognize(const VideoSource& video, const std::stop_token& stop = {}) const;

  // Of inputs that are preprocessed already. Shape: f32 [V*K, C, H, W] for each of Model::inputs(), V views of K segments.
  // Throws: Error(kUsage) naming the input that is missing or misshapen, and both shapes.
  Recognition recognize(const TensorMap& inputs, const std::stop_token& stop = {}) const;

  // Calls `answer` from this thread with the index of each video, in their order. RecognizeOptions::at_once networks run at a time, and up to
  // `workers` more videos are decoded ahead of them.
  // Throws: Error(kInterrupted) on hooks.stop; Error(kUsage) for what is no video's fault; what `answer` throws.
  using AnswerFn = std::function<void(std::size_t, Answer)>;
  void recognize_all(std::span<const VideoSource> videos, const AnswerFn& answer, std::int64_t workers = 2, const Hooks& hooks = {}) const;

  // A probability that one in twenty right answers stays below, as the heads were fitted in training; 0 where it is not known.
  double reject_below() const;

  // The most probable first.
  std::vector<ClassScore> top(const Recognition& recognition, std::int64_t count) const;

  // {"video", "frames", "damaged_frames", "sampled_frames", "warnings", "top": [{"label", "class", "probability", "score"}]} with
  // "reject_below" and "rejected" where that is known, or {"video", "error"}: what `actio recognize --json` prints.
  std::string to_json(const Answer& answer, const std::string& video, std::int64_t top = 5) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace actio
