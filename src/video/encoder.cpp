#include "video/encoder.h"

extern "C" {
#include <libavutil/opt.h>
}

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "video/ffmpeg_compat.h"
#include "video/orientation.h"

namespace actio::video {
namespace {

const AVCodec* find_codec(const std::string& name) {
  const AVCodec* codec = avcodec_find_encoder_by_name(name.c_str());
  if (!codec || codec->type != AVMEDIA_TYPE_VIDEO) fail("{}: no such video encoder in this FFmpeg", name);
  return codec;
}

// Halved chroma where the codec has it: in the range of video or, for JPEG, in the full one.
AVPixelFormat pixel_format(const AVCodec& codec) {
  const AVPixelFormat* supported = supported_formats(codec);
  if (!supported) return AV_PIX_FMT_YUV420P;
  for (const AVPixelFormat wanted : {AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P}) {
    if (wanted == AV_PIX_FMT_YUVJ420P && codec.id != AV_CODEC_ID_MJPEG) continue;
    for (const AVPixelFormat* format = supported; *format != AV_PIX_FMT_NONE; ++format) {
      if (*format == wanted) return wanted;
    }
  }
  return supported[0];
}

void add_codec_options(const EncoderOptions& options, Dictionary& dictionary) {
  const bool x264 = options.codec == "libx264";
  const bool x265 = options.codec == "libx265";
  if (x264 || x265) dictionary.set("crf", std::to_string(options.quality));
  // Key frames come where the group of pictures says, not where the encoder sees a cut.
  if (x264) dictionary.set("sc_threshold", "0");
  // x264 and x265 have their own voice.
  if (x264) dictionary.set("x264-params", "log=-1");
  // x265 has its own threads.
  if (x265) dictionary.set("x265-params", "log-level=none:pools=none:frame-threads=1:scenecut=0:info=0");
  for (const std::string& option : options.codec_options) {
    const std::size_t equals = option.find('=');
    if (equals == 0 || equals == std::string::npos) fail_usage("codec option '{}': expected key=value", option);
    dictionary.set(option.substr(0, equals), option.substr(equals + 1));
  }
}

}  // namespace

struct Encoder::Impl {
  Impl(const std::string& path, const EncoderOptions& options);
  ~Impl();

  void open_codec(const AVCodec& encoder);
  void open_file();
  void write(const Tensor& rgb, std::int64_t tick);
  const std::uint8_t* with_even_rows(const Tensor& rgb);
  void send(const AVFrame* picture);
  void close();

