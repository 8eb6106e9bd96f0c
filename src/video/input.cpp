#include "video/input.h"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/error.h"
#include "video/ffmpeg_compat.h"

namespace actio::video {
namespace {

// FFmpeg reads at most this much to find out what a file is, so that a damaged one cannot hold it up.
constexpr const char* kProbeBytes = "8000000";
constexpr const char* kProbeMicroseconds = "10000000";

void check_file(const std::string& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) fail("{}: no such file", path);
  if (std::filesystem::is_directory(status)) fail("{}: is a directory, a video file was expected", path);
  if (!std::filesystem::is_regular_file(status)) fail("{}: is not a regular file", path);
  if (std::filesystem::file_size(path, code) == 0 && !code) fail_data("{}: is empty", path);
}

std::string codec_name(AVCodecID id) { return avcodec_get_name(id); }

bool is_picture_stream(const AVStream& stream) {
  constexpr int kStill = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS;
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && (stream.disposition & kStill) == 0;
}

// "2 audio streams: aac, mp3" or "no streams"
std::string stream_list(const AVFormatContext& format) {
  std::vector<std::string> parts;
  const auto collect = [&](AVMediaType type, const char* word) {
    std::string names;
    int count = 0;
    for (unsigned i = 0; i < format.nb_streams; ++i) {
      const AVCodecParameters& parameters = *format.streams[i]->codecpar;
      if (parameters.codec_type != type || ++count > 8) continue;
      names += (names.empty() ? "" : ", ") + codec_name(parameters.codec_id);
    }
    if (count > 0) parts.push_back(fmt::format("{} {}{}: {}", count, word, count == 1 ? "" : "s", names));
  };
  collect(AVMEDIA_TYPE_AUDIO, "audio stream");
  collect(AVMEDIA_TYPE_SUBTITLE, "subtitle stream");
  collect(AVMEDIA_TYPE_VIDEO, "attached picture");
  if (parts.empty()) return "no streams that are known";
  std::string text = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) text += "; " + parts[i];
  return text;
}

int clockwise_rotation(const AVStream& stream) {
  const std::int32_t* matrix = display_matrix(stream);
  if (!matrix) return 0;
  const double counter_clockwise = av_display_rotation_get(matrix);
  if (!std::isfinite(counter_clockwise)) return 0;
  const long quarter_turns = std::lround(-counter_clockwise / 90.0);
  return static_cast<int>(((quarter_turns % 4) + 4) % 4) * 90;
}

// Only codecs whose exported vectors the tests compare with a known motion.
bool exports_vectors(AVCodecID id) {
  switch (id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_H263:
    case AV_CODEC_ID_H263P:
    case AV_CODEC_ID_FLV1:
    case AV_CODEC_ID_MSMPEG4V2:
    case AV_CODEC_ID_MSMPEG4V3:
    case AV_CODEC_ID_WMV1:
    case AV_CODEC_ID_WMV2: return true;
    default: return false;
  }
}

}  // namespace

Input::Input(const std::string& path, std::stop_token stop) : stop_(std::move(stop)) {
  info_.path = path;
  silence_ffmpeg();
  check_file(path);
  open();
}

void Input::open() {
  open_format();
  stream_ = choose_stream();
  describe();
}

void Input::reopen() {
  format_.reset();
  io_.reset();
  open();
}

void Input::open_format() {
  const std::string& path = info_.path;
  AVIOContext* io = nullptr;
  // "file:" keeps a colon or a leading dash in the name from being read as a protocol or an option.
  if (const int code = avio_open2(&io, ("file:" + path).c_str(), AVIO_FLAG_READ, nullptr, nullptr); code < 0) {
    fail("{}: cannot be opened: {}", path, ffmpeg_reason(code));
  }
  io_.reset(io);
  AVFormatContext* format = avformat_alloc_context();
  if (!format) fail("{}: no memory to open it", path);
  format->pb = io;
  Dictionary options;
  options.set("probesize", kProbeBytes);
  options.set("analyzeduration", kProbeMicroseconds);
  options.set("max_streams", "64");
  // A playlist or a movie that refers to other files or addresses must not open them.
  options.set("protocol_whitelist", "none");
  int code = avformat_open_input(&format, path.c_str(), nullptr, options.address());  // frees `format` when it fails
  if (code < 0) fail_data("{}: is not a video that can be read: {}", path, ffmpeg_reason(code));
  format_.reset(format);
  info_.container = format_->iformat->name;
  if (info_.container == "tty") fail_data("{}: is not a video that can be read: it is a text file", path);

  std::vector<AVDictionary*> per_stream(format_->nb_streams, nullptr);
  for (auto& entry : per_stream) av_dict_set_int(&entry, "max_pixels", static_cast<std::int64_t>(kMaxSide) * kMaxSide, 0);
  const std::size_t given = per_stream.size();
  code = avformat_find_stream_info(format_.get(), per_stream.data());
  for (std::size_t i = 0; i < given; ++i) av_dict_free(&per_stream[i]);
  if (code < 0) fail_data("{}: is not a video that can be read: {}", path, ffmpeg_reason(code));
}

