#include "motion/block_search.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <span>

#include "core/error.h"
#include "motion/block_ops.h"
#include "motion/block_pictures.h"

namespace actio::motion {
namespace {

constexpr int kCellSide = 8;           // the field is kept per 8 x 8 pixels
constexpr int kMostTried = 144;        // candidates of one block
constexpr int kMostMoves = 12;         // of one descent
constexpr std::uint32_t kQuiet = 96;   // sum of differences of a block that needs no search
constexpr std::uint32_t kGood = 512;   // of one that is found near its neighbours' motion
constexpr std::uint32_t kSplit = 640;  // of one that may hold two motions
constexpr std::uint32_t kSplitPrice = 64;

struct ShiftLimits {
  Shift least, most;
};

constexpr Shift kRing[] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};

int middle(int a, int b, int c) { return std::max(std::min(a, b), std::min(std::max(a, b), c)); }

bool near(Shift a, Shift b) { return std::abs(a.x - b.x) <= 4 && std::abs(a.y - b.y) <= 4; }

std::uint32_t total(const QuarterSums& sums) { return sums.of[0] + sums.of[1] + sums.of[2] + sums.of[3]; }

constexpr int kZeroPlace = 0, kMedianPlace = 1;  // among what is tried for every block

// What was tried for one block, with the differences of its quarters.
class BlockTrial {
 public:
  explicit BlockTrial(ReferencePicture& reference) : reference_(reference) {}

  void begin(GreyPicture current, int x, int y, const ShiftLimits& limits, Shift expected) {
    x_ = x;
    y_ = y;
    limits_ = limits;
    expected_ = expected;
    count_ = 0;
    best_ = -1;
    for (int row = 0; row < kBlockSide; ++row)
      std::memcpy(block_ + std::ptrdiff_t{row} * kBlockSide, current.pixels + (y + row) * current.stride + x, kBlockSide);
  }

  // Returns: the place of the cheapest of them.
  int try_all(std::span<const Shift> shifts) {
    int cheapest = count_;
    for (std::size_t from = 0; from < shifts.size(); from += kCandidates) {
      const int first = count_;
      try_some(shifts.subspan(from, std::min<std::size_t>(kCandidates, shifts.size() - from)));
      for (int i = first; i < count_; ++i) {
        if (cost(i) < cost(cheapest)) cheapest = i;
      }
    }
    if (best_ < 0 || cost(cheapest) < cost(best_)) best_ = cheapest;
    return cheapest;
  }

  // Of one quarter alone, which is not kept.
  void try_quarter(int quarter, std::span<const Shift> shifts, Shift* tried, std::uint32_t* differences) {
    const int x = 8 * (quarter / 2), y = 8 * (quarter % 2);
    CandidateBlocks candidates;
    const bool between = locate_all(shifts, x_ + x, y_ + y, tried, candidates);
    (between ? mean_small_differences : whole_small_differences)(block_ + std::ptrdiff_t{y} * kBlockSide + x, kBlockSide,
                                                                 candidates, differences);
  }

  bool full() const { return count_ + 32 > kMostTried; }
  int count() const { return count_; }
  int best() const { return best_; }
  Shift shift(int i) const { return shifts_[i]; }
  std::uint32_t most() const { return *std::max_element(differences_, differences_ + count_); }
  const QuarterSums& quarters(int i) const { return sums_[i]; }
  std::uint32_t difference(int i) const { return differences_[i]; }
  std::uint32_t cost(int i) const { return costs_[i]; }

 private:
  void try_some(std::span<const Shift> shifts) {
    CandidateBlocks candidates;
    const bool between = locate_all(shifts, x_, y_, shifts_ + count_, candidates);
    (between ? mean_block_differences : whole_block_differences)(block_, candidates, sums_ + count_);
    const int end = count_ + static_cast<int>(shifts.size());
    for (; count_ < end; ++count_) {
      differences_[count_] = total(sums_[count_]);
      costs_[count_] = differences_[count_] + price(shifts_[count_], expected_);
    }
  }

