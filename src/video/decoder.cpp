#include "video/decoder.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "core/error.h"
#include "core/time_limit.h"
#include "video/frame_source.h"
#include "video/input.h"

namespace actio::video {

struct Decoder::Impl {
  Impl(const Source& from, const DecoderOptions& wanted, const std::stop_token& stop)
      : options(wanted), input(from, {.max_pixels = wanted.max_pixels, .stop = stop}) {
    if (options.vectors_optional && !input.info().carries_vectors) options.vectors = false;
    if (options.vectors) require_vectors(input.info());
    source.emplace(input, options, counters);
  }

  void select(Selection chosen);
  std::optional<std::int64_t> exact_frames();
  std::optional<std::vector<double>> exact_times();
  std::optional<std::int64_t> exact_longest_group();
  std::optional<Frame> next();

  void scan();
  void start();
  void decode_through();
  std::optional<Frame> next_wanted();
  std::optional<Frame> next_of_all();
  bool is_wrong(const Frame& frame) const;

  // Calls `work`, for which the time is limited.
  template <class Work>
  auto timed(const Work& work) {
    return limit->run(input.info().path, [&](const std::stop_token&) { return work(); });
  }

  std::unique_ptr<TimeLimit> limit;  // whose token the input has
  DecoderOptions options;
  Input input;
  DecodeCounters counters;
  bool started = false, scanned = false;
  std::optional<FrameIndex> index;
  std::optional<Selection> selection;
  std::optional<FramePlan> plan;  // absent where all frames are decoded
  std::optional<FrameSource> source;
  std::size_t given = 0;  // of the plan's frames
  std::int64_t last_given = -1;
  std::optional<Frame> carrier, waiting;  // without a plan: the last frame with vectors; the one that comes after it
};

void Decoder::Impl::scan() {
  if (std::exchange(scanned, true) || started || !FrameIndex::can_build(input)) return;
  index = FrameIndex::build(input, counters.scanned);
}

void Decoder::Impl::select(Selection chosen) {
  const std::string& path = input.info().path;
  if (started) fail_usage("{}: frames were selected after the first one was read", path);
  auto& frames = chosen.frames;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const std::int64_t before = i == 0 ? 0 : frames[i - 1];
    if (frames[i] < before) fail_usage("{}: frame {} was selected behind frame {}", path, frames[i], before);
  }
  frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
  selection = std::move(chosen);
}

std::optional<std::int64_t> Decoder::Impl::exact_frames() {
  scan();
  return index ? std::optional(index->frames()) : std::nullopt;
}

std::optional<std::vector<double>> Decoder::Impl::exact_times() {
  scan();
  if (!index) return std::nullopt;
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(index->frames()));
  const double tick = av_q2d(input.stream().time_base);
  for (std::int64_t i = 0; i < index->frames(); ++i)
    times.push_back(static_cast<double>(index->frame(i).pts - index->frame(0).pts) * tick);
  return times;
}

std::optional<std::int64_t> Decoder::Impl::exact_longest_group() {
  scan();
  if (!index) return std::nullopt;
  std::int64_t longest = 0, end = index->frames();
  for (auto point = index->restarts().rbegin(); point != index->restarts().rend(); ++point) {
    longest = std::max(longest, end - point->display);
    end = point->display;
  }
  return longest;
}

// Decides how to decode; called once, before the first frame.
void Decoder::Impl::start() {
  if (started) return;
  // A scan costs more than it can save there.
  const bool saves = selection && !(selection->frames.size() > 0 && input.needs_every_packet(selection->frames.back()));
  if (saves) scan();
  started = true;
  if (!selection || !index) {
    if (scanned && counters.scanned > 0) input.reopen();
    if (selection && !selection->carry) source->read_vectors_of(selection->frames);
    return;
  }
  auto& frames = selection->frames;
  frames.erase(std::ranges::lower_bound(frames, index->frames()), frames.end());
  const auto kind = options.vectors ? std::optional(vector_kind(input.stream().codecpar->codec_id)) : std::nullopt;
  plan.emplace(*index, frames, kind, selection->carry);
  source->follow(*index, *plan);
}

