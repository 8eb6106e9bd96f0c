#include "data/clip_reader.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "core/error.h"
#include "data/snippet.h"
#include "motion/vector_stream.h"
#include "video/decoder.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr std::int64_t kMostFrames = 100'000'000;  // a container that claims more is not believed

// What only decoding a whole clip tells.
struct ClipFacts {
  std::int64_t frames = 0, damaged = 0, errors = 0, claimed = 0;
  std::string container;
  double frames_per_second = 0, duration = 0;  // as the container claims; seconds
  double last_time = 0;                        // of a frame; seconds from the first
  bool motionless = false;                     // vectors were looked for, and no frame has any
};

class FactsMemory {
 public:
  std::optional<ClipFacts> find(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = facts_.find(key);
    return found == facts_.end() ? std::nullopt : std::optional(found->second);
  }
  void keep(const std::string& key, const ClipFacts& facts) {
    const std::lock_guard lock(mutex_);
    facts_[key] = facts;
  }
  void forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    facts_.erase(key);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, ClipFacts> facts_;
};

FactsMemory& facts_memory() {
  static FactsMemory memory;
  return memory;
}

// Another file under the same name gets another key, as does another decoding of it: empty where the file cannot be looked
// at.
std::string key_of(const ClipRequest& request, bool vectors) {
  std::error_code code;
  const auto size = fs::file_size(request.path, code);
  if (code) return {};
  const auto time = fs::last_write_time(request.path, code);
  if (code) return {};
  return fmt::format("{}\n{} {} {}", request.path, size, time.time_since_epoch().count(), vectors);
}

CropFn crop_of(const ClipRequest& request, std::uint64_t seed) {
  return [&request, seed](int width, int height) {
    if (!request.augment) return centre_crop(width, height, request.preprocess);
    Rng rng(seed);
    return random_crop(width, height, request.preprocess, rng, request.crop);
  };
}

// What one run over the file gave.
struct Pass {
  ClipFacts facts;                  // of the whole clip where it was run to its end
  std::optional<TensorMap> inputs;  // where `frames` was right
  std::vector<std::int64_t> sampled;
};

// Runs over the clip, taking it to have `frames` frames (0: unknown, so count only). `certain`: stop after what is needed.
Pass run(const ClipRequest& request, std::int64_t frames, bool certain, const std::stop_token& stop) {
  const bool vectors = request.motion && request.preprocess.motion == "mv";
  video::Decoder decoder(request.path, {.vectors = vectors, .threads = request.decoder_threads});
  motion::VectorStream stream(request.preprocess.key_frames == "carry");
  Rng rng(request.seed, request.stream);
  const std::uint64_t crop_seed = rng.next();
  if (!certain && decoder.info().frames_claimed < kMostFrames) frames = decoder.info().frames_claimed;

  Pass pass;
  std::optional<SnippetAssembler> assembler;
  if (frames > 0) {
    pass.sampled = sample_segments(frames, request.segments, request.sampling, rng, request.place);
    assembler.emplace(SnippetPlan{pass.sampled, frames, request.rgb, request.motion}, request.preprocess,
                      crop_of(request, crop_seed));
  }
  std::int64_t seen = 0;
  double last_time = 0;
  bool moves = false;
  while (!(certain && assembler->complete())) {
    if (stop.stop_requested()) fail(ErrorCode::kInterrupted, "{}: reading was stopped", request.path);
    const std::optional<video::Frame> frame = decoder.next();
    if (!frame) break;
    ++seen;
    last_time = std::max(last_time, frame->time_seconds);
    moves = moves || !frame->vectors.empty();
    if (assembler && frame->index <= assembler->last_frame())
      assembler->push(*frame, vectors ? stream.field(*frame) : Tensor());
  }
  const video::DecodeCounters& counters = decoder.counters();
  const video::StreamInfo& info = decoder.info();
  pass.facts = {seen,           counters.damaged,       counters.errors,       info.frames_claimed,
                info.container, info.frames_per_second, info.duration_seconds, last_time, vectors && !moves};
  const bool right = certain || pass.facts.frames == frames;
  if (right && assembler && assembler->complete()) pass.inputs = assembler->take();
  return pass;
}

// Where the clip ends clearly before its container says, how much is missing.
std::string shortfall_of(const ClipFacts& facts) {
  const double fps = facts.frames_per_second;
  const auto frames = static_cast<double>(facts.frames), claimed = static_cast<double>(facts.claimed);
  // A duration is a coarse measure, so there both the count and the time must fall short. AVI counts what stands in for
  // B-frames and fields, so its count needs the time too; the time it claims is that of its count, as FFmpeg shortens the
  // duration of an AVI that was cut.
  const double expected_seconds = std::max(facts.duration, fps > 0 ? claimed / fps : 0);
  const double end = facts.frames > 1 ? facts.last_time * frames / (frames - 1) : fps > 0 ? 1 / fps : 0;
  const bool early = end < 0.9 * expected_seconds;
  if (facts.claimed > 0) {
    // Containers are often wrong by a frame or two.
    if (facts.claimed - facts.frames <= 2 + facts.claimed / 10) return {};
    if (facts.container == "avi" && fps > 0 && !early) return {};
    return fmt::format("ends after {} of {} frames", facts.frames, facts.claimed);
  }
  const double expected = facts.duration * fps;
  if (!early || frames >= 0.9 * expected || expected - frames < 5) return {};
  return fmt::format("ends after {} frames at {:.2f} s; the container claims {:.2f} s", facts.frames, end, facts.duration);
}

std::vector<std::string> warnings_of(const std::string& path, const ClipFacts& facts) {
  std::vector<std::string> warnings;
  if (facts.damaged > 0)
    warnings.push_back(fmt::format("{}: {} of {} frames are damaged", path, facts.damaged, facts.frames));
  if (facts.errors > 0) warnings.push_back(fmt::format("{}: {} packets could not be decoded", path, facts.errors));
  if (const std::string text = shortfall_of(facts); !text.empty()) warnings.push_back(fmt::format("{}: {}", path, text));
  if (facts.motionless) {
    warnings.push_back(fmt::format("{}: no frame carries motion vectors; its motion input is zero", path));
  }
  return warnings;
}

}  // namespace

ClipInput read_clip(const ClipRequest& request, const std::stop_token& stop) {
  const std::string key = key_of(request, request.motion && request.preprocess.motion == "mv");
  const std::optional<ClipFacts> known = key.empty() ? std::nullopt : facts_memory().find(key);
  ClipFacts facts = known.value_or(ClipFacts{});
  Pass pass;
  if (!known) {
    pass = run(request, 0, false, stop);
    facts = pass.facts;
    if (!key.empty()) facts_memory().keep(key, facts);
  }
  if (facts.frames == 0) fail_data("{}: no frame could be decoded", request.path);
  if (!pass.inputs) pass = run(request, facts.frames, true, stop);
  if (!pass.inputs) {
    facts_memory().forget(key);
    fail_data("{}: ended before frame {}; it had {} frames before", request.path, pass.facts.frames, facts.frames);
  }
  return {std::move(*pass.inputs), std::move(pass.sampled), facts.frames, facts.damaged, warnings_of(request.path, facts)};
}

}  // namespace actio::data
