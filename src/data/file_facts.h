// data: what a file says without its pictures being understood. In: a video. Out: how it is packed and encoded, and a
// glimpse of it.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "core/options.h"
#include "data/glimpse.h"
#include "data/read_limits.h"

namespace actio::data {

struct FileFacts {
  std::string container, codec, profile, pixel_format;  // as video::StreamInfo
  int width = 0, height = 0;                            // as displayed
  std::int64_t bytes = 0;                               // of the file
  std::int64_t frames = 0;
  std::int64_t key_distance = 0;  // the most frames from one where decoding can start to the next
  double seconds = 0;             // of the frames
  double frames_per_second = 0;   // 0 where unknown, as the next
  double bits_per_second = 0;     // of the whole file
  bool audio = false;
  bool vectors = false;  // motion vectors can be read: its codec exports them, and not every frame stands alone
  std::array<double, 4> borders{};  // Glimpse::borders
};

Json to_json(const FileFacts& facts);

struct ClipLook {
  FileFacts facts;
  Glimpse glimpse;
};

// Opens the file once and decodes what three frames need; all of it where the packets do not tell which these are.
// Throws: as video::Decoder; Error(kBadData) where no frame can be decoded.
ClipLook look_at(const std::string& path, const ReadLimits& limits = {}, const std::stop_token& stop = {});

}  // namespace actio::data
