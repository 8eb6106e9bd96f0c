#include "video/frame_source.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "video/ffmpeg_compat.h"
#include "video/pts_guess.h"
#include "video/start_codes.h"

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

bool is_damaged(const AVFrame& picture) {
  return (picture.flags & AV_FRAME_FLAG_CORRUPT) != 0 || picture.decode_error_flags != 0;
}

// Whether the picture of an MPEG-4 Part 2 packet is a B-frame: one in the packet, or one that waited in the codec for this
// placeholder.
bool holds_b_frame(const AVPacket& packet) {
  const std::uint8_t* bytes = packet.data;
  for (int i = 0; i + 4 < packet.size; ++i) {
    if (bytes[i] != 0 || bytes[i + 1] != 0 || bytes[i + 2] != 1 || bytes[i + 3] != 0xB6) continue;
    return bytes[i + 4] >> 6 == 2 || packet.size <= kMostPlaceholder;
  }
  return false;
}

constexpr int kMaxErrorsAtEnd = 64;  // more than a decoder holds back

CodecHandle open_codec(const Input& input, const DecoderOptions& options) {
  const StreamInfo& info = input.info();
  const AVCodecParameters& parameters = *input.stream().codecpar;
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  if (!codec) fail_data("{}: its codec {} cannot be decoded by this FFmpeg", info.path, info.codec);
  CodecHandle context(avcodec_alloc_context3(codec));
  if (!context) fail(ErrorCode::kTransient, "{}: no memory for a decoder", info.path);
  int code = avcodec_parameters_to_context(context.get(), &parameters);
  if (code < 0) fail_data("{}: its {} header cannot be used: {}", info.path, info.codec, ffmpeg_reason(code));
  context->thread_count = options.threads;
  context->pkt_timebase = input.stream().time_base;
  context->max_pixels = most_coded_pixels(options.max_pixels);
  keep_silent(*context);
  context->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;  // a damaged frame keeps its place in the sequence
  if (options.vectors) {
    context->flags2 |= AV_CODEC_FLAG2_EXPORT_MVS;
    context->thread_type = FF_THREAD_SLICE;  // with one thread per frame, vectors are exported before they are all decoded
  }
  enable_packet_tags(*context);
  code = avcodec_open2(context.get(), codec, nullptr);
  // Sizes were checked before, so that a lack of memory or threads is not the file's doing.
  if (code == AVERROR(ENOMEM) || code == AVERROR(EAGAIN)) fail(ErrorCode::kTransient, "{}: no memory for a decoder", info.path);
  if (code < 0) fail_data("{}: its {} stream cannot be decoded: {}", info.path, info.codec, ffmpeg_reason(code));
  return context;
}

// FFmpeg passes over a packet without a start code in silence: zeros where a picture was. A placeholder is shorter than
// these.
bool is_lost_picture(const AVPacket& packet, AVCodecID id) {
  const bool has_start_codes = id == AV_CODEC_ID_MPEG4 || id == AV_CODEC_ID_MPEG2VIDEO || id == AV_CODEC_ID_MPEG1VIDEO;
  if (!has_start_codes || packet.size <= kMostPlaceholder) return false;
  constexpr std::uint8_t kPrefix[] = {0, 0, 1};
  const std::span<const std::uint8_t> bytes(packet.data, static_cast<std::size_t>(packet.size));
  const bool short_header = bytes[0] == 0 && bytes[1] == 0 && (bytes[2] & 0xFC) == 0x80;  // MPEG-4's, that of H.263
  return !short_header && std::search(bytes.begin(), bytes.end(), std::begin(kPrefix), std::end(kPrefix)) == bytes.end();
}

}  // namespace

VectorReader::Kind vector_kind(AVCodecID id) {
  switch (id) {
    case AV_CODEC_ID_H264: return VectorReader::Kind::kSeveral;
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO: return VectorReader::Kind::kOneReference;
    default: return VectorReader::Kind::kWithoutB;
  }
}

