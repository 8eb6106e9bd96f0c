#include "support/packet_clip.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/error.h"
#include "support/synthetic_clip.h"

namespace actio::testing {
namespace {

using video::IoHandle;
using video::OutputHandle;
using video::PacketHandle;

std::int64_t in_frames(std::int64_t time, const AVStream& stream, int frames_per_second) {
  if (time == AV_NOPTS_VALUE) return time;
  return av_rescale_q(time, stream.time_base, AVRational{1, frames_per_second});
}

AVStream& open_output(const PacketClip& clip, const std::string& path, OutputHandle& format, IoHandle& io) {
  AVFormatContext* output = nullptr;
  avformat_alloc_output_context2(&output, nullptr, nullptr, path.c_str());
  if (!output) fail("{}: its ending names no container", path);
  format.reset(output);
  AVStream* stream = avformat_new_stream(output, nullptr);
  if (!stream || avcodec_parameters_copy(stream->codecpar, clip.parameters.get()) < 0) fail("{}: no memory", path);
  stream->codecpar->codec_tag = 0;
  stream->time_base = AVRational{1, clip.frames_per_second};
  stream->avg_frame_rate = AVRational{clip.frames_per_second, 1};
  AVIOContext* file = nullptr;
  if (avio_open2(&file, ("file:" + path).c_str(), AVIO_FLAG_WRITE, nullptr, nullptr) < 0)
    fail("{}: cannot be written", path);
  io.reset(file);
  output->pb = file;
  output->flags |= AVFMT_FLAG_BITEXACT;
  output->avoid_negative_ts = 0;
  if (avformat_write_header(output, nullptr) < 0) fail("{}: its header cannot be written", path);
  return *stream;
}

// The unit of an MPEG-4 packet that begins with this code, to the next start code.
std::string unit_of(const std::string& bytes, char code) {
  const std::string prefix("\0\0\1", 3);
  const std::size_t at = bytes.find(prefix + code);
  if (at == std::string::npos) return {};
  return bytes.substr(at, bytes.find(prefix, at + 4) - at);
}

}  // namespace

PacketClip read_packets(const std::string& path, int frames_per_second) {
  AVFormatContext* opened = nullptr;
  if (avformat_open_input(&opened, ("file:" + path).c_str(), nullptr, nullptr) < 0) fail("{}: cannot be opened", path);
  const video::InputHandle format(opened);
  if (avformat_find_stream_info(opened, nullptr) < 0) fail("{}: cannot be read", path);
  const AVStream& stream = *opened->streams[0];
  PacketClip clip;
  clip.frames_per_second = frames_per_second;
  clip.parameters.reset(avcodec_parameters_alloc(), PacketClip::FreeParameters());
  if (avcodec_parameters_copy(clip.parameters.get(), stream.codecpar) < 0) fail("{}: no memory", path);
  const PacketHandle packet(av_packet_alloc());
  while (av_read_frame(opened, packet.get()) >= 0) {
    clip.packets.push_back({std::string(reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size)),
                            in_frames(packet->pts, stream, frames_per_second),
                            in_frames(packet->dts, stream, frames_per_second), (packet->flags & AV_PKT_FLAG_KEY) != 0,
                            (packet->flags & AV_PKT_FLAG_DISCARD) == 0});
    av_packet_unref(packet.get());
  }
  return clip;
}

void write_packets(const PacketClip& clip, const std::string& path, std::int64_t from) {
  OutputHandle format;
  IoHandle io;
  const AVStream& stream = open_output(clip, path, format, io);
  const std::int64_t start = from >= 0 ? from : clip.packets.empty() ? 0 : clip.packets.front().dts;
  const auto moved = [&](std::int64_t time) {
    return time == AV_NOPTS_VALUE ? time
                                  : av_rescale_q(time - start, AVRational{1, clip.frames_per_second}, stream.time_base);
  };
  const PacketHandle packet(av_packet_alloc());
  for (const CodedPacket& coded : clip.packets) {
    if (av_new_packet(packet.get(), static_cast<int>(coded.bytes.size())) < 0) fail("{}: no memory", path);
    std::memcpy(packet->data, coded.bytes.data(), coded.bytes.size());
    packet->pts = moved(coded.pts);
    packet->dts = moved(coded.dts);
    packet->duration = moved(start + 1);
    if (coded.key) packet->flags |= AV_PKT_FLAG_KEY;
    if (av_interleaved_write_frame(format.get(), packet.get()) < 0) fail("{}: a packet cannot be written", path);
  }
  if (av_write_trailer(format.get()) < 0) fail("{}: cannot be written", path);
}

PacketClip cut_packets(PacketClip clip, std::size_t first) {
  clip.packets.erase(clip.packets.begin(), clip.packets.begin() + static_cast<std::ptrdiff_t>(first));
  return clip;
}

void repeat_headers(PacketClip& clip) {
  const std::string headers(reinterpret_cast<const char*>(clip.parameters->extradata),
                            static_cast<std::size_t>(clip.parameters->extradata_size));
  for (CodedPacket& packet : clip.packets) {
    if (packet.key && !packet.bytes.starts_with(headers)) packet.bytes.insert(0, headers);
  }
}

void write_waiting_b_frames(const std::string& path, int waiting) {
  SyntheticClip clip;
  clip.path = path + ".plain.avi";
  clip.codec = "mpeg4";
  clip.frames = 8;
  clip.width = 64;
  clip.height = 16;
  clip.quality = 31;
  write_synthetic_clip(clip);
  PacketClip packed = read_packets(clip.path);
  std::filesystem::remove(clip.path);
  std::vector<std::string> plain;  // I P B B P B B P
  for (const CodedPacket& packet : packed.packets) plain.push_back(packet.bytes);
  const std::string b_frame = unit_of(plain.at(2), '\xB6');
  const std::string divx = std::string("\0\0\1\xB2", 4) + "DivX503b1393p";
  const std::size_t picture = plain[0].find(unit_of(plain[0], '\xB6'));
  packed.packets.clear();
  const auto add = [&](const std::string& bytes, bool key = false) {
    const auto number = static_cast<std::int64_t>(packed.packets.size());
    packed.packets.push_back({bytes, number, number, key});
  };
  add(plain[0].substr(0, picture) + divx + plain[0].substr(picture), true);
  add(plain[1] + b_frame);
  for (int i = 0; i < waiting; ++i) add(b_frame);
  add("\x7F");
  add(plain.at(4));
  add(plain.at(7));
  write_packets(packed, path);
}

}  // namespace actio::testing
