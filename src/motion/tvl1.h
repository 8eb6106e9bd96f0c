// motion: dense optical flow by the dual TV-L1 method. In: two grey pictures. Out: the displacement of each pixel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace actio::motion {

// The energy is that of the papers (STFN sec. 4.2, TSN, IF-TTN), which take its constants from OpenCV. It is minimised by a
// primal-dual scheme and its total variation is rounded at the bottom; docs/results/tvl1.md has the effect of both.
// Source: Zach, Pock, Bischof, A Duality Based Approach for Realtime TV-L1 Optical Flow; Chambolle, Pock, A First-Order
// Primal-Dual Algorithm for Convex Problems, algorithm 1; Werlberger et al., Anisotropic Huber-L1 Optical Flow.
struct Tvl1Options {
  double tau = 0.25;         // product of the steps of the flow and of its dual variables, at most 0.5 / (1 + 2 relax)
  double lambda = 0.15;      // weight of the data term
  double theta = 0.3;        // coupling of the two terms
  double scale_step = 0.8;   // size of a level of the pyramid over that of the level below
  double epsilon = 0.01;     // the iterations of a warp end when the mean change of the flow is smaller, pixels; looked at
                             // after every tenth
  double primal_step = 0.8;  // step of the flow
  double relax = 0.5;        // extrapolation of the flow before a step of the dual variables, in steps of the flow
  double huber = 0.04;  // flow gradients below it are smoothed quadratically, which avoids the stairs of total variation
  double carry = 0.5;   // share of the dual variables that the next finer level starts with
  int scales = 5;       // levels, fewer where the smallest would have less than 16 pixels a side
  int warps = 5;        // of a level
  int iterations = 20;  // of a warp, at most
  int median = 5;       // side of the median filter on the flow before the iterations of a warp: 5, 3, or 1 for none
};

// The names that `tvl1_options` knows, the best one first.
std::vector<std::string> tvl1_qualities();

// What a quality stands for: "paper" is the papers' setting; "fast" and "realtime" halve the picture from level to level and
// iterate less.
// Throws: Error(kUsage) naming the nearest quality.
Tvl1Options tvl1_options(std::string_view quality);

// Owns: all memory it works in; running it allocates nothing.
// Threads: one Tvl1 belongs to one thread at a time; it may use `threads` of its own while it runs. The result does not
// depend on their number.
class Tvl1 {
 public:
  // Throws: Error(kUsage) for a picture of less than 16 x 16 or more than 16384 pixels a side, or options that make no
  // sense.
  Tvl1(int width, int height, const Tvl1Options& options = {}, int threads = 1);
  ~Tvl1();
  Tvl1(Tvl1&&) noexcept;
  Tvl1& operator=(Tvl1&&) noexcept;

  int width() const;
  int height() const;

  // The flow u with first(x) = second(x + u(x)).
  // Shape: first and second u8 [H, W]; flow f32 [2, H, W], x then y. Units: pixels, y down.
  // Throws: Error(kUsage) for tensors of another shape or type.
  void run(const Tensor& first, const Tensor& second, Tensor& flow);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace actio::motion
