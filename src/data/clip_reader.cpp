#include "data/clip_reader.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/time_limit.h"
#include "data/clip_facts.h"
#include "data/field_source.h"
#include "data/flow_cache.h"
#include "data/flow_file.h"
#include "data/snippet.h"
#include "data/view_assembler.h"
#include "video/decoder.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr std::int64_t kMostClaimed = 100'000'000;  // a container that claims more is not believed

motion::FlowSettings flow_settings_of(const ClipRequest& request) { return motion::flow_settings(*request.inputs.find(InputKind::kFlow)); }

CropFn crop_of(const ClipRequest& request, std::int64_t crop, std::uint64_t seed) {
  return [&request, crop, seed](int width, int height) {
    if (!request.augment) {
      return view_crops(request.crops, width, height, request.inputs.framing).at(static_cast<std::size_t>(crop));
    }
    Rng rng(seed);
    return random_crop(width, height, request.inputs.framing, rng, request.crop);
  };
}

// What gathers the inputs of the snippets of a clip of `frames` frames; fills `sampled`.
ViewAssembler gather(const ClipRequest& request, std::int64_t frames, const FrameTimes& times, std::vector<std::int64_t>& sampled) {
  Rng rng(request.seed, request.stream);
  const std::uint64_t crop_seed = rng.next();
  std::vector<SnippetAssembler> views;
  sampled.clear();
  for (const View& view : request.views) {
    const auto of_view = sample(times, frames, request.segments, request.sampling, rng, view.place);
    sampled.insert(sampled.end(), of_view.begin(), of_view.end());
    views.emplace_back(SnippetPlan{of_view, frames}, request.inputs.list, crop_of(request, view.crop, crop_seed));
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
  FieldSource source(request.inputs, request.flow_threads);
  std::int64_t seen = 0;
  double last_time = 0;
  std::vector<std::int64_t> times;
  bool moves = false;
  while (!(only_needed && assembler->complete())) {
    if (stop.stop_requested()) fail(ErrorCode::kInterrupted, "{}: reading was stopped", request.path);
    const std::optional<video::Frame> frame = decoder.next();
    if (!frame) break;
    seen = frame->index + 1;
    last_time = std::max(last_time, frame->time_seconds);
    if (!only_needed) times.push_back(to_microseconds(frame->time_seconds));
    moves = moves || !frame->vectors.empty();
    if (!assembler || frame->index > assembler->last_frame()) continue;
    FrameFields fields{source.codec_vectors(*frame), {}};
    source.compute(*frame, [&](InputKind kind, std::int64_t index) { return assembler->needs_field(kind, index); }, fields);
    assembler->push(*frame, fields);
  }
  ClipFacts facts = facts_of(decoder, seen, last_time);
  facts.motionless = reads_vectors(request.inputs) && !moves;
  facts.times = frame_times(std::move(times));
  return facts;
}

// Runs over the clip, of which it is certain that it has `frames` frames at these times, and decodes no more than what is needed.
Pass run_sparse(const ClipRequest& request, video::Decoder& decoder, std::int64_t frames, const FrameTimes& times,
                const std::stop_token& stop) {
  Pass pass;
  ViewAssembler assembler = gather(request, frames, times, pass.sampled);
  decoder.select({assembler.needed_frames(), carries_vectors_over(request.inputs)});
  pass.facts = decode(request, decoder, &assembler, true, stop);
  if (!assembler.complete()) return pass;
  ClipFacts& facts = pass.facts;
  // Where no vectors were looked for behind the frames that were needed, other frames may have some.
  facts.motionless = facts.motionless && carries_vectors_over(request.inputs);
  facts.frames = frames;
  facts.times = times;
  pass.inputs = assembler.take();
  return pass;
}

// Runs over the whole clip to count its frames, taking it to have as many as the container claims, and a constant rate.
Pass run_whole(const ClipRequest& request, video::Decoder& decoder, const std::stop_token& stop) {
  const std::int64_t claimed = decoder.info().frames_claimed;
  Pass pass;
  std::optional<ViewAssembler> assembler;
  if (claimed > 0 && claimed < kMostClaimed) assembler.emplace(gather(request, claimed, {}, pass.sampled));
  pass.facts = decode(request, decoder, assembler ? &*assembler : nullptr, false, stop);
  const bool as_claimed = pass.facts.frames == claimed && pass.facts.times.microseconds.empty();
  if (as_claimed && assembler && assembler->complete()) pass.inputs = assembler->take();
  return pass;
}

video::Decoder open(const ClipRequest& request, const std::stop_token& stop) {
  const video::DecoderOptions options = {.vectors = reads_vectors(request.inputs), .threads = request.decoder_threads,
                                         .max_pixels = request.limits.max_pixels};
  return video::Decoder(request.source ? *request.source : video::Source(request.path), options, stop);
}

// The first run over a clip: sparse where its packets tell its frames and their times, else through.
Pass run_first(const ClipRequest& request, const std::stop_token& stop) {
  video::Decoder decoder = open(request, stop);
  const std::optional<std::vector<double>> seconds = decoder.exact_times();
  if (!seconds || seconds->empty()) return run_whole(request, decoder, stop);
  std::vector<std::int64_t> times;
  std::ranges::transform(*seconds, std::back_inserter(times), to_microseconds);
  const auto frames = static_cast<std::int64_t>(times.size());
  Pass pass = run_sparse(request, decoder, frames, frame_times(std::move(times)), stop);
  pass.facts.last_time = std::ranges::max(*seconds);
  if (pass.inputs) return pass;
  video::Decoder again = open(request, stop);
  return run_whole(request, again, stop);
}

// When the frames of a clip are seen, where its flow file is older than the question. Without what it says nothing but frames are
// left.
FrameTimes times_of_video(ClipRequest request, std::int64_t frames, ClipMemory& memory, const std::stop_token& stop) {
  request.inputs.list.clear();
  std::optional<ClipFacts> facts = memory.find(request.path, false);
  if (!facts) {
    try {
      facts = run_first(request, stop).facts;
      memory.keep(request.path, false, *facts);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadData) throw;
      return {};
    }
  }
  return facts->frames == frames ? facts->times : FrameTimes();
}