FrameSource::FrameSource(Input& input, const DecoderOptions& options, DecodeCounters& counters)
    : input_(input), counters_(counters), codec_(open_codec(input, options)), packet_(av_packet_alloc()) {
  if (!packet_) fail(ErrorCode::kTransient, "{}: no memory for a packet", input.info().path);
  is_h264_ = codec_->codec_id == AV_CODEC_ID_H264;
  if (is_h264_ && codec_->extradata) {
    length_size_ = h264_length_size({codec_->extradata, static_cast<std::size_t>(codec_->extradata_size)});
  }
  const bool is_hevc = codec_->codec_id == AV_CODEC_ID_HEVC && codec_->extradata_size > 22 && codec_->extradata[0] == 1;
  start_.emplace(codec_->codec_id, is_hevc ? (codec_->extradata[21] & 3) + 1 : length_size_);
  if (!options.vectors) return;
  vectors_.emplace(vector_kind(codec_->codec_id));
  fields_.emplace(codec_->codec_id,
                  std::span<const std::uint8_t>(codec_->extradata, static_cast<std::size_t>(codec_->extradata_size)));
}

void FrameSource::follow(const FrameIndex& index, const FramePlan& plan) {
  index_ = &index;
  with_vectors_ = &plan.wanted();
  planned_.emplace(index, plan);
  start_.reset();
  if (plan.runs().empty()) {
    stage_ = Stage::kFinished;
  } else {
    counters_.seeks += planned_->run().first > 0;
  }
}

// H.264 marks the B-frames that others refer to; in the older codecs there are none.
VectorReader::DecodedFrame FrameSource::decoded(Frame frame) const {
  VectorReader::DecodedFrame result;
  result.order = packet_tag(*frame.picture);
  result.reference = frame.type != FrameType::kB;
  if (is_h264_) {
    const H264Picture& picture = h264_pictures_[static_cast<std::size_t>(result.order) % kRememberedPackets];
    result.reference = picture.reference;
    result.closes = picture.idr;
  }
  if (fields_) result.fields = fields_->of(*frame.picture);
  const bool hidden = !hidden_.empty() && hidden_.back() == frame.index;
  const std::int64_t place = frame.index - hidden_pushed_;
  result.wanted = !hidden && (!with_vectors_ || std::ranges::binary_search(*with_vectors_, place));
  result.frame = std::move(frame);
  return result;
}

void FrameSource::send(std::int64_t tag) {
  const auto bytes = std::span<const std::uint8_t>(packet_->data, static_cast<std::size_t>(std::max(0, packet_->size)));
  if (fields_) fields_->note(tag, bytes);
  if (is_h264_) {
    h264_pictures_[static_cast<std::size_t>(tag) % kRememberedPackets] =
        h264_picture(bytes, length_size_).value_or(H264Picture{});
  }
  if (is_lost_picture(*packet_, codec_->codec_id)) ++counters_.errors;
  // What FFmpeg exports for B-frames of MPEG-4 belongs to others, and takes time.
  if (vectors_ && codec_->codec_id == AV_CODEC_ID_MPEG4) {
    codec_->export_side_data &= ~AV_CODEC_EXPORT_DATA_MVS;
    if (!holds_b_frame(*packet_)) codec_->export_side_data |= AV_CODEC_EXPORT_DATA_MVS;
  }
  if (start_) {
    // FFmpeg would not give the picture at all.
    const bool hides = (packet_->flags & AV_PKT_FLAG_DISCARD) != 0;
    hides_[static_cast<std::size_t>(tag) % kRememberedPackets] = hides;
    packet_->flags &= ~AV_PKT_FLAG_DISCARD;
    start_->sent(*packet_, tag, hides);
    counters_.left_out = start_->left_out();
  }
  tag_packet(*codec_, *packet_, tag);
  if (avcodec_send_packet(codec_.get(), packet_.get()) < 0) ++counters_.errors;
  av_packet_unref(packet_.get());
}