  // The shifts, moved into the limits; fewer than kCandidates are filled up. Returns: whether one is between halves of
  // pixels.
  bool locate_all(std::span<const Shift> shifts, int x, int y, Shift* tried, CandidateBlocks& candidates) {
    candidates.stride = reference_.stride();
    int fraction = 0, top = INT32_MAX, bottom = INT32_MIN;
    for (std::size_t i = 0; i < kCandidates; ++i) {
      // By coordinates: to copy a Shift as one that was just written as two waits for the memory.
      const Shift& shift = shifts[std::min(i, shifts.size() - 1)];
      const int right = std::clamp(shift.x, limits_.least.x, limits_.most.x);
      const int down = std::clamp(shift.y, limits_.least.y, limits_.most.y);
      tried[i].x = right;
      tried[i].y = down;
      fraction |= right | down;
      top = std::min(top, down);
      bottom = std::max(bottom, down);
      reference_.locate(4 * x + right, 4 * y + down, candidates.first[i], candidates.second[i]);
    }
    if ((fraction & 3) == 0) return false;
    reference_.prepare(y + (top >> 2), y + (bottom >> 2) + kBlockSide);
    return (fraction & 1) != 0;
  }

  alignas(64) std::uint8_t block_[kBlockSide * kBlockSide];
  ReferencePicture& reference_;
  ShiftLimits limits_;
  int x_ = 0, y_ = 0;
  Shift expected_;
  int count_ = 0, best_ = -1;
  Shift shifts_[kMostTried];
  QuarterSums sums_[kMostTried];
  std::uint32_t differences_[kMostTried], costs_[kMostTried];
};

// What is known of a block before it is looked at.
struct Guides {
  Shift left, top, corner, median;
  bool agree = false;  // the neighbours move as one
};

void descend(BlockTrial& trial, int centre, int step, int most_moves) {
  for (int moves = 0; moves < most_moves && !trial.full(); ++moves) {
    Shift ring[4];
    for (int i = 0; i < 4; ++i) ring[i] = trial.shift(centre) + step * kRing[i];
    const int next = trial.try_all(ring);
    if (trial.cost(next) >= trial.cost(centre)) return;
    centre = next;
  }
}

void refine(BlockTrial& trial, int step) {
  Shift ring[8];
  for (int i = 0; i < 8; ++i) ring[i] = trial.shift(trial.best()) + step * kRing[i];
  trial.try_all(ring);
}

// What suits a quarter of a block best so far.
struct QuarterShift {
  Shift shift;
  std::uint32_t difference = 0, cost = UINT32_MAX;
  std::uint32_t most = 0;  // difference of what suits it worst
};

QuarterShift best_of_quarter(const BlockTrial& trial, int quarter) {
  QuarterShift best;
  for (int i = 0; i < trial.count(); ++i) {
    const std::uint32_t difference = trial.quarters(i).of[quarter];
    const std::uint32_t cost = difference + price(trial.shift(i), trial.shift(trial.best()));
    if (cost < best.cost) best = {trial.shift(i), difference, cost, best.most};
    best.most = std::max(best.most, difference);
  }
  return best;
}

void refine_quarter(BlockTrial& trial, int quarter, int step, QuarterShift& best) {
  const Shift centre = best.shift;
  for (int from = 0; from < 8; from += kCandidates) {
    Shift shifts[kCandidates], tried[kCandidates];
    std::uint32_t differences[kCandidates];
    for (int i = 0; i < kCandidates; ++i) shifts[i] = centre + step * kRing[from + i];
    trial.try_quarter(quarter, shifts, tried, differences);
    for (int i = 0; i < kCandidates; ++i) {
      const std::uint32_t cost = differences[i] + price(tried[i], trial.shift(trial.best()));
      if (cost < best.cost) best = {tried[i], differences[i], cost, best.most};
    }
  }
}

// Where no place that was tried is much worse than the best one, noise decides which one that is.
bool looks_flat(std::uint32_t least, std::uint32_t most, std::uint32_t pixels) {
  return most < least + least / 2 + pixels / 4;
}

// Finer differences than noise makes do not count: then the block goes with its neighbours or stands still.
int settled(const BlockTrial& trial, const Guides& guides, bool flat) {
  const std::uint32_t least = trial.difference(trial.best()), tolerance = flat ? least / 3 + 64 : least / 8 + 32;
  if (guides.agree && trial.difference(kMedianPlace) <= least + tolerance / 2) return kMedianPlace;
  if (trial.difference(kZeroPlace) <= least + tolerance) return kZeroPlace;
  return trial.best();
}

}  // namespace

