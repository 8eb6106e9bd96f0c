#include "video/decoder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "core/error.h"
#include "video/ffmpeg_compat.h"
#include "video/h264_reference.h"
#include "video/input.h"
#include "video/vector_reader.h"

namespace actio::video {
namespace {

FrameType frame_type(const AVFrame& picture) {
  switch (picture.pict_type) {
    case AV_PICTURE_TYPE_I: return FrameType::kI;
    case AV_PICTURE_TYPE_P: return FrameType::kP;
    case AV_PICTURE_TYPE_B: return FrameType::kB;
    default: return FrameType::kOther;
  }
}

// More packets than a decoder holds back, so that a frame finds its packet's entry.
constexpr std::size_t kRememberedPackets = 256;

constexpr int kMaxErrorsAtEnd = 64;  // more than a decoder holds back

// A timestamp further from zero is damage; those that are not can be subtracted without overflow.
constexpr std::int64_t kFurthestTimestamp = std::int64_t{1} << 60;

VectorReader::Kind reader_kind(AVCodecID id) {
  switch (id) {
    case AV_CODEC_ID_H264: return VectorReader::Kind::kSeveral;
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO: return VectorReader::Kind::kOneReference;
    default: return VectorReader::Kind::kWithoutB;
  }
}

CodecHandle open_codec(const Input& input, const DecoderOptions& options) {
  const StreamInfo& info = input.info();
  const AVCodecParameters& parameters = *input.stream().codecpar;
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  if (!codec) fail_data("{}: its codec {} cannot be decoded by this FFmpeg", info.path, info.codec);
  CodecHandle context(avcodec_alloc_context3(codec));
  if (!context) fail("{}: no memory for a decoder", info.path);
  int code = avcodec_parameters_to_context(context.get(), &parameters);
  if (code < 0) fail_data("{}: its {} header cannot be used: {}", info.path, info.codec, ffmpeg_reason(code));
  context->thread_count = options.threads;
  context->pkt_timebase = input.stream().time_base;
  context->max_pixels = static_cast<std::int64_t>(kMaxSide) * kMaxSide;
  context->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;  // a damaged frame keeps its place in the sequence
  if (options.vectors) {
    context->flags2 |= AV_CODEC_FLAG2_EXPORT_MVS;
    context->thread_type = FF_THREAD_SLICE;  // with one thread per frame, vectors are exported before they are all decoded
  }
  enable_packet_tags(*context);
  code = avcodec_open2(context.get(), codec, nullptr);
  if (code < 0) fail_data("{}: its {} stream cannot be decoded: {}", info.path, info.codec, ffmpeg_reason(code));
  return context;
}

}  // namespace

struct Decoder::Impl {
  Impl(const std::string& path, const DecoderOptions& options) : input(path) {
    if (options.vectors) require_vectors(input.info());
    codec = open_codec(input, options);
    is_h264 = codec->codec_id == AV_CODEC_ID_H264;
    if (is_h264 && codec->extradata) {
      length_size = h264_length_size({codec->extradata, static_cast<std::size_t>(codec->extradata_size)});
    }
    if (options.vectors) vectors.emplace(reader_kind(codec->codec_id));
    packet.reset(av_packet_alloc());
    if (!packet) fail("{}: no memory for a packet", path);
  }

  std::optional<Frame> next();
  std::optional<Frame> decode();
  bool feed();
  void note_reference(const AVPacket& sent);
  bool is_reference(const Frame& frame) const;
  Frame describe(std::shared_ptr<const AVFrame> picture);

