#include "data/clip_reader.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "data/clip_facts.h"
#include "data/flow_cache.h"
#include "data/flow_file.h"
#include "data/snippet.h"
#include "data/view_assembler.h"
#include "motion/flow_stream.h"
#include "motion/vector_stream.h"
#include "video/decoder.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr std::int64_t kMostFrames = 100'000'000;  // a container that claims more is not believed

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

bool reads_vectors(const ClipRequest& request) { return request.motion && request.preprocess.motion == "mv"; }

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

CropFn crop_of(const ClipRequest& request, std::int64_t crop, std::uint64_t seed) {
  return [&request, crop, seed](int width, int height) {
    if (!request.augment) {
      return view_crops(request.crops, width, height, request.preprocess).at(static_cast<std::size_t>(crop));
    }
    Rng rng(seed);
    return random_crop(width, height, request.preprocess, rng, request.crop);
  };
}

// The motion field of each frame, as far as it is needed.
class FieldSource {
 public:
  explicit FieldSource(const ClipRequest& request)
      : motion_(request.motion ? request.preprocess.motion : "none"), vectors_(request.preprocess.key_frames == "carry") {
    if (motion_ == "flow") flow_.emplace(motion::flow_settings(request.preprocess), request.flow_threads);
  }

  // To be called for each frame in turn, up to the last that `assembler` needs.
  Tensor field(const video::Frame& frame, const ViewAssembler& assembler) {
    if (motion_ == "mv") return vectors_.field(frame);
    if (!flow_) return {};
    if (assembler.needs_field(frame.index)) return flow_->field(frame);
    if (assembler.needs_field(frame.index + 1)) flow_->see(frame);
    return {};
  }

 private:
  std::string motion_;
  motion::VectorStream vectors_;
  std::optional<motion::FlowStream> flow_;
};

// What gathers the inputs of the snippets of a clip of `frames` frames; fills `sampled`.
ViewAssembler gather(const ClipRequest& request, std::int64_t frames, std::vector<std::int64_t>& sampled) {
  Rng rng(request.seed, request.stream);
  const std::uint64_t crop_seed = rng.next();
  std::vector<SnippetAssembler> views;
  sampled.clear();
  for (const View& view : request.views) {
    const auto of_view = sample_segments(frames, request.segments, request.sampling, rng, view.place);
    sampled.insert(sampled.end(), of_view.begin(), of_view.end());
    views.emplace_back(SnippetPlan{of_view, frames, request.rgb, request.motion}, request.preprocess,
                       crop_of(request, view.crop, crop_seed));
  }
  return ViewAssembler(std::move(views));
}

// What one run over the file gave.
struct Pass {
  ClipFacts facts;                  // of the whole clip where it was run to its end
  std::optional<TensorMap> inputs;  // where the number of frames was right
  std::vector<std::int64_t> sampled;
};

// Shows the frames that `decoder` gives to `assembler`, which may be null, to their end or until it has what it needs.
// Returns: what was seen.
ClipFacts decode(const ClipRequest& request, video::Decoder& decoder, ViewAssembler* assembler, bool only_needed,
                 const std::stop_token& stop) {
  FieldSource fields(request);
  std::int64_t seen = 0;
  double last_time = 0;
  bool moves = false;
  while (!(only_needed && assembler->complete())) {
    if (stop.stop_requested()) fail(ErrorCode::kInterrupted, "{}: reading was stopped", request.path);
    const std::optional<video::Frame> frame = decoder.next();
    if (!frame) break;
    seen = frame->index + 1;
    last_time = std::max(last_time, frame->time_seconds);
    moves = moves || !frame->vectors.empty();
    if (assembler && frame->index <= assembler->last_frame()) assembler->push(*frame, fields.field(*frame, *assembler));
  }
  ClipFacts facts = facts_of(decoder, seen, last_time);
  facts.motionless = reads_vectors(request) && !moves;
  return facts;
}

bool carries(const ClipRequest& request) { return reads_vectors(request) && request.preprocess.key_frames == "carry"; }

// Runs over the clip, of which it is certain that it has `frames` frames, and decodes no more than what is needed.
Pass run_sparse(const ClipRequest& request, video::Decoder& decoder, std::int64_t frames, const std::stop_token& stop) {
  Pass pass;
  ViewAssembler assembler = gather(request, frames, pass.sampled);
  decoder.select({assembler.needed_frames(), carries(request)});
  pass.facts = decode(request, decoder, &assembler, true, stop);
  if (!assembler.complete()) return pass;
  ClipFacts& facts = pass.facts;
  if (facts.frames > 1) facts.last_time *= static_cast<double>(frames - 1) / static_cast<double>(facts.frames - 1);
  // Where no vectors were looked for behind the frames that were needed, other frames may have some.
  facts.motionless = facts.motionless && carries(request);
  facts.frames = frames;
  pass.inputs = assembler.take();
  return pass;
}

// Runs over the whole clip to count its frames, taking it to have as many as the container claims.
Pass run_whole(const ClipRequest& request, video::Decoder& decoder, const std::stop_token& stop) {
  const std::int64_t claimed = decoder.info().frames_claimed;
  Pass pass;
  std::optional<ViewAssembler> assembler;
  if (claimed > 0 && claimed < kMostFrames) assembler.emplace(gather(request, claimed, pass.sampled));
  pass.facts = decode(request, decoder, assembler ? &*assembler : nullptr, false, stop);
  if (pass.facts.frames == claimed && assembler && assembler->complete()) pass.inputs = assembler->take();
  return pass;
}