// The clip's motion comes from a flow file, and its pixels, where they are needed at all, from the video.
ClipInput read_with_flow_file(const ClipRequest& request, const fs::path& path, ClipMemory& memory, const std::stop_token& stop) {
  const FlowFile flow(path);
  require_parameters(flow, path, flow_settings_of(request));
  ClipFacts facts = flow.header().facts;
  if (!flow.header().has_times) facts.times = times_of_video(request, facts.frames, memory, stop);
  ClipInput clip{{}, {}, facts.frames, facts.damaged, warnings_of(request.path, facts)};
  ViewAssembler assembler = gather(request, facts.frames, facts.times, clip.sampled);
  for (const std::int64_t index : assembler.missing_flow()) {
    const MotionImage field = flow.field(index);
    assembler.push_flow(index, field.image, field.frame_width, field.frame_height);
  }
  if (!assembler.complete()) {
    video::Decoder decoder = open(request, stop);
    decoder.select({assembler.needed_frames(), carries_vectors_over(request.inputs)});
    const ClipFacts seen = decode(request, decoder, &assembler, true, stop);
    if (!assembler.complete()) {
      fail_data("{}: ended after {} frames; it had {} when its flow was computed", request.path, seen.frames, facts.frames);
    }
  }
  clip.inputs = assembler.take();
  return clip;
}

// Computes what the cache lacks, and what is damaged there. Empty where the cache cannot be written to. Adds to `warnings`.
std::optional<ClipInput> read_with_cache(const ClipRequest& request, ClipMemory& memory, std::vector<std::string>& warnings,
                                         const std::stop_token& stop) {
  const fs::path path = flow_path(request.flow_cache, request.path);
  if (path_exists(path)) {
    try {
      return read_with_flow_file(request, path, memory, stop);
    } catch (const FlowFileDamage& damage) {
      warnings.push_back(fmt::format("{}; it is computed anew", damage.what()));
    }
  }
  if (memory.is_resting(request.flow_cache)) return {};
  try {
    make_cache_folder(request.flow_cache);
    // The time is that of the whole reading, which is counted already.
    extract_flow({.video = request.path, .target = path, .settings = flow_settings_of(request), .threads = request.flow_threads,
                  .limits = {.max_pixels = request.limits.max_pixels}}, stop);
    memory.wake(request.flow_cache);
  } catch (const FlowStoreError& error) {
    if (memory.rest(request.flow_cache)) {
      warnings.push_back(fmt::format("{}; flow that is not kept there is computed each time", error.what()));
    }
    return {};
  }
  return read_with_flow_file(request, path, memory, stop);
}

