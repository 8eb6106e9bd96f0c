#include "recognize/view_mean.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace actio::recognize {
namespace {

std::vector<double> sum_of(std::vector<double> sum, const Tensor& more) {
  const auto values = more.values<float>();
  sum.resize(values.size());
  for (std::size_t c = 0; c < values.size(); ++c) sum[c] += values[c];
  return sum;
}

Tensor mean_of(const std::vector<double>& sum, std::size_t count) {
  Tensor mean({static_cast<std::int64_t>(sum.size())});
  for (std::size_t c = 0; c < sum.size(); ++c)
    mean.data<float>()[c] = static_cast<float>(sum[c] / static_cast<double>(count));
  return mean;
}

}  // namespace

void ViewMean::add(const Tensor& probabilities, const Tensor& scores) {
  probabilities_ = sum_of(std::move(probabilities_), probabilities);
  scores_ = sum_of(std::move(scores_), scores);
  ++views_;
}

VideoScores ViewMean::mean() const {
  if (views_ == 0) fail("the mean of no view is not defined");
  return {mean_of(probabilities_, views_), mean_of(scores_, views_)};
}

Tensor softmax_of(const Tensor& logits) {
  const auto values = logits.values<float>();
  const double highest = *std::ranges::max_element(values);
  double sum = 0;
  for (const float x : values) sum += std::exp(x - highest);
  Tensor result(logits.shape());
  for (std::size_t c = 0; c < values.size(); ++c)
    result.data<float>()[c] = static_cast<float>(std::exp(values[c] - highest) / sum);
  return result;
}

}  // namespace actio::recognize