struct BlockSearch::Impl {
  Impl(int picture_width, int picture_height)
      : width(picture_width),
        height(picture_height),
        columns((width + kBlockSide - 1) / kBlockSide),
        rows((height + kBlockSide - 1) / kBlockSide),
        reference(width, height),
        trial(reference),
        coarse(width, height),
        field(4 * static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)),
        past(field.size()) {}

  std::size_t cell_place(int column, int row) const {
    return static_cast<std::size_t>(row) * 2 * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
  }
  Shift& cell(int column, int row) { return field[cell_place(column, row)]; }

  // Of the last field, at a place that is moved into the picture.
  Shift past_cell(int column, int row) const {
    return past[cell_place(std::min(column, 2 * columns - 1), std::min(row, 2 * rows - 1))];
  }

  Guides guides(int column, int row) {
    Guides found;
    const int x = 2 * column, y = 2 * row;
    if (column > 0) found.left = cell(x - 1, y);
    if (row == 0) {
      found.top = found.corner = found.median = found.left;
    } else {
      found.top = cell(x, y - 1);
      if (column + 1 < columns)
        found.corner = cell(x + 2, y - 1);
      else if (column > 0)
        found.corner = cell(x - 1, y - 1);
      found.median = {middle(found.left.x, found.top.x, found.corner.x), middle(found.left.y, found.top.y, found.corner.y)};
    }
    found.agree = near(found.left, found.median) && near(found.top, found.median) && near(found.corner, found.median);
    return found;
  }

  void search(int column, int row, GreyPicture current) {
    const int x = std::min(column * kBlockSide, width - kBlockSide), y = std::min(row * kBlockSide, height - kBlockSide);
    const ShiftLimits limits{{-4 * (x + kOutside), -4 * (y + kOutside)},
                             {4 * (width - kBlockSide - x + kOutside), 4 * (height - kBlockSide - y + kOutside)}};
    const Guides known = guides(column, row);
    trial.begin(current, x, y, limits, known.median);
    trial.try_all(std::array{Shift{}, known.median, known.left, known.top});
    if (std::min(trial.difference(kZeroPlace), trial.difference(kMedianPlace)) > kQuiet) look_around(known, column, row);
    const bool flat = looks_flat(trial.difference(trial.best()), trial.most(), kBlockSide * kBlockSide);
    const Shift found = trial.shift(settled(trial, known, flat));
    for (int i = 0; i < 4; ++i) cell(2 * column + i % 2, 2 * row + i / 2) = found;
    const bool whole = x == column * kBlockSide && y == row * kBlockSide;
    if (whole && !flat && trial.difference(trial.best()) > kSplit) split(column, row);
  }

  void look_around(const Guides& known, int column, int row) {
    trial.try_all(std::array{known.corner, past_cell(2 * column, 2 * row), past_cell(2 * column + 2, 2 * row),
                             past_cell(2 * column, 2 * row + 2)});
    if (coarse.usable() && trial.difference(trial.best()) > kGood) {
      const int x = column * kBlockSide, y = row * kBlockSide;
      const int beside = std::clamp(x + (x % 32 == 0 ? -16 : 16), 0, width - 1);
      const int above = std::clamp(y + (y % 32 == 0 ? -16 : 16), 0, height - 1);
      trial.try_all(std::array{coarse.find(x, y), coarse.find(beside, y), coarse.find(x, above)});
    }
    if (trial.difference(trial.best()) > kGood) descend(trial, trial.best(), 8, kMostMoves);
    descend(trial, trial.best(), 4, kMostMoves);
    refine(trial, 2);
    refine(trial, 1);
  }

  void split(int column, int row);
  void run(GreyPicture previous, GreyPicture current, std::vector<video::BlockVector>& vectors);
  void hand_out(std::vector<video::BlockVector>& vectors);

  int width, height;
  int columns, rows;  // blocks
  ReferencePicture reference;
  BlockTrial trial;
  CoarseSearch coarse;
  std::vector<Shift> field, past;  // per cell, by rows
};