// Starts over and decodes everything; what was handed out before does not come again.
void Decoder::Impl::decode_through() {
  input.reopen();
  source.emplace(input, options, counters);
  plan.reset();
  if (!selection->carry) source->read_vectors_of(selection->frames);
}

// A frame was missed, or one whose type promises vectors has none, so that another one has to be carried.
bool Decoder::Impl::is_wrong(const Frame& frame) const {
  if (frame.index > plan->wanted()[given]) return true;
  return selection->carry && frame.vectors.empty() && plan->expects_vectors(frame.index);
}

std::optional<Frame> Decoder::Impl::next_wanted() {
  while (plan && given < plan->wanted().size()) {
    auto frame = source->next();
    if (frame && frame->index < plan->wanted()[given]) continue;
    if (!frame || is_wrong(*frame)) {
      decode_through();
      break;
    }
    ++given;
    last_given = frame->index;
    return frame;
  }
  return plan ? std::nullopt : next_of_all();
}

std::optional<Frame> Decoder::Impl::next_of_all() {
  if (waiting) return std::exchange(waiting, std::nullopt);
  const auto& frames = selection->frames;
  if (frames.empty() || last_given >= frames.back()) return std::nullopt;
  while (auto frame = source->next()) {
    const bool wanted = frame->index > last_given && std::ranges::binary_search(frames, frame->index);
    const bool carries = selection->carry && !frame->vectors.empty();
    if (wanted) {
      last_given = frame->index;
      if (carries) carrier.reset();
      if (!carrier) return frame;
      waiting = std::move(frame);
      return std::exchange(carrier, std::nullopt);
    }
    if (carries && frame->index > last_given) carrier = std::move(frame);
  }
  return std::nullopt;
}

std::optional<Frame> Decoder::Impl::next() {
  start();
  return selection ? next_wanted() : source->next();
}

Decoder::Decoder(const Source& source, const DecoderOptions& options, const std::stop_token& stop) {
  auto limit = std::make_unique<TimeLimit>(options.max_seconds, stop);
  impl_ = limit->run(source.name(), [&](const std::stop_token& token) { return std::make_unique<Impl>(source, options, token); });
  impl_->limit = std::move(limit);
}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

const StreamInfo& Decoder::info() const { return impl_->input.info(); }
const DecodeCounters& Decoder::counters() const { return impl_->counters; }

std::optional<Frame> Decoder::next() {
  return impl_->timed([&] { return impl_->next(); });
}
void Decoder::select(Selection selection) { impl_->select(std::move(selection)); }
std::optional<std::int64_t> Decoder::exact_frames() {
  return impl_->timed([&] { return impl_->exact_frames(); });
}
std::optional<std::vector<double>> Decoder::exact_times() {
  return impl_->timed([&] { return impl_->exact_times(); });
}
std::optional<std::int64_t> Decoder::exact_longest_group() {
  return impl_->timed([&] { return impl_->exact_longest_group(); });
}

std::string no_vectors_fact(const StreamInfo& info) {
  std::string name = info.codec_long_name.substr(0, info.codec_long_name.find(" /"));
  if (info.codec == "hevc" || info.codec == "vp8" || info.codec == "vp9" || info.codec == "av1") {
    name = info.codec;
    for (char& letter : name) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return name + " carries no motion vectors that can be read";
}

std::string no_vectors_reason(const StreamInfo& info) {
  return no_vectors_fact(info) + "; take estimated ones (--vectors any), another motion source (rgbdiff or flow) or transcode to H.264";
}

void require_vectors(const StreamInfo& info) {
  if (!info.carries_vectors) fail_data("{}: {}", info.path, no_vectors_reason(info));
}

}  // namespace actio::video
