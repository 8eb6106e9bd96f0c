#include "data/file_facts.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "video/decoder.h"

namespace actio::data {
namespace {

// The frame that is shown at each place. Units: seconds; `times` is not empty.
std::array<std::int64_t, kGlimpses> frames_at(const std::vector<double>& times, double length) {
  std::array<std::int64_t, kGlimpses> frames{};
  for (std::size_t i = 0; i < kGlimpses; ++i) {
    const auto after = std::ranges::upper_bound(times, kGlimpsePlaces[i] * length);
    frames[i] = std::max<std::int64_t>(0, after - times.begin() - 1);
  }
  return frames;
}

// The last frame is shown as long as the others.
double length_of(const std::vector<double>& times) {
  const auto count = static_cast<double>(times.size());
  return times.size() > 1 ? times.back() * count / (count - 1) : 0;
}

struct Pictures {
  std::vector<double> times;
  std::int64_t longest_group = 0;
  std::map<std::int64_t, GlimpsePicture> of_frame;
};

Pictures wanted_pictures(video::Decoder& decoder, std::vector<double> times) {
  Pictures result{std::move(times), decoder.exact_longest_group().value_or(0), {}};
  const auto wanted = frames_at(result.times, length_of(result.times));
  decoder.select({{wanted.begin(), wanted.end()}});
  while (const auto frame = decoder.next()) result.of_frame[frame->index] = shrink(frame->grey());
  return result;
}

// Decodes everything and keeps every frame, every second, fourth, ..., so that memory is bound and the places are met
// nearly.
Pictures all_pictures(video::Decoder& decoder) {
  constexpr std::size_t kMostKept = 96;
  Pictures result;
  std::int64_t step = 1, last_key = 0;
  while (const auto frame = decoder.next()) {
    result.times.push_back(std::max(frame->time_seconds, result.times.empty() ? 0.0 : result.times.back()));
    if (frame->key) last_key = frame->index;
    result.longest_group = std::max(result.longest_group, frame->index + 1 - last_key);
    if (frame->index % step == 0) result.of_frame[frame->index] = shrink(frame->grey());
    if (result.of_frame.size() > kMostKept) {
      step *= 2;
      std::erase_if(result.of_frame, [step](const auto& entry) { return entry.first % step != 0; });
    }
  }
  return result;
}

const GlimpsePicture& nearest(const std::map<std::int64_t, GlimpsePicture>& pictures, std::int64_t frame,
                              std::int64_t& found) {
  auto at = pictures.lower_bound(frame);
  if (at == pictures.end() ||
      (at->first != frame && at != pictures.begin() && frame - std::prev(at)->first < at->first - frame))
    --at;
  found = at->first;
  return at->second;
}

Glimpse glimpse_from(const Pictures& pictures) {
  const auto wanted = frames_at(pictures.times, length_of(pictures.times));
  std::array<GlimpsePicture, kGlimpses> chosen;
  std::array<std::int64_t, kGlimpses> found{};
  for (std::size_t i = 0; i < kGlimpses; ++i) chosen[i] = nearest(pictures.of_frame, wanted[i], found[i]);
  return glimpse_of(chosen, found[0] != found[1] && found[1] != found[2]);
}

FileFacts file_facts_of(const std::string& path, const video::StreamInfo& info, const Pictures& pictures) {
  FileFacts facts;
  facts.container = info.container;
  facts.codec = info.codec;
  facts.profile = info.profile;
  facts.pixel_format = info.pixel_format;
  facts.width = info.width;
  facts.height = info.height;
  std::error_code code;
  facts.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, code));
  facts.frames = static_cast<std::int64_t>(pictures.times.size());
  facts.key_distance = pictures.longest_group;
  facts.seconds = pictures.times.size() > 1 ? length_of(pictures.times) : info.duration_seconds;
  // Containers that keep a duration and no rate have it a little off, by the length of the clip.
  facts.frames_per_second = std::round(100 * info.frames_per_second) / 100;
  if (facts.seconds > 0) facts.bits_per_second = 8 * static_cast<double>(facts.bytes) / facts.seconds;
  facts.audio = info.has_audio;
  facts.vectors = info.carries_vectors && (facts.key_distance != 1 || facts.frames < 2);
  return facts;
}

}  // namespace

Json to_json(const FileFacts& facts) {
  return {{"container", facts.container},
          {"codec", facts.codec},
          {"profile", facts.profile},
          {"pixel_format", facts.pixel_format},
          {"width", facts.width},
          {"height", facts.height},
          {"bytes", facts.bytes},
          {"frames", facts.frames},
          {"key_distance", facts.key_distance},
          {"seconds", facts.seconds},
          {"frames_per_second", facts.frames_per_second},
          {"bits_per_second", facts.bits_per_second},
          {"audio", facts.audio},
          {"vectors", facts.vectors},
          {"borders", facts.borders}};
}

ClipLook look_at(const std::string& path, const ReadLimits& limits, const std::stop_token& stop) {
  const video::DecoderOptions options = {.max_pixels = limits.max_pixels, .max_seconds = limits.max_seconds};
  std::optional<video::Decoder> decoder(std::in_place, path, options, stop);
  auto times = decoder->exact_times();
  Pictures pictures = times && !times->empty() ? wanted_pictures(*decoder, std::move(*times)) : all_pictures(*decoder);
  if (pictures.of_frame.empty()) fail_data("{}: no frame can be decoded", path);
  ClipLook look{file_facts_of(path, decoder->info(), pictures), glimpse_from(pictures)};
  look.facts.borders = look.glimpse.borders;
  return look;
}

}  // namespace actio::data
