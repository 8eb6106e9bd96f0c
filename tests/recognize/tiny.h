// Models that know nothing, and clips to ask them about.
#pragma once

#include <string>
#include <vector>

#include "cli/tiny_model.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"

namespace actio::testing {

// Clips of several lengths and sizes that move differently.
inline std::vector<std::string> write_clips(const TempDir& dir, int count) {
  std::vector<std::string> paths;
  for (int i = 0; i < count; ++i) {
    const std::string path = dir / ("clip" + std::to_string(i) + ".mp4");
    write_synthetic_clip({.path = path, .frames = 9 + i % 5, .width = 96 + 16 * (i % 3), .dx = 1.0 + i, .seed = static_cast<std::uint64_t>(i)});
    paths.push_back(path);
  }
  return paths;
}

}  // namespace actio::testing
