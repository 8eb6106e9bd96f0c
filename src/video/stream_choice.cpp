#include "video/stream_choice.h"

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace actio::video {
namespace {

constexpr std::int64_t kManyTimes = 10;  // as many frames as a track of still pictures has

bool is_attached(const AVStream& stream) {
  constexpr int kStill = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS;
  return (stream.disposition & kStill) != 0;
}

// Codecs of pictures, of which some are used for videos, too.
bool is_picture_codec(AVCodecID id) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(id);
  return descriptor && descriptor->type == AVMEDIA_TYPE_VIDEO && descriptor->mime_types != nullptr;
}

struct Candidate {
  const AVStream* stream;
  int track;
  std::int64_t frames;  // 0: unknown
};

}  // namespace

StreamChoice choose_stream(const AVFormatContext& format, const std::vector<std::int64_t>& packets) {
  StreamChoice choice;
  std::vector<Candidate> candidates;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVStream& stream = *format.streams[i];
    if (stream.codecpar->codec_type != AVMEDIA_TYPE_VIDEO) continue;
    ++choice.tracks;
    if (is_attached(stream)) continue;
    const std::int64_t counted = i < packets.size() ? packets[i] : 0;
    candidates.push_back({&stream, choice.tracks, std::max({std::int64_t{0}, stream.nb_frames, counted})});
  }
  std::int64_t most = 0;
  for (const Candidate& candidate : candidates) most = std::max(most, candidate.frames);
  const bool compared = candidates.size() > 1;
  const auto rank = [&](const Candidate& candidate) {
    const AVStream& stream = *candidate.stream;
    const bool pictures = is_picture_codec(stream.codecpar->codec_id);
    // What has no packets where others have some is empty.
    const bool moves = candidate.frames > 1 || (candidate.frames == 0 && most == 0 && !pictures);
    const bool few = pictures && candidate.frames * kManyTimes <= most;
    const std::int64_t area = static_cast<std::int64_t>(stream.codecpar->width) * stream.codecpar->height;
    const bool decodable = area > 0 && avcodec_find_decoder(stream.codecpar->codec_id) != nullptr;
    return std::tuple{decodable, moves && !few, (stream.disposition & AV_DISPOSITION_DEFAULT) != 0, area};
  };
  const Candidate* best = nullptr;
  for (const Candidate& candidate : candidates) {
    if (!best || rank(candidate) > rank(*best)) best = &candidate;
  }
  if (!best) return choice;
  choice.stream = best->stream->index;
  choice.track = best->track;
  choice.settled = !compared || !packets.empty() ||
                   std::ranges::all_of(candidates, [](const Candidate& candidate) { return candidate.frames > 0; });
  return choice;
}

}  // namespace actio::video