  Input input;
  CodecHandle codec;
  PacketHandle packet;
  DecodeCounters counters;
  std::optional<VectorReader> vectors;
  bool is_h264 = false;
  int length_size = 0;
  std::array<bool, kRememberedPackets> packet_is_reference{};
  bool draining = false;
  bool finished = false;
  int errors_at_end = 0;
  std::int64_t next_index = 0;
  std::int64_t first_pts = 0;
  std::int64_t last_pts = 0;
};

void Decoder::Impl::note_reference(const AVPacket& sent) {
  if (!is_h264) return;
  const auto reference = h264_is_reference({sent.data, static_cast<std::size_t>(std::max(0, sent.size))}, length_size);
  const auto slot = static_cast<std::size_t>(counters.packets) % kRememberedPackets;
  packet_is_reference[slot] = reference.value_or(true);
}

// H.264 marks the B-frames that others refer to; in the older codecs there are none.
bool Decoder::Impl::is_reference(const Frame& frame) const {
  if (!is_h264) return frame.type != FrameType::kB;
  return packet_is_reference[static_cast<std::size_t>(packet_tag(*frame.picture)) % kRememberedPackets];
}

// Gives the codec one more packet. Returns: false once the codec knows that no more will come.
bool Decoder::Impl::feed() {
  if (draining) return false;
  const int read = input.read(*packet);
  if (read < 0) {
    if (read != AVERROR_EOF) ++counters.errors;
    draining = true;
    avcodec_send_packet(codec.get(), nullptr);
    return true;
  }
  note_reference(*packet);
  tag_packet(*codec, *packet, counters.packets);
  ++counters.packets;
  if (avcodec_send_packet(codec.get(), packet.get()) < 0) ++counters.errors;
  av_packet_unref(packet.get());
  return true;
}

std::optional<Frame> Decoder::Impl::decode() {
  while (!finished) {
    FrameHandle picture(av_frame_alloc());
    if (!picture) fail("{}: no memory for a frame", input.info().path);
    const int code = avcodec_receive_frame(codec.get(), picture.get());
    if (code >= 0) return describe(std::shared_ptr<const AVFrame>(std::move(picture)));
    if (code == AVERROR_EOF) {
      finished = true;
    } else {
      if (code != AVERROR(EAGAIN)) ++counters.errors;
      // At the end of the file an error may be followed by more frames, but not for ever.
      if (!feed() && (code == AVERROR(EAGAIN) || ++errors_at_end > kMaxErrorsAtEnd)) finished = true;
    }
  }
  return std::nullopt;
}

std::optional<Frame> Decoder::Impl::next() {
  if (!vectors) return decode();
  for (;;) {
    if (auto ready = vectors->pop(finished)) return ready;
    if (finished) return std::nullopt;
    auto frame = decode();
    if (!frame) continue;
    vectors->set_stream(codec->refs, codec->has_b_frames);
    const std::int64_t order = packet_tag(*frame->picture);
    const bool reference = is_reference(*frame);
    vectors->push({std::move(*frame), order, reference});
  }
}

Frame Decoder::Impl::describe(std::shared_ptr<const AVFrame> picture) {
  Frame frame;
  frame.index = next_index++;
  frame.pts = picture->best_effort_timestamp;
  if (frame.pts < -kFurthestTimestamp || frame.pts > kFurthestTimestamp) {  // AV_NOPTS_VALUE is one of those
    frame.pts = frame.index == 0 ? 0 : last_pts + std::max<std::int64_t>(1, input.frame_ticks());
  }
  if (frame.index == 0) first_pts = frame.pts;
  last_pts = frame.pts;
  frame.time_seconds = static_cast<double>(frame.pts - first_pts) * av_q2d(input.stream().time_base);
  frame.type = frame_type(*picture);
  frame.key = is_key_frame(*picture);
  frame.damaged = (picture->flags & AV_FRAME_FLAG_CORRUPT) != 0 || picture->decode_error_flags != 0;
  frame.rotation_degrees = input.info().rotation_degrees;
  const bool upright = frame.rotation_degrees % 180 == 0;
  frame.width = upright ? picture->width : picture->height;
  frame.height = upright ? picture->height : picture->width;
  frame.picture = std::move(picture);
  ++counters.frames;
  if (frame.damaged) ++counters.damaged;
  return frame;
}

Decoder::Decoder(const std::string& path, const DecoderOptions& options) : impl_(std::make_unique<Impl>(path, options)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

const StreamInfo& Decoder::info() const { return impl_->input.info(); }
const DecodeCounters& Decoder::counters() const { return impl_->counters; }

std::optional<Frame> Decoder::next() { return impl_->next(); }

std::string no_vectors_reason(const StreamInfo& info) {
  std::string name = info.codec_long_name.substr(0, info.codec_long_name.find(" /"));
  if (info.codec == "hevc" || info.codec == "vp8" || info.codec == "vp9" || info.codec == "av1") {
    name = info.codec;
    for (char& letter : name) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return name +
         " carries no motion vectors that can be read; use another motion source (rgbdiff or flow) or transcode to H.264";
}

void require_vectors(const StreamInfo& info) {
  if (!info.carries_vectors) fail_data("{}: {}", info.path, no_vectors_reason(info));
}

}  // namespace actio::video
