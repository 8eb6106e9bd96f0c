#include "motion/tvl1_solver.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <tuple>

#include "core/error.h"

namespace actio::motion {
namespace {

constexpr std::align_val_t kAlign{64};
constexpr int kSmallestSide = 16;
constexpr int kSmallestStrip = 12;  // rows; below that the halo costs more than a thread brings

std::unique_ptr<float[], void (*)(float*)> allocate(std::size_t floats) {
  auto* memory = static_cast<float*>(::operator new[](floats * sizeof(float), kAlign, std::nothrow));
  if (memory == nullptr) fail("optical flow: {} MiB of memory are needed and cannot be had", (floats * sizeof(float)) >> 20);
  std::memset(memory, 0, floats * sizeof(float));
  return {memory, [](float* p) { ::operator delete[](p, kAlign); }};
}

// Hands out parts of the memory; without memory it only counts.
struct Carver {
  float* base;
  std::size_t used = 0;

  float* take(std::size_t floats) {
    float* part = base == nullptr ? nullptr : base + used;
    // An odd number of lines more, so that planes do not start on the same sets of the cache.
    used += (floats + kRowAlign - 1) / kRowAlign * kRowAlign + 5 * kRowAlign;
    return part;
  }

  Plane plane(int width, int height, int parts, std::ptrdiff_t stride) {
    float* start = take(static_cast<std::size_t>((height + 2) * parts * stride + kRowAlign));
    return {start == nullptr ? nullptr : start + kRowAlign + parts * stride, width, height, parts, stride};
  }
};

// Where pixel `to` of `to_size` lies among `from_size` pixels: the index before it and the fraction after that.
std::pair<int, float> place(int to, int to_size, int from_size) {
  const double at = (to + 0.5) * from_size / to_size - 0.5;
  const int before = std::clamp(static_cast<int>(std::floor(at)), 0, from_size - 2);
  return {before, static_cast<float>(std::clamp(at - before, 0.0, 1.0))};
}

}  // namespace

Tvl1Solver::Tvl1Solver(int width, int height, const Tvl1Options& options, int threads)
    : options_(options), crew_(threads), memory_(nullptr, [](float*) {}), members_(threads) {
  double w = width, h = height;
  while (static_cast<int>(levels_.size()) < options.scales && std::lround(w) >= kSmallestSide &&
         std::lround(h) >= kSmallestSide) {
    FlowLevel level;
    level.width = static_cast<int>(std::lround(w));
    level.height = static_cast<int>(std::lround(h));
    levels_.push_back(level);
    w = level.width * options.scale_step;
    h = level.height * options.scale_step;
  }
  memory_ = allocate(lay_out(nullptr));
  lay_out(memory_.get());
  fill_tables();
}

std::size_t Tvl1Solver::lay_out(float* base) {
  Carver carver{base};
  const int width = levels_[0].width, height = levels_[0].height;
  const std::ptrdiff_t stride = part_stride(width);
  for (FlowLevel& level : levels_) {
    level.first = carver.plane(level.width, level.height, 1, stride);
    level.second = carver.plane(level.width, level.height, 1, stride);
    for (float** fraction : {&level.up_fraction, &level.down_fraction})
      *fraction = carver.take(static_cast<std::size_t>(stride));
    for (std::int32_t** left : {&level.up_left, &level.down_left}) {
      *left = reinterpret_cast<std::int32_t*>(carver.take(static_cast<std::size_t>(stride)));
    }
  }
  for (int copy = 0; copy < 2; ++copy) {
    flow_[copy] = carver.plane(width, height, 2, stride);
    dual_[copy] = carver.plane(width, height, 4, stride);
    changes_[copy] = carver.take(static_cast<std::size_t>(height));
  }
  data_ = carver.plane(width, height, 4, stride);
  zeros_ = carver.take(static_cast<std::size_t>(4 * stride + kRowAlign));
  if (zeros_ != nullptr) zeros_ += kRowAlign;
  for (Member& member : members_) {
    member.flow_halo = carver.plane(width, 2 * kBlock, 2, stride);
    member.dual_halo = carver.plane(width, 2 * kBlock, 4, stride);
    for (float*& row : member.ahead) row = carver.take(static_cast<std::size_t>(2 * stride));
    member.scratch = carver.take(static_cast<std::size_t>(5 * stride + 2 * kRowAlign));
  }
  return carver.used;
}

void Tvl1Solver::fill_tables() {
  for (std::size_t s = 0; s < levels_.size(); ++s) {
    FlowLevel& level = levels_[s];
    if (s == 0) continue;
    const FlowLevel& finer = levels_[s - 1];
    for (int x = 0; x < level.width; ++x)
      std::tie(level.down_left[x], level.down_fraction[x]) = place(x, level.width, finer.width);
    for (int x = 0; x < finer.width; ++x)
      std::tie(level.up_left[x], level.up_fraction[x]) = place(x, finer.width, level.width);
  }
}

Strip Tvl1Solver::strip(int height, int member) const {
  const int strips = std::clamp(height / kSmallestStrip, 1, crew_.members());
  if (member >= strips) return {};
  const auto edge = [&](int i) { return static_cast<int>(static_cast<std::int64_t>(height) * i / strips); };
  return {edge(member), edge(member + 1)};
}

void Tvl1Solver::run(const std::uint8_t* first, const std::uint8_t* second, float* flow) {
  first_ = first;
  second_ = second;
  out_ = flow;
  crew_.run([](void* self, int member) { static_cast<Tvl1Solver*>(self)->solve(member); }, this);
}

void Tvl1Solver::solve(int member) {
  load_pictures(member);
  const int coarsest = static_cast<int>(levels_.size()) - 1;
  for (int level = 1; level <= coarsest; ++level) {
    crew_.meet();
    shrink(level, member);
  }
  Present present;
  const Strip start = strip(levels_[coarsest].height, member);
  for (int y = start.begin; y < start.end; ++y) std::fill_n(flow_[0].row(y) - kRowAlign, 2 * flow_[0].stride, 0.0F);
  crew_.meet();
  for (int level = coarsest; level >= 0; --level) {
    solve_level(level, member, present);
    if (level == 0) break;
    enlarge(level, member, present);
    crew_.meet();
  }
  const Strip rows = strip(levels_[0].height, member);
  const std::size_t width = static_cast<std::size_t>(levels_[0].width),
                    size = width * static_cast<std::size_t>(levels_[0].height);
  for (int y = rows.begin; y < rows.end; ++y) {
    for (int c = 0; c < 2; ++c) {
      std::copy_n(flow_[present.flow].row(y, c), width,
                  out_ + static_cast<std::size_t>(c) * size + static_cast<std::size_t>(y) * width);
    }
  }
}

void Tvl1Solver::load_pictures(int member) {
  const FlowLevel& level = levels_[0];
  const Strip rows = strip(level.height, member);
  for (int y = rows.begin; y < rows.end; ++y) {
    const std::size_t offset = static_cast<std::size_t>(y) * static_cast<std::size_t>(level.width);
    bytes_to_floats(first_ + offset, level.width, level.first.row(y));
    bytes_to_floats(second_ + offset, level.width, level.second.row(y));
  }
  border(level.second, rows);
}

// Repeats the outermost pixels of `rows` one pixel outwards.
void Tvl1Solver::border(const Plane& plane, Strip rows) const {
  const std::size_t count = static_cast<std::size_t>(plane.width) + 2;
  for (int y = rows.begin; y < rows.end; ++y) {
    float* row = plane.row(y);
    row[-1] = row[0];
    row[plane.width] = row[plane.width - 1];
    if (y == 0) std::copy_n(row - 1, count, plane.row(-1) - 1);
    if (y == plane.height - 1) std::copy_n(row - 1, count, plane.row(plane.height) - 1);
  }
}

void Tvl1Solver::shrink(int index, int member) {
  const FlowLevel &level = levels_[index], &finer = levels_[index - 1];
  const Strip rows = strip(level.height, member);
  for (int y = rows.begin; y < rows.end; ++y) {
    const auto [top, fraction] = place(y, level.height, finer.height);
    for (const auto& [from, to] : {std::pair(&finer.first, &level.first), std::pair(&finer.second, &level.second)}) {
      resize_row({from->row(top), from->row(top + 1), finer.width, level.width, fraction, 1, level.down_left,
                  level.down_fraction, members_[member].scratch},
                 to->row(y));
    }
  }
  border(level.second, rows);
}

void Tvl1Solver::enlarge(int index, int member, Present& present) {
  const FlowLevel &level = levels_[index], &finer = levels_[index - 1];
  const Strip rows = strip(finer.height, member);
  const int from = present.flow, dual_from = present.dual;
  present.flow ^= 1;
  present.dual ^= 1;
  present.dual_is_zero = options_.carry == 0;
  ResizeRow resize{.from_width = level.width,
                   .to_width = finer.width,
                   .left = level.up_left,
                   .fx = level.up_fraction,
                   .scratch = members_[member].scratch};
  const float gain[2] = {static_cast<float>(finer.width) / static_cast<float>(level.width),
                         static_cast<float>(finer.height) / static_cast<float>(level.height)};
  for (int y = rows.begin; y < rows.end; ++y) {
    int top = 0;
    std::tie(top, resize.fy) = place(y, finer.height, level.height);
    for (int c = 0; c < 2; ++c) {
      resize.top = flow_[from].row(top, c);
      resize.bottom = flow_[from].row(top + 1, c);
      resize.gain = gain[c];
      resize_row(resize, flow_[present.flow].row(y, c));
    }
    for (int c = 0; c < 4 && !present.dual_is_zero; ++c) {
      float* to = dual_[present.dual].row(y, c);
      resize.top = dual_[dual_from].row(top, c);
      resize.bottom = dual_[dual_from].row(top + 1, c);
      resize.gain = static_cast<float>(options_.carry);
      resize_row(resize, to);
      // Derivatives across the right and the lower border are zero, and so are their duals.
      if (c % 2 == 0) to[finer.width - 1] = 0;
      if (c % 2 == 1 && y == finer.height - 1) std::fill_n(to, finer.width, 0.0F);
    }
  }
}

void Tvl1Solver::solve_level(int index, int member, Present& present) {
  const FlowLevel& level = levels_[index];
  const double enough = options_.epsilon * options_.epsilon * level.width * level.height;
  int parity = 0;
  for (int warp = 0; warp < options_.warps; ++warp) {
    linearise(index, member, present.flow);
    if (options_.median > 1) {
      filter(index, member, present.flow);
      present.flow ^= 1;
    }
    crew_.meet();
    for (int done = 0; done < options_.iterations; done += kBlock) {
      iterate(index, member, std::min(kBlock, options_.iterations - done), present, parity);
      crew_.meet();
      if (change_of(level.height, parity) <= enough) break;
      parity ^= 1;
    }
    parity ^= 1;
  }
}

double Tvl1Solver::change_of(int height, int parity) const {
  double sum = 0;
  for (int y = 0; y < height; ++y) sum += static_cast<double>(changes_[parity][y]);
  return sum;
}

void Tvl1Solver::linearise(int index, int member, int copy) {
  const FlowLevel& level = levels_[index];
  const Strip rows = strip(level.height, member);
  const auto gain = static_cast<float>(options_.primal_step / (options_.primal_step + options_.theta));
  for (int y = rows.begin; y < rows.end; ++y) {
    linearise_row({level.second, level.first.row(y), flow_[copy].row(y), data_.row(y), y, gain});
  }
}

void Tvl1Solver::filter(int index, int member, int copy) {
  const FlowLevel& level = levels_[index];
  const Strip rows = strip(level.height, member);
  const int reach = options_.median / 2;
  for (int y = rows.begin; y < rows.end; ++y) {
    for (int c = 0; c < 2; ++c) {
      const float* from[5] = {};
      for (int k = 0; k < options_.median; ++k) from[k] = flow_[copy].row(std::clamp(y + k - reach, 0, level.height - 1), c);
      float* to = flow_[copy ^ 1].row(y, c);
      median_row(from, options_.median, level.width, members_[member].scratch, to);
    }
  }
}

// `count` iterations on the member's strip, as a wave: iteration t follows t rows behind the first, so that a row stays in
// the cache for all of them. The rows around the strip that this needs are computed here too, into the halo, as their owner
// does it.
void Tvl1Solver::iterate(int index, int member, int count, Present& present, int parity) {
  const FlowLevel& level = levels_[index];
  const Strip own = strip(level.height, member);
  const int height = level.height, from = present.flow, dual_from = present.dual;
  const bool fresh = present.dual_is_zero;
  present = {from ^ 1, dual_from ^ 1, false};
  if (own.empty()) return;
  const Member& mine = members_[member];
  const auto target = [&](const Plane& plane, const Plane& halo, int y) {
    if (y < own.begin) return halo.row(y - own.begin + kBlock);
    return y < own.end ? plane.row(y) : halo.row(y - own.end + kBlock);
  };
  const auto flow_to = [&](int y) { return target(flow_[from ^ 1], mine.flow_halo, y); };
  const auto dual_to = [&](int y) { return target(dual_[dual_from ^ 1], mine.dual_halo, y); };
  const double primal = options_.primal_step, dual_step = options_.tau / primal;
  const StepWeights weights{static_cast<float>(primal), static_cast<float>(options_.lambda * primal),
                            static_cast<float>(options_.relax), static_cast<float>(dual_step),
                            static_cast<float>(1 / (1 + dual_step * options_.huber))};
  const int top = std::max(0, own.begin - (count - 1));
  for (int front = top; front <= std::min(height, own.end + count - 1) + count - 1; ++front) {
    for (int t = 0; t < count; ++t) {
      const int y = front - t;
      const int begin = std::max(0, own.begin - (count - 1 - t)), end = std::min(height, own.end + (count - 1 - t));
      if (y < begin || y > end) continue;
      StepRows rows;
      rows.width = level.width;
      rows.stride = data_.stride;
      const auto dual = [&](int r) -> const float* {
        if (r < 0 || (t == 0 && fresh)) return zeros_;
        return t == 0 ? dual_[dual_from].row(r) : dual_to(r);
      };
      rows.p_above = dual(y - 1);
      if (y < height) {
        rows.u_from = t == 0 ? flow_[from].row(y) : flow_to(y);
        rows.u_to = flow_to(y);
        rows.p_from = dual(y);
        rows.data = data_.row(y);
        if (t == count - 1 && y < own.end) rows.change = changes_[parity] + y;
      }
      if (y > begin) rows.p_to = dual_to(y - 1);
      rows.ahead = mine.ahead[t];
      step_rows(y == begin ? StepPart::kFirstRow : y < height ? StepPart::kMiddleRow : StepPart::kLastRow, rows, weights);
    }
  }
}

}  // namespace actio::motion
