// video: finds the picture that a block was predicted from by comparing pixels. In: a block, its vector, the candidates.
// Out: the candidate.
#pragma once

#include <span>

struct AVFrame;

namespace actio::video {

struct Reference {
  const AVFrame* picture = nullptr;
  int distance = 1;  // frames between it and the picture that refers to it, 1 or more
};

struct Block {
  int x = 0, y = 0;  // top left corner, pixels
  int width = 0, height = 0;
  float motion_x = 0, motion_y = 0;  // from the block to where it was predicted from, pixels
};

// `candidates` holds one at least, the nearest first. The nearest is kept unless another fits clearly better.
const Reference& best_reference(const AVFrame& picture, const Block& block, std::span<const Reference> candidates);

}  // namespace actio::video
