#include "runtime/segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace actio::testing {
namespace {

using ::testing::ElementsAre;

using Op = void (*)(const float*, const runtime::ClipRows&, float*);

std::vector<float> result(Op op, const std::vector<float>& values, const runtime::ClipRows& rows, std::size_t size) {
  std::vector<float> out(size);
  op(values.data(), rows, out.data());
  return out;
}

TEST(Segments, differences_are_later_minus_earlier_and_never_cross_clips) {
  const std::vector<float> values = {1, 10, 4, 30, 9, 60, 100, 0, 90, 5, 70, 7};
  EXPECT_THAT(result(runtime::segment_diff_of_clips, values, {2, 3, 2}, 8), ElementsAre(3, 20, 5, 30, -10, 5, -20, 2));
  std::vector<float> out(4);
  runtime::segment_diff(values.data(), values.data() + 2, 4, out.data());
  EXPECT_THAT(out, ElementsAre(3, 20, 5, 30));
}

TEST(Segments, mean_and_stack_of_each_clip) {
  const std::vector<float> values = {1, 10, 3, 30, 5, 50, 6, 60};
  EXPECT_THAT(result(runtime::segment_mean, values, {2, 2, 2}, 4), ElementsAre(2, 20, 5.5, 55));
  EXPECT_EQ(result(runtime::segment_mean, values, {4, 1, 2}, 8), values);
  EXPECT_THAT(result(runtime::segment_stack, values, {2, 2, 2}, 8), ElementsAre(1, 3, 10, 30, 5, 6, 50, 60));
  EXPECT_THAT(result(runtime::segment_stack, values, {1, 4, 2}, 8), ElementsAre(1, 3, 5, 6, 10, 30, 50, 60));
}

}  // namespace
}  // namespace actio::testing