// Each quarter starts from what suited it best while the whole was searched for.
void BlockSearch::Impl::split(int column, int row) {
  const std::uint32_t whole = trial.cost(trial.best());
  QuarterShift quarters[kQuarters];
  std::uint32_t sum = kSplitPrice;
  for (int q = 0; q < kQuarters; ++q) sum += (quarters[q] = best_of_quarter(trial, q)).cost;
  if (sum >= whole) return;
  sum = kSplitPrice;
  for (int q = 0; q < kQuarters; ++q) {
    const Shift start = quarters[q].shift;
    refine_quarter(trial, q, 4, quarters[q]);
    if (quarters[q].shift != start) refine_quarter(trial, q, 4, quarters[q]);
    refine_quarter(trial, q, 2, quarters[q]);
    refine_quarter(trial, q, 1, quarters[q]);
    sum += quarters[q].cost;
  }
  if (sum >= whole - whole / 8) return;
  for (int q = 0; q < kQuarters; ++q) {
    const std::uint32_t least = quarters[q].difference;
    const bool flat = looks_flat(least, quarters[q].most - quarters[q].most / 8, kCellSide * kCellSide);
    const bool moves = trial.quarters(kZeroPlace).of[q] > least + (flat ? least / 2 + 16 : least / 8 + 8);
    cell(2 * column + q / 2, 2 * row + q % 2) = moves ? quarters[q].shift : Shift{};
  }
}

void BlockSearch::Impl::hand_out(std::vector<video::BlockVector>& vectors) {
  vectors.clear();
  vectors.reserve(field.size());
  const auto add = [&](int x, int y, int side, Shift shift) {
    const auto length = static_cast<std::int16_t>(side);
    vectors.push_back({static_cast<std::int16_t>(x), static_cast<std::int16_t>(y), length, length,
                       -0.25F * static_cast<float>(shift.x), -0.25F * static_cast<float>(shift.y), -1});
  };
  for (int y = 0; y < 2 * rows; y += 2) {
    for (int x = 0; x < 2 * columns; x += 2) {
      const Shift first = cell(x, y);
      if (first == cell(x + 1, y) && first == cell(x, y + 1) && first == cell(x + 1, y + 1)) {
        add(x * kCellSide, y * kCellSide, kBlockSide, first);
        continue;
      }
      for (int i = 0; i < 4; ++i)
        add((x + i % 2) * kCellSide, (y + i / 2) * kCellSide, kCellSide, cell(x + i % 2, y + i / 2));
    }
  }
}

void BlockSearch::Impl::run(GreyPicture previous, GreyPicture current, std::vector<video::BlockVector>& vectors) {
  reference.load(previous);
  coarse.load(previous, current);
  std::swap(field, past);
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) search(column, row, current);
  }
  hand_out(vectors);
}

BlockSearch::BlockSearch(int width, int height) {
  if (width < 16 || height < 16 || width > 16384 || height > 16384) {
    fail_usage("block search: the picture must have 16 to 16384 pixels a side, got {} x {}", width, height);
  }
  impl_ = std::make_unique<Impl>(width, height);
}

BlockSearch::~BlockSearch() = default;
BlockSearch::BlockSearch(BlockSearch&&) noexcept = default;
BlockSearch& BlockSearch::operator=(BlockSearch&&) noexcept = default;

int BlockSearch::width() const { return impl_->width; }
int BlockSearch::height() const { return impl_->height; }

void BlockSearch::run(GreyPicture previous, GreyPicture current, std::vector<video::BlockVector>& vectors) {
  impl_->run(previous, current, vectors);
}

void BlockSearch::forget() { std::ranges::fill(impl_->field, Shift{}); }

}  // namespace actio::motion
