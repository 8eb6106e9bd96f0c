#include "data/fixed_pixels.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

namespace actio::data {
namespace {

constexpr int kPixels = kGlimpseWidth * kGlimpseHeight;
constexpr int kTolerance = 12;  // grey levels
constexpr double kLeastInside = 0.9, kMostOutside = 0.5, kMostFixedP = 0.01;
constexpr std::size_t kLeastPixels = 3;  // of a region: 0.13 % of the frame

using Picture = std::vector<std::uint8_t>;

bool near(std::uint8_t value, std::uint8_t grey) { return value != kMoving && std::abs(value - grey) <= kTolerance; }

// A unit has what all of its clips have.
std::vector<Picture> pictures_of_units(std::span<const Picture* const> still, const LabelExchange& exchange) {
  const std::size_t units = exchange.label_of_unit().size();
  std::vector<Picture> low(units, Picture(kPixels, kMoving)), high(units, Picture(kPixels, 0));
  for (std::size_t clip = 0; clip < still.size(); ++clip) {
    const auto unit = static_cast<std::size_t>(exchange.unit_of_clip()[clip]);
    for (std::size_t i = 0; i < kPixels; ++i) {
      low[unit][i] = std::min(low[unit][i], (*still[clip])[i]);
      high[unit][i] = std::max(high[unit][i], (*still[clip])[i]);
    }
  }
  for (std::size_t unit = 0; unit < units; ++unit) {
    for (std::size_t i = 0; i < kPixels; ++i) {
      const int bottom = low[unit][i], top = high[unit][i];
      low[unit][i] =
          top != kMoving && top - bottom <= 2 * kTolerance ? static_cast<std::uint8_t>((bottom + top) / 2) : kMoving;
    }
  }
  return low;
}

struct PixelTest {
  bool fixed = false;
  double inside = 0, outside = 0, p_value = 1;
};

struct Units {
  std::vector<std::size_t> own, others;
};

PixelTest test_pixel(const std::vector<Picture>& pictures, const Units& units, std::size_t pixel) {
  PixelTest test;
  std::vector<std::uint8_t> still;
  for (const std::size_t unit : units.own) {
    if (pictures[unit][pixel] != kMoving) still.push_back(pictures[unit][pixel]);
  }
  const auto own = static_cast<double>(units.own.size()), others = static_cast<double>(units.others.size());
  if (static_cast<double>(still.size()) < kLeastInside * own) return test;
  std::ranges::nth_element(still, still.begin() + static_cast<std::ptrdiff_t>(still.size() / 2));
  const std::uint8_t grey = still[still.size() / 2];
  const auto count = [&](const std::vector<std::size_t>& some) {
    return std::ranges::count_if(some, [&](std::size_t unit) { return near(pictures[unit][pixel], grey); });
  };
  const auto inside = count(units.own);
  if (static_cast<double>(inside) < kLeastInside * own) return test;
  const auto outside = count(units.others);
  test.inside = static_cast<double>(inside) / own;
  test.outside = static_cast<double>(outside) / others;
  test.p_value = fisher_exact(inside, static_cast<std::int64_t>(units.own.size()), inside + outside,
                              static_cast<std::int64_t>(units.own.size() + units.others.size()));
  test.fixed = test.outside <= kMostOutside * test.inside;
  return test;
}

// The largest set of pixels that touch each other.
std::vector<std::size_t> largest_part(const std::vector<PixelTest>& tests) {
  std::vector<bool> seen(tests.size(), false);
  std::vector<std::size_t> largest;
  for (std::size_t start = 0; start < tests.size(); ++start) {
    if (!tests[start].fixed || seen[start]) continue;
    std::vector<std::size_t> part = {start};
    seen[start] = true;
    for (std::size_t done = 0; done < part.size(); ++done) {
      const int x = static_cast<int>(part[done]) % kGlimpseWidth, y = static_cast<int>(part[done]) / kGlimpseWidth;
      for (int v = std::max(0, y - 1); v <= std::min(kGlimpseHeight - 1, y + 1); ++v) {
        for (int u = std::max(0, x - 1); u <= std::min(kGlimpseWidth - 1, x + 1); ++u) {
          const auto next = static_cast<std::size_t>(v * kGlimpseWidth + u);
          if (!tests[next].fixed || seen[next]) continue;
          seen[next] = true;
          part.push_back(next);
        }
      }
    }
    if (part.size() > largest.size()) largest = std::move(part);
  }
  return largest;
}

FixedRegion region_of(const std::vector<PixelTest>& tests, const std::vector<std::size_t>& part) {
  FixedRegion region;
  region.share = static_cast<double>(std::ranges::count(tests, true, &PixelTest::fixed)) / kPixels;
  int left = kGlimpseWidth, right = 0, top = kGlimpseHeight, bottom = 0;
  for (const std::size_t pixel : part) {
    const int x = static_cast<int>(pixel) % kGlimpseWidth, y = static_cast<int>(pixel) / kGlimpseWidth;
    left = std::min(left, x);
    right = std::max(right, x + 1);
    top = std::min(top, y);
    bottom = std::max(bottom, y + 1);
    region.inside += tests[pixel].inside / static_cast<double>(part.size());
    region.outside += tests[pixel].outside / static_cast<double>(part.size());
    region.p_value = std::min(region.p_value, tests[pixel].p_value);
  }
  region.left = static_cast<double>(left) / kGlimpseWidth;
  region.right = static_cast<double>(right) / kGlimpseWidth;
  region.top = static_cast<double>(top) / kGlimpseHeight;
  region.bottom = static_cast<double>(bottom) / kGlimpseHeight;
  return region;
}

}  // namespace

double fisher_exact(std::int64_t inside, std::int64_t drawn, std::int64_t marked, std::int64_t all) {
  const auto log_choose = [](std::int64_t n, std::int64_t k) {
    const auto log_factorial = [](std::int64_t m) { return std::lgamma(static_cast<double>(m) + 1); };
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
  };
  double sum = 0;
  for (std::int64_t i = inside; i <= std::min(drawn, marked); ++i) {
    if (drawn - i > all - marked) continue;
    sum += std::exp(log_choose(marked, i) + log_choose(all - marked, drawn - i) - log_choose(all, drawn));
  }
  return std::min(1.0, sum);
}

std::vector<FixedRegion> find_fixed_pixels(std::span<const Picture* const> still, const Labelling& labelling) {
  const LabelExchange exchange(labelling);
  const std::vector<Picture> pictures = pictures_of_units(still, exchange);
  std::vector<FixedRegion> regions;
  for (int label = 0; label < labelling.classes; ++label) {
    Units units;
    for (std::size_t unit = 0; unit < pictures.size(); ++unit) {
      (exchange.label_of_unit()[unit] == label ? units.own : units.others).push_back(unit);
    }
    if (units.own.empty() || units.others.empty()) continue;
    std::vector<PixelTest> tests;
    for (std::size_t pixel = 0; pixel < kPixels; ++pixel) {
      PixelTest test = test_pixel(pictures, units, pixel);
      test.p_value = std::min(1.0, test.p_value * kPixels * labelling.classes);
      test.fixed = test.fixed && test.p_value < kMostFixedP;
      tests.push_back(test);
    }
    const std::vector<std::size_t> part = largest_part(tests);
    if (part.size() < kLeastPixels) continue;
    FixedRegion region = region_of(tests, part);
    region.label = label;
    region.units = static_cast<std::int64_t>(units.own.size());
    regions.push_back(region);
  }
  return regions;
}

Json to_json(const FixedRegion& region) {
  return {{"units", region.units},   {"share", region.share},     {"left", region.left},
          {"right", region.right},   {"top", region.top},         {"bottom", region.bottom},
          {"inside", region.inside}, {"outside", region.outside}, {"p", region.p_value}};
}

}  // namespace actio::data
