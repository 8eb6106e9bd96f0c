// Files that actio's encoder does not write: several tracks, other dispositions, pictures with messages beside them. The
// coded pictures come from files that it wrote.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "video/ffmpeg_handles.h"

namespace actio::video {

struct Track {
  std::string path;     // its first video stream
  int disposition = 0;  // AV_DISPOSITION_*
  int packets = 1 << 20;
  int repeats = 1;  // of each packet
};

// Writes the tracks, packets in the order of their times; where a file tells none, 40 ms apart.
inline void remux(const std::string& output, const std::vector<Track>& tracks) {
  AVFormatContext* raw = nullptr;
  ASSERT_GE(avformat_alloc_output_context2(&raw, nullptr, nullptr, output.c_str()), 0);
  const OutputHandle format(raw);
  format->flags |= AVFMT_FLAG_BITEXACT;
  std::vector<std::vector<PacketHandle>> packets(tracks.size());
  std::vector<AVRational> bases;
  for (const Track& track : tracks) {
    AVFormatContext* opened = nullptr;
    ASSERT_GE(avformat_open_input(&opened, track.path.c_str(), nullptr, nullptr), 0) << track.path;
    const InputHandle input(opened);
    ASSERT_GE(avformat_find_stream_info(input.get(), nullptr), 0);
    const int from = av_find_best_stream(input.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    ASSERT_GE(from, 0);
    AVStream* stream = avformat_new_stream(format.get(), nullptr);
    avcodec_parameters_copy(stream->codecpar, input->streams[from]->codecpar);
    stream->codecpar->codec_tag = 0;
    stream->disposition = track.disposition;
    stream->avg_frame_rate = {25, 1};
    auto& list = packets[bases.size()];
    PacketHandle packet(av_packet_alloc());
    while (static_cast<int>(list.size()) < track.packets && av_read_frame(input.get(), packet.get()) >= 0) {
      for (int i = 0; packet->stream_index == from && i < track.repeats; ++i)
        list.emplace_back(av_packet_clone(packet.get()));
      av_packet_unref(packet.get());
    }
    const bool timed =
        !list.empty() && track.repeats == 1 && list.front()->dts != AV_NOPTS_VALUE && list.front()->pts != AV_NOPTS_VALUE;
    bases.push_back(timed ? input->streams[from]->time_base : AVRational{1, 25});
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!timed) list[i]->pts = list[i]->dts = static_cast<std::int64_t>(i);
      list[i]->duration = timed ? list[i]->duration : 1;
      list[i]->stream_index = stream->index;
    }
  }
  AVIOContext* io = nullptr;
  ASSERT_GE(avio_open2(&io, output.c_str(), AVIO_FLAG_WRITE, nullptr, nullptr), 0);
  const IoHandle closes(io);
  format->pb = io;
  ASSERT_GE(avformat_write_header(format.get(), nullptr), 0);
  for (std::size_t t = 0; t < tracks.size(); ++t) {
    for (auto& packet : packets[t]) av_packet_rescale_ts(packet.get(), bases[t], format->streams[t]->time_base);
  }
  std::vector<std::size_t> next(tracks.size(), 0);
  for (;;) {
    int first = -1;
    for (std::size_t t = 0; t < tracks.size(); ++t) {
      if (next[t] >= packets[t].size()) continue;
      if (first < 0 || av_compare_ts(packets[t][next[t]]->dts, format->streams[t]->time_base,
                                     packets[static_cast<std::size_t>(first)][next[static_cast<std::size_t>(first)]]->dts,
                                     format->streams[first]->time_base) < 0) {
        first = static_cast<int>(t);
      }
    }
    if (first < 0) break;
    const auto t = static_cast<std::size_t>(first);
    ASSERT_GE(av_interleaved_write_frame(format.get(), packets[t][next[t]++].get()), 0);
  }
  ASSERT_GE(av_write_trailer(format.get()), 0);
}

}  // namespace actio::video
