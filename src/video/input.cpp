#include "video/input.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"
#include "video/ffmpeg_compat.h"
#include "video/orientation.h"

namespace actio::video {
namespace {

// FFmpeg reads at most this much to find out what a file is, so that a damaged one cannot hold it up.
constexpr const char* kProbeBytes = "8000000";
constexpr const char* kProbeMicroseconds = "10000000";

std::string codec_name(AVCodecID id) { return avcodec_get_name(id); }

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

Input::Input(const Source& source, const InputOptions& options) : options_(options), io_(source, options.stop) {
  info_.path = source.name();
  open();
  if (may_carry_orientation(stream_->codecpar->codec_id)) {
    if (const auto matrix = find_orientation()) orient(matrix->data());
  }
}

void Input::open() {
  open_format();
  choose();
  describe();
}

void Input::reopen() {
  ahead_.clear();
  after_ahead_ = 0;
  format_.reset();
  open_format();
  choose();
}

void Input::open_format() {
  const std::string& path = info_.path;
  AVIOContext* io = io_.open();
  AVFormatContext* format = avformat_alloc_context();
  if (!format) fail(ErrorCode::kTransient, "{}: no memory to open it", path);
  format->pb = io;
  format->interrupt_callback = io_.interrupt();
  Dictionary options;
  options.set("probesize", kProbeBytes);
  options.set("analyzeduration", kProbeMicroseconds);
  options.set("max_streams", "64");
  // A playlist or a movie that refers to other files or addresses must not open them.
  options.set("protocol_whitelist", "none");
  int code = avformat_open_input(&format, path.c_str(), nullptr, options.address());  // frees `format` when it fails
  if (code >= 0) format_.reset(format);
  io_.check();
  if (code < 0) fail_data("{}: is not a video that can be read: {}", path, ffmpeg_reason(code));
  info_.container = format_->iformat->name;
  if (info_.container == "tty") fail_data("{}: is not a video that can be read: it is a text file", path);

  std::vector<AVDictionary*> per_stream(format_->nb_streams, nullptr);
  for (auto& entry : per_stream) {
    av_dict_set_int(&entry, "max_pixels", most_coded_pixels(options_.max_pixels), 0);
    av_dict_set_int(&entry, "log_level_offset", kSilentLevels, 0);
  }
  const std::size_t given = per_stream.size();
  code = avformat_find_stream_info(format_.get(), per_stream.data());
  for (std::size_t i = 0; i < given; ++i) av_dict_free(&per_stream[i]);
  io_.check();
  if (code < 0) fail_data("{}: is not a video that can be read: {}", path, ffmpeg_reason(code));
}

// Packets by stream, as far as is needed to tell a picture from a video.
std::vector<std::int64_t> Input::count_packets() {
  constexpr int kMostRead = 600;
  constexpr std::int64_t kMostBytes = 1 << 24;
  std::vector<std::int64_t> counts(format_->nb_streams, 0);
  const PacketHandle packet(av_packet_alloc());
  std::int64_t bytes = 0;
  for (int i = 0; packet && i < kMostRead && bytes < kMostBytes && read_any(*packet) >= 0; ++i) {
    bytes += packet->size;
    // Streams may appear while a file is read.
    if (const auto index = static_cast<std::size_t>(packet->stream_index); index < counts.size()) ++counts[index];
  }
  return counts;
}

void Input::choose() {
  if (!choice_) {
    choice_ = choose_stream(*format_, {});
    if (!choice_->settled && io_.can_seek()) {
      const auto counts = count_packets();
      format_.reset();
      open_format();
      choice_ = choose_stream(*format_, counts);
    }
  }
  const auto index = static_cast<unsigned>(choice_->stream);
  if (choice_->stream < 0 || index >= format_->nb_streams) {
    fail_data("{}: has no video stream ({})", info_.path, stream_list(*format_));
  }
  stream_ = format_->streams[index];
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (i != index) format_->streams[i]->discard = AVDISCARD_ALL;
  }
}

void Input::check_size(std::int64_t width, std::int64_t height) const {
  if (width > kMaxSide || height > kMaxSide) {
    fail_data("{}: claims {} x {} pixels, at most {} x {} are read", info_.path, width, height, kMaxSide, kMaxSide);
  }
  if (width > 0 && height > 0 && width * height > options_.max_pixels) {
    fail_data("{}: claims {} x {} pixels, {} in all; at most {} a frame are read (--max-pixels)", info_.path, width, height,
              width * height, options_.max_pixels);
  }
}

// FFmpeg forgets a size that is far above the limit, also one that the container said. A codec that gets no memory tells it again.
void Input::refuse_without_size() {
  constexpr int kMostPackets = 32;
  const AVCodec* codec = avcodec_find_decoder(stream_->codecpar->codec_id);
  const CodecHandle context(codec ? avcodec_alloc_context3(codec) : nullptr);
  const PacketHandle packet(av_packet_alloc());
  if (context && packet && avcodec_parameters_to_context(context.get(), stream_->codecpar) >= 0) {
    context->get_buffer2 = [](AVCodecContext*, AVFrame*, int) { return AVERROR(ENOMEM); };
    context->max_pixels = std::int64_t{kMaxSide} * kMaxSide;
    context->thread_count = 1;
    keep_silent(*context);
    const bool opened = avcodec_open2(context.get(), codec, nullptr) >= 0;
    for (int i = 0; opened && context->width <= 0 && i < kMostPackets && read_next(*packet) >= 0; ++i) {
      const FrameHandle frame(av_frame_alloc());
      avcodec_send_packet(context.get(), packet.get());
      if (frame) avcodec_receive_frame(context.get(), frame.get());
    }
    check_size(context->width, context->height);
  }
  fail_data("{}: is not a video that can be read: its {} stream shows no picture", info_.path, info_.codec);
}

void Input::describe() {
  const AVCodecParameters& parameters = *stream_->codecpar;
  check_size(parameters.width, parameters.height);
  info_.codec = codec_name(parameters.codec_id);
  if (parameters.width <= 0 || parameters.height <= 0) refuse_without_size();
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(parameters.codec_id);
  info_.codec_long_name = descriptor && descriptor->long_name ? descriptor->long_name : info_.codec;
  if (const char* name = avcodec_profile_name(parameters.codec_id, parameters.profile)) info_.profile = name;
  if (const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(parameters.format))) info_.pixel_format = name;
  info_.has_audio = av_find_best_stream(format_.get(), AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0) >= 0;
  info_.width = parameters.width;
  info_.height = parameters.height;
  if (const std::int32_t* matrix = display_matrix(*stream_)) orient(matrix);
  const AVRational aspect = av_guess_sample_aspect_ratio(format_.get(), stream_, nullptr);
  if (aspect.num > 0 && aspect.den > 0) info_.pixel_aspect = av_q2d(aspect);
  info_.track = choice_->track;
  info_.tracks = choice_->tracks;
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

// What a matrix says of the stream; one that FFmpeg finds beside the picture is asked after the container's, and replaces
// it.
void Input::orient(const std::int32_t* matrix) {
  const auto orientation = orientation_of(matrix);
  info_.orientation = orientation.value_or(Orientation{});
  info_.skewed_degrees = orientation ? 0 : clockwise_degrees(matrix);
  const AVCodecParameters& parameters = *stream_->codecpar;
  const bool swapped = info_.orientation.swaps_sides();
  info_.width = swapped ? parameters.height : parameters.width;
  info_.height = swapped ? parameters.width : parameters.height;
}

// That of the first picture that stands by itself. What is read for it is kept for those who read the packets.
std::optional<DisplayMatrix> Input::find_orientation() {
  constexpr std::size_t kMostAhead = 300;  // packets, where a stream was joined within a group
  while (ahead_.size() < kMostAhead) {
    PacketHandle packet(av_packet_alloc());
    if (!packet) fail("{}: no memory for a packet", info_.path);
    after_ahead_ = read_next(*packet);
    if (after_ahead_ < 0) break;
    const bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    auto matrix = picture_orientation(*stream_->codecpar, *packet);
    ahead_.push_back(std::move(packet));
    if (matrix || key) return matrix;
  }
  return std::nullopt;
}

int Input::read_any(AVPacket& packet) {
  av_packet_unref(&packet);
  io_.check();
  const int code = av_read_frame(format_.get(), &packet);
  if (code < 0) io_.check();
  return code;
}

int Input::read_next(AVPacket& packet) {
  for (;;) {
    const int code = read_any(packet);
    if (code < 0 || packet.stream_index == stream_->index) return code;
  }
}

int Input::read(AVPacket& packet) {
  if (ahead_.empty() && after_ahead_ < 0) return std::exchange(after_ahead_, 0);
  if (ahead_.empty()) return read_next(packet);
  io_.check();
  av_packet_unref(&packet);
  av_packet_move_ref(&packet, ahead_.front().get());
  ahead_.pop_front();
  return 0;
}

bool Input::can_be_indexed() const {
  const std::string& name = info_.container;
  if (!io_.can_seek()) return false;
  return seeks_exactly() || name == "mpeg" || name == "mpegvideo" || name == "m4v";
}

bool Input::seeks_exactly() const {
  if (!io_.can_seek()) return false;
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
  if (!seeks_exactly()) return false;
  ahead_.clear();
  after_ahead_ = 0;
  return av_seek_frame(format_.get(), stream_->index, time, AVSEEK_FLAG_BACKWARD) >= 0;
}

std::int64_t Input::frame_ticks() const {
  const AVRational rate = av_guess_frame_rate(format_.get(), stream_, nullptr);
  if (rate.num <= 0 || rate.den <= 0) return 0;
  return std::clamp<std::int64_t>(av_rescale_q(1, av_inv_q(rate), stream_->time_base), 1, std::int64_t{1} << 32);
}

}  // namespace actio::video
