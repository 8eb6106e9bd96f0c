#include "motion/vector_field.h"

#include <gtest/gtest.h>

#include <vector>

namespace actio::motion {
namespace {

using video::BlockVector;

float at(const Tensor& field, int axis, std::int64_t row, std::int64_t column) {
  return field.data<float>()[(axis * field.dim(1) + row) * field.dim(2) + column];
}

TEST(Rasterise, paints_each_block_onto_its_cells_and_no_others) {
  const std::vector<BlockVector> vectors{{16, 8, 8, 16, 1.5F, -2, -1}};
  const Tensor field = rasterise(vectors, 48, 32);
  ASSERT_EQ(field.shape(), (Shape{2, 8, 12}));
  for (std::int64_t row = 0; row < 8; ++row) {
    for (std::int64_t column = 0; column < 12; ++column) {
      const bool inside = row >= 2 && row < 6 && column >= 4 && column < 6;
      EXPECT_EQ(at(field, 0, row, column), inside ? 1.5F : 0) << row << ' ' << column;
      EXPECT_EQ(at(field, 1, row, column), inside ? -2.0F : 0) << row << ' ' << column;
    }
  }
}

TEST(Rasterise, takes_the_mean_of_past_and_future) {
  const std::vector<BlockVector> vectors{{0, 0, 16, 16, 1, 2, -1}, {0, 0, 8, 16, 3, -2, 1}};
  const Tensor field = rasterise(vectors, 16, 16);
  EXPECT_EQ(at(field, 0, 0, 0), 2);
  EXPECT_EQ(at(field, 1, 3, 1), 0);
  EXPECT_EQ(at(field, 0, 0, 2), 1);
  EXPECT_EQ(at(field, 1, 0, 3), 2);
}

TEST(Rasterise, fills_odd_pictures_to_the_last_cell) {
  // Blocks of 16 pixels cover 37 x 21 pixels and more.
  for (const int shift : {0, -11}) {  // a turned picture has its partial blocks on the other side
    std::vector<BlockVector> vectors;
    for (int y = shift; y < 21; y += 16) {
      for (int x = shift; x < 37; x += 16) {
        vectors.push_back({static_cast<std::int16_t>(x), static_cast<std::int16_t>(y), 16, 16, 1, 1, -1});
      }
    }
    const Tensor field = rasterise(vectors, 37, 21);
    ASSERT_EQ(field.shape(), (Shape{2, 6, 10}));
    for (const float value : field.values<float>()) EXPECT_EQ(value, 1) << shift;
  }
  // The picture ends where the last block ends, in the first pixel of a cell.
  const Tensor field = rasterise(std::vector<BlockVector>{{-11, -11, 16, 16, 2, 2, -1}}, 5, 5);
  for (const float value : field.values<float>()) EXPECT_EQ(value, 2);
}

TEST(Rasterise, ignores_what_lies_outside) {
  const std::vector<BlockVector> vectors{{-16, 0, 16, 16, 9, 9, -1},         {32, 0, 16, 16, 9, 9, -1},
                                         {0, -32, 16, 16, 9, 9, -1},         {0, 32767, 16, 16, 9, 9, -1},
                                         {-32768, -32768, 16, 16, 9, 9, -1}, {8, 8, 0, 0, 9, 9, -1}};
  const Tensor field = rasterise(vectors, 32, 32);
  for (const float value : field.values<float>()) EXPECT_EQ(value, 0);
}

TEST(Rasterise, gives_zeros_for_no_vectors_and_the_smallest_picture) {
  const Tensor field = rasterise({}, 1, 1);
  EXPECT_EQ(field.shape(), (Shape{2, 1, 1}));
  EXPECT_EQ(field.values<float>()[0], 0);
  EXPECT_EQ(at(rasterise(std::vector<BlockVector>{{0, 0, 8, 8, 5, 6, -1}}, 1, 1), 1, 0, 0), 6);
}

}  // namespace
}  // namespace actio::motion
