// video: finds the picture that a block was predicted from by comparing pixels. In: a block, its vector, the candidates.
// Out: the candidate.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "video/luma_match.h"

struct AVFrame;

namespace actio::video {

struct Reference {
  const AVFrame* picture = nullptr;
  int distance = 1;  // frames between it and the picture that refers to it, 1 or more
};

// The references of one picture in one direction, the nearest first. The nearest is assumed unless another fits clearly
// better.
class BlockMatcher {
 public:
  // The pictures outlive the matcher.
  BlockMatcher(const AVFrame& picture, std::vector<Reference> candidates);

  bool empty() const { return candidates_.empty(); }

  // How far away the picture is that the block was predicted from, frames. Blocks come in the order of the picture: a block
  // whose neighbour has the same vector is taken to have the same reference, which is how codecs predict vectors.
  int distance(const Block& block);

 private:
  struct Decision {
    float motion_x = 0, motion_y = 0;
    int x = 0, y = 0;  // the block that it was last used for
    int distance = 0;  // 0: none yet
    int uses = 0;
  };

  int best_distance(const Block& block) const;

  std::vector<Reference> candidates_;  // those that can be compared, or the nearest alone
  std::vector<LumaPlane> planes_;      // theirs
  LumaPlane here_;
  std::array<Decision, 64> known_;  // by vector
};

}  // namespace actio::video