AVStream* Input::choose_stream() {
  AVStream* best = nullptr;
  const auto rank = [](const AVStream& stream) {
    const std::int64_t area = static_cast<std::int64_t>(stream.codecpar->width) * stream.codecpar->height;
    return std::pair{(stream.disposition & AV_DISPOSITION_DEFAULT) != 0, area};
  };
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* stream = format_->streams[i];
    if (is_picture_stream(*stream) && (!best || rank(*stream) > rank(*best))) best = stream;
  }
  if (!best) fail_data("{}: has no video stream ({})", info_.path, stream_list(*format_));
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (format_->streams[i] != best) format_->streams[i]->discard = AVDISCARD_ALL;
  }
  return best;
}

void Input::describe() {
  const AVCodecParameters& parameters = *stream_->codecpar;
  if (parameters.width > kMaxSide || parameters.height > kMaxSide) {
    fail_data("{}: claims {} x {} pixels, at most {} x {} are read", info_.path, parameters.width, parameters.height,
              kMaxSide, kMaxSide);
  }
  info_.codec = codec_name(parameters.codec_id);
  if (parameters.width <= 0 || parameters.height <= 0) {
    fail_data("{}: is not a video that can be read: its {} stream shows no picture", info_.path, info_.codec);
  }
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(parameters.codec_id);
  info_.codec_long_name = descriptor && descriptor->long_name ? descriptor->long_name : info_.codec;
  info_.rotation_degrees = clockwise_rotation(*stream_);
  const bool upright = info_.rotation_degrees % 180 == 0;
  info_.width = upright ? parameters.width : parameters.height;
  info_.height = upright ? parameters.height : parameters.width;
  const AVRational rate = stream_->avg_frame_rate.num > 0 ? stream_->avg_frame_rate : stream_->r_frame_rate;
  if (rate.num > 0 && rate.den > 0) info_.frames_per_second = av_q2d(rate);
  if (stream_->duration > 0) {
    info_.duration_seconds = static_cast<double>(stream_->duration) * av_q2d(stream_->time_base);
  } else if (format_->duration > 0) {
    info_.duration_seconds = static_cast<double>(format_->duration) / AV_TIME_BASE;
  }
  info_.frames_claimed = std::max<std::int64_t>(0, stream_->nb_frames - hidden_frames());
  info_.carries_vectors = exports_vectors(parameters.codec_id);
}

// MP4's edit lists cut frames off, or leave them in for others to refer to. FFmpeg's index has the latter with a mark.
std::int64_t Input::hidden_frames() const {
  const int entries = avformat_index_get_entries_count(stream_);
  if (!info_.container.starts_with("mov,") || entries == 0 || stream_->nb_frames == 0) return 0;
  std::int64_t shown = 0;
  for (int i = 0; i < entries; ++i) shown += (avformat_index_get_entry(stream_, i)->flags & AVINDEX_DISCARD_FRAME) == 0;
  return std::max<std::int64_t>(0, stream_->nb_frames - shown);
}

int Input::read(AVPacket& packet) {
  for (;;) {
    if (stop_.stop_requested()) fail(ErrorCode::kInterrupted, "{}: reading was stopped", info_.path);
    av_packet_unref(&packet);
    const int code = av_read_frame(format_.get(), &packet);
    if (code < 0 || packet.stream_index == stream_->index) return code;
  }
}

bool Input::can_be_indexed() const {
  const std::string& name = info_.container;
  return seeks_exactly() || name == "mpeg" || name == "mpegvideo" || name == "m4v";
}

bool Input::seeks_exactly() const {
  return info_.container == "avi" || seeks_by_pts() || info_.container.starts_with("mov,");
}

bool Input::seeks_by_pts() const { return info_.container.starts_with("matroska"); }

bool Input::needs_every_packet(std::int64_t last) const {
  const bool lists_all = info_.container == "avi" || info_.container.starts_with("mov,");
  if (!lists_all || stream_->codecpar->video_delay != 0) return false;
  if (avformat_index_get_entries_count(stream_) <= last) return false;
  for (int i = 1; i <= last; ++i) {
    if ((avformat_index_get_entry(stream_, i)->flags & AVINDEX_KEYFRAME) != 0) return false;
  }
  return true;
}

bool Input::seek(std::int64_t time) {
  return seeks_exactly() && av_seek_frame(format_.get(), stream_->index, time, AVSEEK_FLAG_BACKWARD) >= 0;
}

std::int64_t Input::frame_ticks() const {
  const AVRational rate = av_guess_frame_rate(format_.get(), stream_, nullptr);
  if (rate.num <= 0 || rate.den <= 0) return 0;
  return std::clamp<std::int64_t>(av_rescale_q(1, av_inv_q(rate), stream_->time_base), 1, std::int64_t{1} << 32);
}

}  // namespace actio::video