ClipInput read_without_cache(const ClipRequest& request, ClipMemory& memory, const std::stop_token& stop) {
  const bool vectors = reads_vectors(request.inputs);
  std::optional<ClipFacts> facts = memory.find(request.path, vectors);
  Pass pass;
  if (!facts) {
    pass = run_first(request, stop);
    facts = pass.facts;
    memory.keep(request.path, vectors, *facts);
  }
  if (facts->frames == 0) fail_data("{}: no frame could be decoded", request.path);
  if (!pass.inputs) {
    video::Decoder decoder = open(request, stop);
    pass = run_sparse(request, decoder, facts->frames, facts->times, stop);
    // Damage where no earlier reading looked.
    if (facts->damaged == 0 && facts->errors == 0 && pass.facts.damaged + pass.facts.errors > 0) {
      facts->damaged = pass.facts.damaged;
      facts->errors = pass.facts.errors;
      memory.keep(request.path, vectors, *facts);
    }
  }
  if (!pass.inputs) {
    memory.forget(request.path, vectors);
    fail_data("{}: ended before frame {}; it had {} frames before", request.path, pass.facts.frames, facts->frames);
  }
  return {std::move(*pass.inputs), std::move(pass.sampled), facts->frames, facts->damaged, warnings_of(request.path, *facts)};
}

ClipInput read_decided(const ClipRequest& request, ClipMemory& memory, const std::stop_token& stop) {
  if (request.source) {
    ClipMemory nothing;
    return read_without_cache(request, nothing, stop);
  }
  if (!request.inputs.has(InputKind::kFlow) || request.flow_cache.empty()) return read_without_cache(request, memory, stop);
  std::vector<std::string> warnings;
  std::optional<ClipInput> clip = read_with_cache(request, memory, warnings, stop);
  if (!clip) clip = read_without_cache(request, memory, stop);
  clip->warnings.insert(clip->warnings.begin(), warnings.begin(), warnings.end());
  return std::move(*clip);
}

ClipRequest with_vectors(ClipRequest request, VectorSource source) {
  for (InputSpec& input : request.inputs.list) {
    if (input.kind == InputKind::kVectors) input.vectors = source;
  }
  return request;
}

video::StreamInfo info_of(const ClipRequest& request, const std::stop_token& stop) {
  const video::DecoderOptions options = {.vectors = true, .vectors_optional = true, .max_pixels = request.limits.max_pixels};
  return video::Decoder(request.source ? *request.source : video::Source(request.path), options, stop).info();
}

// The codec's vectors are asked for first, so that a video that has some is opened once.
ClipInput read_untimed(const ClipRequest& request, ClipMemory& memory, const std::stop_token& stop) {
  const InputSpec* vectors = request.inputs.find(InputKind::kVectors);
  if (vectors == nullptr || vectors->vectors != VectorSource::kAny) return read_decided(request, memory, stop);
  std::string fact;
  try {
    return read_decided(with_vectors(request, VectorSource::kCodec), memory, stop);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadData) throw;
    const video::StreamInfo info = info_of(request, stop);
    if (info.carries_vectors) throw;
    fact = video::no_vectors_fact(info);
  }
  ClipInput clip = read_decided(with_vectors(request, VectorSource::kEstimated), memory, stop);
  clip.warnings.insert(clip.warnings.begin(), fmt::format("{}: {}: estimated from the pictures", request.path, fact));
  return clip;
}

}  // namespace

ClipRequest request_for(const Inputs& inputs, std::int64_t segments) {
  ClipRequest request;
  request.segments = segments;
  request.inputs = inputs;
  return request;
}

ClipInput read_clip(const ClipRequest& request, ClipMemory& memory, const std::stop_token& stop) {
  check_inputs(request.inputs);
  check_views(request.views, request.crops, request.inputs.framing);
  TimeLimit limit(request.limits.max_seconds, stop);
  return limit.run(request.path, [&](const std::stop_token& token) { return read_untimed(request, memory, token); });
}

ClipInput read_clip(const ClipRequest& request, const std::stop_token& stop) {
  ClipMemory memory;
  return read_clip(request, memory, stop);
}

}  // namespace actio::data