video::Decoder open(const ClipRequest& request, const std::stop_token& stop) {
  return video::Decoder(request.path, {.vectors = reads_vectors(request), .threads = request.decoder_threads, .stop = stop});
}

// The first run over a clip: sparse where its packets tell the number of frames, else through.
Pass run_first(const ClipRequest& request, const std::stop_token& stop) {
  video::Decoder decoder = open(request, stop);
  const std::optional<std::int64_t> frames = decoder.exact_frames();
  if (!frames || *frames < 1) return run_whole(request, decoder, stop);
  Pass pass = run_sparse(request, decoder, *frames, stop);
  if (pass.inputs) return pass;
  video::Decoder again = open(request, stop);
  return run_whole(request, again, stop);
}

// Folders that could not be written to. They are not tried again: a whole clip's flow is too much work to be thrown away.
class FullFolders {
 public:
  bool contains(const std::string& folder) const {
    const std::lock_guard lock(mutex_);
    return folders_.contains(folder);
  }
  // Returns: whether it is new.
  bool add(const std::string& folder) {
    const std::lock_guard lock(mutex_);
    return folders_.insert(folder).second;
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> folders_;
};

FullFolders& full_folders() {
  static FullFolders folders;
  return folders;
}

// The clip's motion comes from a flow file, and its pixels, where they are needed at all, from the video.
ClipInput read_with_flow_file(const ClipRequest& request, const fs::path& path, const std::stop_token& stop) {
  const FlowFile flow(path);
  require_parameters(flow, path, request.preprocess);
  const ClipFacts& facts = flow.header().facts;
  ClipInput clip{{}, {}, facts.frames, facts.damaged, warnings_of(request.path, facts)};
  ViewAssembler assembler = gather(request, facts.frames, clip.sampled);
  for (const std::int64_t index : assembler.missing_fields()) {
    const MotionImage field = flow.field(index);
    assembler.push_flow(index, field.image, field.frame_width, field.frame_height);
  }
  if (!assembler.complete()) {
    video::Decoder decoder(request.path, {.threads = request.decoder_threads, .stop = stop});
    decoder.select({assembler.needed_frames(), false});
    const ClipFacts seen = decode(request, decoder, &assembler, true, stop);
    if (!assembler.complete()) {
      fail_data("{}: ended after {} frames; it had {} when its flow was computed", request.path, seen.frames, facts.frames);
    }
  }
  clip.inputs = assembler.take();
  return clip;
}

// Computes what the cache lacks, and what is damaged there. Empty where the cache cannot be written to. Adds to `warnings`.
std::optional<ClipInput> read_with_cache(const ClipRequest& request, std::vector<std::string>& warnings,
                                         const std::stop_token& stop) {
  const fs::path path = flow_path(request.flow_cache, request.path);
  if (fs::exists(path)) {
    try {
      return read_with_flow_file(request, path, stop);
    } catch (const FlowFileDamage& damage) {
      warnings.push_back(fmt::format("{}; it is computed anew", damage.what()));
    }
  }
  if (full_folders().contains(request.flow_cache)) return {};
  try {
    make_cache_folder(request.flow_cache);
    extract_flow({request.path, path, request.preprocess, request.flow_threads}, stop);
  } catch (const FlowStoreError& error) {
    if (full_folders().add(request.flow_cache)) {
      warnings.push_back(fmt::format("{}; flow that is not kept there is computed each time", error.what()));
    }
    return {};
  }
  return read_with_flow_file(request, path, stop);
}

ClipInput read_without_cache(const ClipRequest& request, const std::stop_token& stop) {
  const std::string key = key_of(request, reads_vectors(request));
  std::optional<ClipFacts> facts = key.empty() ? std::nullopt : facts_memory().find(key);
  Pass pass;
  if (!facts) {
    pass = run_first(request, stop);
    facts = pass.facts;
    if (!key.empty()) facts_memory().keep(key, *facts);
  }
  if (facts->frames == 0) fail_data("{}: no frame could be decoded", request.path);
  if (!pass.inputs) {
    video::Decoder decoder = open(request, stop);
    pass = run_sparse(request, decoder, facts->frames, stop);
    // Damage where no earlier reading looked.
    if (facts->damaged == 0 && facts->errors == 0 && pass.facts.damaged + pass.facts.errors > 0) {
      facts->damaged = pass.facts.damaged;
      facts->errors = pass.facts.errors;
      if (!key.empty()) facts_memory().keep(key, *facts);
    }
  }
  if (!pass.inputs) {
    facts_memory().forget(key);
    fail_data("{}: ended before frame {}; it had {} frames before", request.path, pass.facts.frames, facts->frames);
  }
  return {std::move(*pass.inputs), std::move(pass.sampled), facts->frames, facts->damaged, warnings_of(request.path, *facts)};
}

}  // namespace

ClipInput read_clip(const ClipRequest& request, const std::stop_token& stop) {
  if (request.motion) check_motion(request.preprocess.motion);
  check_views(request.views, request.crops, request.preprocess);
  const bool flow = request.motion && request.preprocess.motion == "flow";
  if (!flow || request.flow_cache.empty()) return read_without_cache(request, stop);
  std::vector<std::string> warnings;
  std::optional<ClipInput> clip = read_with_cache(request, warnings, stop);
  if (!clip) clip = read_without_cache(request, stop);
  clip->warnings.insert(clip->warnings.begin(), warnings.begin(), warnings.end());
  return std::move(*clip);
}

}  // namespace actio::data
