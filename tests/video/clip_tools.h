// What the tests of this folder share: decoding whole files, damaging them, and finding the real clips.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"
#include "video/decoder.h"

namespace actio::video {

using testing::read_index;
using testing::SyntheticClip;
using testing::TempDir;

inline std::vector<Frame> decode_all(const std::string& path, bool vectors = false) {
  DecoderOptions options;
  options.vectors = vectors;
  Decoder decoder(path, options);
  std::vector<Frame> frames;
  while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
  return frames;
}

// The Error that `action` throws; a test failure and an empty one where it throws none.
inline Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return Error(ErrorCode::kFailed, "");
}

inline std::string read_bytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace actio::video
