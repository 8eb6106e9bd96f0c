// motion: the pyramid, the warps and the iterations of TV-L1, on all threads of a crew. In: two grey pictures. Out: the
// flow.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "motion/flow_ops.h"
#include "motion/tvl1.h"
#include "motion/tvl1_crew.h"

namespace actio::motion {

inline constexpr int kBlock = 10;  // iterations that run over the rows as one wave, between two meetings

// Rows [begin, end) of a level that one member owns.
struct Strip {
  int begin = 0, end = 0;
  bool empty() const { return begin >= end; }
};

// What is needed of one level of the pyramid.
struct FlowLevel {
  int width = 0, height = 0;
  Plane first, second;
  // Where column x of the next finer level lies in this one, and where column x of this one lies in the next finer.
  std::int32_t* up_left = nullptr;
  float* up_fraction = nullptr;
  std::int32_t* down_left = nullptr;
  float* down_fraction = nullptr;
};

class Tvl1Solver {
 public:
  Tvl1Solver(int width, int height, const Tvl1Options& options, int threads);

  void run(const std::uint8_t* first, const std::uint8_t* second, float* flow);

 private:
  // A member's own memory.
  struct Member {
    Plane flow_halo, dual_halo;  // rows around its strip that it computes for itself, first those above, then those below
    float* scratch = nullptr;
    float* ahead[kBlock] = {};  // the extrapolated flow of one row, per iteration of a block
  };
  // Which of the two copies of the flow and of the dual variables is the present one; the same on all members at any time.
  struct Present {
    int flow = 0, dual = 0;
    bool dual_is_zero = true;
  };

  std::size_t lay_out(float* base);
  void fill_tables();
  Strip strip(int height, int member) const;
  void solve(int member);
  void load_pictures(int member);
  void shrink(int level, int member);
  void border(const Plane& plane, Strip rows) const;
  void solve_level(int level, int member, Present& present);
  void linearise(int level, int member, int copy);
  void filter(int level, int member, int copy);
  void iterate(int level, int member, int count, Present& present, int parity);
  double change_of(int height, int parity) const;
  void enlarge(int level, int member, Present& present);

  Tvl1Options options_;
  Crew crew_;
  std::vector<FlowLevel> levels_;  // the finest first
  std::unique_ptr<float[], void (*)(float*)> memory_;
  std::vector<Member> members_;
  Plane flow_[2], dual_[2], data_;
  float* zeros_ = nullptr;
  float* changes_[2] = {};  // per row
  const std::uint8_t* first_ = nullptr;
  const std::uint8_t* second_ = nullptr;
  float* out_ = nullptr;
};

}  // namespace actio::motion