  std::string path;
  EncoderOptions options;
  IoHandle io;  // before the format: it is closed after it
  OutputHandle format;
  CodecHandle codec;
  ScalerHandle scaler;
  FrameHandle picture;
  PacketHandle packet;
  std::vector<std::uint8_t> even_rows;
  AVStream* stream = nullptr;
  std::int64_t next_tick = 0;
  bool closed = false;
};

Encoder::Impl::Impl(const std::string& file, const EncoderOptions& wanted) : path(file), options(wanted) {
  if (options.width <= 0 || options.height <= 0 || options.frames_per_second <= 0) {
    fail_usage("{}: cannot encode {} x {} pixels at {} frames per second", path, options.width, options.height,
               options.frames_per_second);
  }
  const AVCodec* encoder = find_codec(options.codec);
  AVFormatContext* output = nullptr;
  avformat_alloc_output_context2(&output, nullptr, nullptr, path.c_str());
  if (!output) fail("{}: its ending names no container that can be written", path);
  format.reset(output);
  format->flags |= AVFMT_FLAG_BITEXACT;
  open_codec(*encoder);
  open_file();
  packet.reset(av_packet_alloc());
  picture.reset(av_frame_alloc());
  if (!packet || !picture) fail("{}: no memory for a frame", path);
  picture->format = codec->pix_fmt;
  picture->width = options.width;
  picture->height = options.height;
  if (av_frame_get_buffer(picture.get(), 0) < 0) fail("{}: no memory for a frame", path);
  // FFmpeg warns of a format that says its range.
  const bool full_range = codec->pix_fmt == AV_PIX_FMT_YUVJ420P;
  scaler.reset(sws_getContext(options.width, options.height, AV_PIX_FMT_RGB24, options.width, options.height,
                              full_range ? AV_PIX_FMT_YUV420P : codec->pix_fmt,
                              SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr, nullptr));
  if (!scaler) fail("{}: {} x {} RGB pixels cannot be prepared for {}", path, options.width, options.height, options.codec);
  if (full_range) {
    constexpr int kNeutral = 1 << 16;
    const int* coefficients = sws_getCoefficients(SWS_CS_DEFAULT);
    sws_setColorspaceDetails(scaler.get(), coefficients, 1, coefficients, 1, 0, kNeutral, kNeutral);
  }
}

Encoder::Impl::~Impl() {
  try {
    close();
  } catch (const Error&) {
    // close() is there for callers who want to know.
  }
}

void Encoder::Impl::open_codec(const AVCodec& encoder) {
  codec.reset(avcodec_alloc_context3(&encoder));
  if (!codec) fail("{}: no memory for an encoder", path);
  keep_silent(*codec);
  codec->width = options.width;
  codec->height = options.height;
  codec->time_base = AVRational{1, options.frames_per_second};
  codec->framerate = AVRational{options.frames_per_second, 1};
  codec->pix_fmt = pixel_format(encoder);
  codec->gop_size = options.gop;
  codec->max_b_frames = options.b_frames;
  codec->thread_count = 1;  // more threads would make the file depend on their number
  codec->flags |= AV_CODEC_FLAG_BITEXACT;
  if ((encoder.capabilities & AV_CODEC_CAP_DELAY) == 0 || options.b_frames == 0) codec->max_b_frames = 0;
  if ((format->oformat->flags & AVFMT_GLOBALHEADER) != 0) codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  const std::string_view name = options.codec;
  if (name != "libx265") codec->refs = options.references;
  if (name != "libx264" && name != "libx265") {
    codec->flags |= AV_CODEC_FLAG_QSCALE;
    codec->global_quality = options.quality * FF_QP2LAMBDA;
  }
  Dictionary dictionary;
  add_codec_options(options, dictionary);
  const int code = avcodec_open2(codec.get(), &encoder, dictionary.address());
  if (code < 0) {
    fail("{}: {} refuses {} x {} pixels at {} frames per second: {}", path, options.codec, options.width, options.height,
         options.frames_per_second, ffmpeg_reason(code));
  }
  if (const std::string unknown = dictionary.leftover(); !unknown.empty()) {
    fail_usage("codec option '{}': {} does not know it", unknown, options.codec);
  }
}

void Encoder::Impl::open_file() {
  stream = avformat_new_stream(format.get(), nullptr);
  if (!stream) fail("{}: no memory for a stream", path);
  stream->time_base = codec->time_base;
  stream->avg_frame_rate = codec->framerate;
  if (avcodec_parameters_from_context(stream->codecpar, codec.get()) < 0) fail("{}: no memory for a stream", path);
  if (options.rotation_degrees != 0 || options.mirrored) {
    set_display_matrix(add_display_matrix(*stream), {options.mirrored, options.rotation_degrees}, options.width,
                       options.height);
  }
  AVIOContext* output = nullptr;
  const bool opens_itself = (format->oformat->flags & AVFMT_NOFILE) != 0;  // the image formats do
  if (const int code = opens_itself ? 0 : avio_open2(&output, ("file:" + path).c_str(), AVIO_FLAG_WRITE, nullptr, nullptr);
      code < 0) {
    fail("{}: cannot be written: {}", path, ffmpeg_reason(code));
  }
  io.reset(output);
  format->pb = output;
  // One picture, not numbered ones.
  if (opens_itself && path.find('%') == std::string::npos) av_opt_set(format->priv_data, "update", "1", 0);
  if (const int code = avformat_write_header(format.get(), nullptr); code < 0) {
    fail("{}: {} cannot be written into this container: {}", path, options.codec, ffmpeg_reason(code));
  }
}

void Encoder::Impl::write(const Tensor& rgb, std::int64_t tick) {
  if (closed) fail_usage("{}: a frame was written after the file was closed", path);
  const Shape wanted{options.height, options.width, 3};
  if (rgb.shape() != wanted || rgb.dtype() != DType::kU8) {
    fail_usage("{}: expected a frame of u8 {}, got {} {}", path, shape_text(wanted), dtype_name(rgb.dtype()),
               shape_text(rgb.shape()));
  }
  if (tick < next_tick) fail_usage("{}: a frame at tick {}, but the next free one is {}", path, tick, next_tick);
  if (av_frame_make_writable(picture.get()) < 0) fail("{}: no memory for a frame", path);
  const std::uint8_t* pixels = options.width % 2 == 0 ? rgb.data<std::uint8_t>() : with_even_rows(rgb);
  const std::uint8_t* planes[4] = {pixels, nullptr, nullptr, nullptr};
  const int strides[4] = {3 * (options.width + options.width % 2), 0, 0, 0};
  sws_scale(scaler.get(), planes, strides, 0, options.height, picture->data, picture->linesize);
  picture->pts = tick;
  picture->pict_type = AV_PICTURE_TYPE_NONE;
  if ((codec->flags & AV_CODEC_FLAG_QSCALE) != 0) picture->quality = codec->global_quality;
  next_tick = tick + 1;
  send(picture.get());
}

// Halved chroma is made of pairs of pixels: the last one of an odd row is doubled, so that nothing behind the row is read.
const std::uint8_t* Encoder::Impl::with_even_rows(const Tensor& rgb) {
  const std::size_t row = 3 * static_cast<std::size_t>(options.width);
  even_rows.resize((row + 3) * static_cast<std::size_t>(options.height));
  std::uint8_t* to = even_rows.data();
  const std::uint8_t* from = rgb.data<std::uint8_t>();
  for (int y = 0; y < options.height; ++y, from += row) {
    to = std::copy_n(from, row, to);
    to = std::copy_n(from + row - 3, 3, to);
  }
  return even_rows.data();
}

void Encoder::Impl::send(const AVFrame* frame) {
  int code = avcodec_send_frame(codec.get(), frame);
  if (code < 0) fail("{}: {} refused a frame: {}", path, options.codec, ffmpeg_reason(code));
  for (;;) {
    code = avcodec_receive_packet(codec.get(), packet.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    if (code < 0) fail("{}: {} failed: {}", path, options.codec, ffmpeg_reason(code));
    packet->stream_index = stream->index;
    if (packet->duration == 0) packet->duration = 1;
    av_packet_rescale_ts(packet.get(), codec->time_base, stream->time_base);
    code = av_interleaved_write_frame(format.get(), packet.get());
    if (code < 0) fail("{}: cannot be written: {}", path, ffmpeg_reason(code));
  }
}

void Encoder::Impl::close() {
  if (std::exchange(closed, true)) return;
  send(nullptr);
  int code = av_write_trailer(format.get());
  AVIOContext* output = io.release();
  const int close_code = avio_closep(&output);
  format->pb = nullptr;
  if (code >= 0) code = close_code;
  if (code < 0) fail("{}: cannot be written: {}", path, ffmpeg_reason(code));
}

Encoder::Encoder(const std::string& path, const EncoderOptions& options) : impl_(std::make_unique<Impl>(path, options)) {}

Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

void Encoder::write(const Tensor& rgb) { impl_->write(rgb, impl_->next_tick); }
void Encoder::write_at(const Tensor& rgb, std::int64_t tick) { impl_->write(rgb, tick); }
void Encoder::close() { impl_->close(); }

}  // namespace actio::video