// Gives the codec one more packet. Returns: false once the codec knows that no more will come.
bool FrameSource::feed() {
  if (draining_) return false;
  if (planned_) return feed_planned();
  const int read = input_.read(*packet_);
  if (read < 0) {
    if (read != AVERROR_EOF) ++counters_.errors;
    draining_ = true;
    avcodec_send_packet(codec_.get(), nullptr);
    return true;
  }
  ++counters_.packets;
  send(packets_sent_++);
  return true;
}

bool FrameSource::feed_planned() {
  const PlannedInput::Fetched fetched = planned_->fetch(input_, *packet_);
  counters_.packets += planned_->take_packets_read();
  if (fetched == PlannedInput::Fetched::kSurprise) {
    stage_ = Stage::kSurprise;
    return true;
  }
  if (fetched == PlannedInput::Fetched::kEndOfRun) {
    draining_ = true;
    avcodec_send_packet(codec_.get(), nullptr);
    return true;
  }
  const bool skip = planned_->action() == FramePlan::Action::kSkipPicture;
  codec_->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
  const std::int32_t number = planned_->number();
  sent_in_run_ += !skip && index_->packets()[static_cast<std::size_t>(number)].display >= 0;
  send(number);
  return true;
}

std::optional<Frame> FrameSource::decode() {
  while (stage_ == Stage::kDecoding) {
    if (auto started = take_started()) return started;
    FrameHandle picture(av_frame_alloc());
    if (!picture) fail(ErrorCode::kTransient, "{}: no memory for a frame", input_.info().path);
    const std::int64_t errors = counters_.errors;
    const int code = avcodec_receive_frame(codec_.get(), picture.get());
    if (code >= 0) {
      if (start_) {
        pass_to_start(std::move(picture));
        continue;
      }
      if (!is_expected(*picture)) {
        stage_ = Stage::kSurprise;
        break;
      }
      return describe(std::shared_ptr<const AVFrame>(std::move(picture)));
    }
    if (code == AVERROR_EOF) {
      const bool missing = planned_ && decoded_in_run_ != sent_in_run_;
      stage_ = missing ? Stage::kSurprise : planned_ && planned_->has_next_run() ? Stage::kDrained : Stage::kFinished;
    } else {
      if (code != AVERROR(EAGAIN)) ++counters_.errors;
      // At the end of the file an error may be followed by more frames, but not for ever.
      if (!feed() && (code == AVERROR(EAGAIN) || ++errors_at_end_ > kMaxErrorsAtEnd)) stage_ = Stage::kFinished;
    }
    if (planned_ && counters_.errors != errors) stage_ = Stage::kSurprise;
    if (stage_ == Stage::kFinished) end_start();
  }
  return std::nullopt;
}

void FrameSource::pass_to_start(FrameHandle picture) {
  const std::int64_t tag = packet_tag(*picture);
  const bool hidden = hides_[static_cast<std::size_t>(tag) % kRememberedPackets];
  start_->push({std::move(picture), tag, hidden});
  counters_.left_out = start_->left_out();
  // What the codec refused for lack of references is not damage.
  if (const std::int64_t skipped = start_->skipped(); skipped > 0 && !std::exchange(forgiven_, true)) {
    counters_.errors -= std::min(counters_.errors, skipped);
  }
}

void FrameSource::end_start() {
  if (!start_) return;
  start_->end();
  counters_.left_out = start_->left_out();
}

// The next picture that is real. Hidden ones are only needed for vectors.
std::optional<Frame> FrameSource::take_started() {
  while (start_) {
    auto picture = start_->pop();
    if (!picture) break;
    if (!picture->hidden) return describe(std::move(picture->frame));
    if (vectors_) return describe_hidden(std::move(picture->frame));
  }
  return std::nullopt;
}

