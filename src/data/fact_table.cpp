#include "data/fact_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace actio::data {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr float kOtherName = 2;  // the expected squared difference of two standardised numbers

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<double> known(const std::vector<double>& values) {
  std::vector<double> result;
  for (const double value : values) {
    if (!std::isnan(value)) result.push_back(value);
  }
  return result;
}

// Third central moment in units of the standard deviation.
double skewness(const std::vector<double>& values) {
  double mean = 0, square = 0, cube = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) {
    square += std::pow(value - mean, 2) / static_cast<double>(values.size());
    cube += std::pow(value - mean, 3) / static_cast<double>(values.size());
  }
  return square > 0 ? cube / std::pow(square, 1.5) : 0;
}

// What stands for the standard deviation: of the middle half, or, where half of the values are one, of all.
double scale_of(const std::vector<double>& values, double median) {
  std::vector<double> away;
  double mean = 0;
  for (const double value : values) {
    away.push_back(std::abs(value - median));
    mean += away.back() / static_cast<double>(values.size());
  }
  const double middle = 1.4826 * median_of(std::move(away));
  return middle > 0 ? middle : 1.2533 * mean;
}

bool varies(const FactColumn& column) {
  return std::ranges::any_of(column.values, [&](float value) {
    const float first = column.values.front();
    return std::isnan(value) != std::isnan(first) || (!std::isnan(value) && value != first);
  });
}

class TableMaker {
 public:
  explicit TableMaker(std::span<const FileFacts* const> files) : files_(files) {}

  template <class... Of>
  void numbers(const char* name, bool of_content, const Of&... of) {
    Fact fact{name, of_content, {}};
    (add_column(fact, {false, standardised(values(of))}), ...);
    add(std::move(fact));
  }

  template <class Of>
  void names(const char* name, const Of& of) {
    std::map<std::string, float> number_of;
    FactColumn column{true, {}};
    for (const FileFacts* file : files_) {
      column.values.push_back(number_of.try_emplace(of(*file), static_cast<float>(number_of.size())).first->second);
    }
    Fact fact{name, false, {}};
    add_column(fact, std::move(column));
    add(std::move(fact));
  }

  std::vector<Fact> take() { return std::move(facts_); }

 private:
  template <class Of>
  std::vector<double> values(const Of& of) const {
    std::vector<double> result;
    for (const FileFacts* file : files_) result.push_back(static_cast<double>(of(*file)));
    return result;
  }
  static void add_column(Fact& fact, FactColumn column) {
    if (!column.values.empty() && varies(column)) fact.columns.push_back(std::move(column));
  }
  void add(Fact fact) {
    if (!fact.columns.empty()) facts_.push_back(std::move(fact));
  }

  std::span<const FileFacts* const> files_;
  std::vector<Fact> facts_;
};

double positive(double value) { return value > 0 ? value : kUnknown; }

}  // namespace

std::vector<float> standardised(std::vector<double> values) {
  constexpr double kMost = 4;
  std::vector<double> some = known(values);
  if (some.empty()) return std::vector<float>(values.size(), std::numeric_limits<float>::quiet_NaN());
  if (*std::ranges::min_element(some) > 0) {
    std::vector<double> logs = some;
    for (double& value : logs) value = std::log(value);
    if (std::abs(skewness(logs)) < std::abs(skewness(some))) {
      some = std::move(logs);
      for (double& value : values) value = std::log(value);  // NaN stays
    }
  }
  const double median = median_of(some), scale = scale_of(some, median);
  std::vector<float> result;
  for (const double value : values) {
    const double z = scale > 0 ? (value - median) / scale : 0 * value;
    result.push_back(static_cast<float>(std::isnan(z) ? z : std::clamp(z, -kMost, kMost)));
  }
  return result;
}

std::vector<Fact> fact_table(std::span<const FileFacts* const> files) {
  TableMaker table(files);
  table.names("container", [](const FileFacts& f) { return f.container; });
  table.names("codec", [](const FileFacts& f) { return f.codec; });
  table.names("profile", [](const FileFacts& f) { return f.codec + " " + f.profile; });
  table.names("pixel format", [](const FileFacts& f) { return f.pixel_format; });
  table.names("sound", [](const FileFacts& f) { return std::string(f.audio ? "yes" : "no"); });
  table.numbers(
      "frame size", false, [](const FileFacts& f) { return f.width; }, [](const FileFacts& f) { return f.height; });
  table.numbers(
      "length", false, [](const FileFacts& f) { return positive(f.seconds); },
      [](const FileFacts& f) { return positive(static_cast<double>(f.frames)); });
  table.numbers("frame rate", false, [](const FileFacts& f) { return positive(f.frames_per_second); });
  table.numbers("key frames", false, [](const FileFacts& f) { return positive(static_cast<double>(f.key_distance)); });
  table.numbers(
      "black borders", false, [](const FileFacts& f) { return f.borders[0]; },
      [](const FileFacts& f) { return f.borders[1]; }, [](const FileFacts& f) { return f.borders[2]; },
      [](const FileFacts& f) { return f.borders[3]; });
  table.numbers("file size", true, [](const FileFacts& f) { return positive(static_cast<double>(f.bytes)); });
  table.numbers("bit rate", true, [](const FileFacts& f) { return positive(f.bits_per_second); });
  return table.take();
}

float distance(const Fact& fact, std::size_t a, std::size_t b) {
  float sum = 0;
  for (const FactColumn& column : fact.columns) {
    const float one = column.values[a], other = column.values[b];
    if (std::isnan(one) || std::isnan(other)) {
      sum += std::isnan(one) == std::isnan(other) ? 0 : kOtherName;
    } else if (column.category) {
      sum += one == other ? 0 : kOtherName;
    } else {
      sum += (one - other) * (one - other);
    }
  }
  return sum / static_cast<float>(fact.columns.size());
}

}  // namespace actio::data
