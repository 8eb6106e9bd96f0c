#include "core/tensor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "core/error.h"

namespace actio {
namespace {

TEST(Tensor, starts_zero_filled_on_a_64_byte_boundary) {
  for (const std::int64_t n : {1, 3, 1000}) {
    const Tensor t({n});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.raw()) % 64, 0U);
    for (const float x : t.values<float>()) EXPECT_EQ(x, 0.0F);
  }
}

TEST(Tensor, shares_elements_between_copies_views_and_rows_but_not_with_a_clone) {
  Tensor t({4, 3});
  Tensor copy = t, view = t.reshaped({12}), row = t.rows(2, 1), clone = t.clone();
  t.data<float>()[6] = 5;
  EXPECT_EQ(copy.data<float>()[6], 5);
  EXPECT_EQ(view.data<float>()[6], 5);
  EXPECT_EQ(row.data<float>()[0], 5);
  EXPECT_EQ(clone.data<float>()[6], 0);
  EXPECT_EQ(row.rows(0, 1).data<float>()[0], 5);
}

TEST(Tensor, refuses_rows_outside_of_the_first_axis) {
  const Tensor t({4, 3});
  EXPECT_THROW(t.rows(3, 2), Error);
  EXPECT_THROW(t.rows(-1, 1), Error);
  EXPECT_THROW(t.rows(0, -1), Error);
  EXPECT_THROW(t.rows(1, std::numeric_limits<std::int64_t>::max()), Error);
  EXPECT_EQ(t.rows(4, 0).numel(), 0);
}

TEST(Tensor, refuses_a_view_with_another_count_and_another_element_type) {
  Tensor t({4, 3});
  EXPECT_THROW(t.reshaped({5}), Error);
  EXPECT_THROW(t.data<std::uint8_t>(), Error);
  EXPECT_THROW(Tensor().data<float>(), Error);
}

TEST(Tensor, refuses_sizes_that_overflow_or_are_negative) {
  const std::int64_t big = std::numeric_limits<std::int64_t>::max() / 2;
  EXPECT_THROW(Tensor({big, 3}), Error);
  EXPECT_THROW(Tensor({-1}), Error);
  EXPECT_EQ(Tensor({0, big}).numel(), 0);
}

TEST(Tensor, names_both_values_when_it_refuses) {
  try {
    (void)Tensor({4, 3}).reshaped({5});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot view [4, 3] as [5]: 12 and 5 elements");
  }
}

}  // namespace
}  // namespace actio