// The next frame whose vectors are read, with its place among those that are shown.
std::optional<Frame> FrameSource::take_read() {
  while (auto frame = vectors_->pop(stage_ != Stage::kDecoding)) {
    if (hidden_.empty() || frame->index != hidden_.front()) {
      frame->index -= hidden_popped_;
      return frame;
    }
    hidden_.pop_front();
    ++hidden_popped_;
  }
  return std::nullopt;
}

// Whether the picture is the one that the plan says comes now, and undamaged: what conceals damage may look at any picture
// before, so that it is only the same where all are decoded.
bool FrameSource::is_expected(const AVFrame& picture) {
  const std::int64_t number = packet_tag(picture);
  if (number < 0 || number >= static_cast<std::int64_t>(index_->packets().size())) return false;
  const IndexedPacket& entry = index_->packets()[static_cast<std::size_t>(number)];
  const bool in_order = entry.display > last_display_ && ++decoded_in_run_ <= sent_in_run_;
  const bool known_type = codec_->codec_id != AV_CODEC_ID_H264 && codec_->codec_id != AV_CODEC_ID_HEVC;
  const bool same_type = !known_type || frame_type(picture) == entry.type;
  last_display_ = entry.display;
  return in_order && same_type && !is_damaged(picture);
}

// The next frame that is decoded, with its vectors where they are wanted.
std::optional<Frame> FrameSource::next() {
  for (;;) {
    if (stage_ == Stage::kSurprise) return std::nullopt;
    if (vectors_) {
      if (auto ready = take_read()) return ready;
    }
    if (stage_ == Stage::kFinished || (stage_ == Stage::kDrained && !next_run())) return std::nullopt;
    auto frame = decode();
    if (!frame) continue;
    if (!vectors_) return frame;
    vectors_->set_stream(codec_->refs, codec_->has_b_frames);
    vectors_->push(decoded(std::move(*frame)));
  }
}

Frame FrameSource::describe(std::shared_ptr<const AVFrame> picture) {
  Frame frame;
  if (planned_) {
    frame.index = last_display_;
    frame.pts = index_->frame(frame.index).pts;
    first_pts_ = index_->frame(0).pts;
  } else {
    const bool first = next_index_ == 0;
    frame.index = next_index_++ + hidden_pushed_;
    frame.pts = usable_pts(picture->best_effort_timestamp, first, last_pts_, input_.frame_ticks());
    if (first) first_pts_ = frame.pts;
    last_pts_ = frame.pts;
  }
  frame.time_seconds = static_cast<double>(frame.pts - first_pts_) * av_q2d(input_.stream().time_base);
  add_picture(frame, std::move(picture));
  ++counters_.frames;
  if (frame.damaged) ++counters_.damaged;
  return frame;
}

Frame FrameSource::describe_hidden(std::shared_ptr<const AVFrame> picture) {
  Frame frame;
  frame.index = next_index_ + hidden_pushed_++;
  hidden_.push_back(frame.index);
  add_picture(frame, std::move(picture));
  return frame;
}

void FrameSource::add_picture(Frame& frame, std::shared_ptr<const AVFrame> picture) const {
  frame.type = frame_type(*picture);
  frame.key = is_key_frame(*picture);
  frame.damaged = is_damaged(*picture);
  frame.orientation = input_.info().orientation;
  const bool swapped = frame.orientation.swaps_sides();
  frame.width = swapped ? picture->height : picture->width;
  frame.height = swapped ? picture->width : picture->height;
  frame.picture = std::move(picture);
}

bool FrameSource::next_run() {
  if (!planned_->next_run()) return false;
  avcodec_flush_buffers(codec_.get());
  if (vectors_) vectors_->reset();
  ++counters_.seeks;
  stage_ = Stage::kDecoding;
  draining_ = false;
  decoded_in_run_ = sent_in_run_ = 0;
  return true;
}

}  // namespace actio::video
