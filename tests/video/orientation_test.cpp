// Clips whose container says that their pictures are mirrored or turned, against the same clip without it, moved by hand.
#include "video/orientation.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "clip_tools.h"
#include "sparse_tools.h"
#include "support/shared_data.h"

namespace actio::video {
namespace {

struct Place {
  double x, y;
  friend bool operator==(const Place&, const Place&) = default;
};

// One of the eight: as the four numbers of a display matrix (x' = a x + c y, y' = b x + d y), and as actio names it.
struct Row {
  const char* name;
  int a, b, c, d;
  Orientation orientation;
};

void PrintTo(const Row& row, std::ostream* stream) { *stream << row.name; }

constexpr Row kRows[] = {
    {"plain", 1, 0, 0, 1, {false, 0}},          {"hflip", -1, 0, 0, 1, {true, 0}},
    {"turned_90", 0, 1, -1, 0, {false, 90}},    {"transverse", 0, -1, -1, 0, {true, 90}},
    {"turned_180", -1, 0, 0, -1, {false, 180}}, {"vflip", 1, 0, 0, -1, {true, 180}},
    {"turned_270", 0, -1, 1, 0, {false, 270}},  {"transpose", 0, 1, 1, 0, {true, 270}},
};

// Where a point of the coded picture is shown: the matrix's, moved so that the picture begins at 0.
Place shown(const Row& row, Place at, double width, double height) {
  const auto moved = [&](int of_x, int of_y) { return (of_x < 0 ? width : 0) + (of_y < 0 ? height : 0); };
  return {row.a * at.x + row.c * at.y + moved(row.a, row.c), row.b * at.x + row.d * at.y + moved(row.b, row.d)};
}

std::array<std::int32_t, 9> matrix_of(const Row& row, double across = 1, double down = 1) {
  const auto fixed = [](double value) { return static_cast<std::int32_t>(value * 65536); };
  return {fixed(row.a * across), fixed(row.b * across), 0, fixed(row.c * down), fixed(row.d * down), 0, 0, 0, 1 << 30};
}

TEST(OrientationOfAMatrix, is_one_of_eight_whatever_the_scale_of_its_axes) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(orientation_of(matrix_of(row).data()), row.orientation);
    EXPECT_EQ(orientation_of(matrix_of(row, 1, 0.75).data()), row.orientation);
    EXPECT_EQ(orientation_of(matrix_of(row, 2, 2).data()), row.orientation);
    std::array<std::int32_t, 9> written{};
    set_display_matrix(written.data(), row.orientation, 0, 0);
    EXPECT_EQ(written, matrix_of(row));
  }
}

TEST(OrientationOfAMatrix, is_none_for_a_turn_that_is_no_multiple_of_90_degrees) {
  const std::int32_t skew[9] = {46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30};
  EXPECT_FALSE(orientation_of(skew));
  EXPECT_NEAR(clockwise_degrees(skew), 45, 0.01);
  const std::int32_t nearly[9] = {65536, 300, 0, -300, 65536, 0, 0, 0, 1 << 30};
  EXPECT_EQ(orientation_of(nearly), Orientation{});
  const std::int32_t nothing[9] = {};
  EXPECT_EQ(orientation_of(nothing), Orientation{});
}

TEST(OrientationOfAMatrix, moves_what_would_lie_outside_back_to_the_origin) {
  for (const Row& row : kRows) {
    std::int32_t matrix[9] = {};
    set_display_matrix(matrix, row.orientation, 341, 255);
    const Place corner = shown(row, {0, 0}, 341, 255);
    EXPECT_EQ((Place{matrix[6] / 65536.0, matrix[7] / 65536.0}), corner) << row.name;
  }
}

// The same MP4 or MOV with another matrix for its video track.
void write_with_matrix(const std::string& from, const std::string& to, const std::array<std::int32_t, 9>& matrix) {
  constexpr std::size_t kMatrix = 4 + 40;  // bytes from the name of the box, whose version is 0
  std::string bytes = read_bytes(from);
  std::size_t at = bytes.find("tkhd");
  ASSERT_NE(at, std::string::npos);
  at += kMatrix;
  for (const std::int32_t number : matrix) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.at(at++) = static_cast<char>(number >> shift & 0xFF);
  }
  write_bytes(to, bytes);
}

class OrientedClip : public ::testing::TestWithParam<Row> {
 protected:
  // The same coded pictures twice: with the row's matrix and without any.
  void write(const char* codec, const char* ending, int width, int height) {
    clip_ = SyntheticClip{};
    clip_.codec = codec;
    clip_.width = width;
    clip_.height = height;
    clip_.dx = 3;
    clip_.dy = -2;
    clip_.frames = 14;
    clip_.gop = 9;
    clip_.quality = clip_.codec == "libx264" ? 18 : 3;
    clip_.path = plain_ = dir_ / fmt::format("plain_{}.{}", codec, ending);
    write_synthetic_clip(clip_);
    clip_.path = dir_ / fmt::format("oriented_{}.{}", codec, ending);
    auto matrix = matrix_of(GetParam());
    const Place corner = shown_point({0, 0});
    matrix[6] = static_cast<std::int32_t>(corner.x * 65536);
    matrix[7] = static_cast<std::int32_t>(corner.y * 65536);
    write_with_matrix(plain_, clip_.path, matrix);
  }

  Place shown_point(Place at) const { return shown(GetParam(), at, clip_.width, clip_.height); }

  // A pixel as displayed, from the coordinates of the coded picture.
  std::int64_t shown_pixel(int x, int y) const {
    const Place centre = shown_point({x + 0.5, y + 0.5});
    const int shown_width = GetParam().a != 0 ? clip_.width : clip_.height;
    return static_cast<std::int64_t>(centre.y) * shown_width + static_cast<std::int64_t>(centre.x);
  }

  TempDir dir_;
  SyntheticClip clip_;
  std::string plain_;
};

struct Kind {
  const char* codec;
  const char* ending;
  int width, height;
};
constexpr Kind kKinds[] = {{"libx264", "mp4", 342, 254}, {"mpeg4", "mp4", 341, 255}, {"mpeg2video", "mov", 99, 131}};

TEST_P(OrientedClip, has_the_pixels_of_the_plain_clip_at_their_displayed_places) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.codec);
    write(kind.codec, kind.ending, kind.width, kind.height);
    const auto frames = decode_all(clip_.path), plain = decode_all(plain_);
    ASSERT_EQ(frames.size(), plain.size());
    EXPECT_EQ(Decoder(clip_.path).info().orientation, GetParam().orientation);
    for (const std::size_t t : {std::size_t{0}, std::size_t{5}, frames.size() - 1}) {
      const Tensor rgb = frames[t].rgb(), grey = frames[t].grey(), plain_rgb = plain[t].rgb(), plain_grey = plain[t].grey();
      const bool swaps = GetParam().a == 0;
      ASSERT_EQ(rgb.shape(), (Shape{swaps ? kind.width : kind.height, swaps ? kind.height : kind.width, 3}));
      ASSERT_EQ(grey.shape(), (Shape{rgb.dim(0), rgb.dim(1)}));
      for (int y = 0; y < kind.height; ++y) {
        for (int x = 0; x < kind.width; ++x) {
          const std::int64_t from = std::int64_t{y} * kind.width + x, to = shown_pixel(x, y);
          ASSERT_EQ(grey.data<std::uint8_t>()[to], plain_grey.data<std::uint8_t>()[from]) << x << ", " << y;
          for (int c = 0; c < 3; ++c) {
            ASSERT_EQ(rgb.data<std::uint8_t>()[3 * to + c], plain_rgb.data<std::uint8_t>()[3 * from + c]) << x << ", " << y;
          }
        }
      }
    }
  }
}

TEST_P(OrientedClip, has_the_vectors_of_the_plain_clip_at_their_displayed_places) {
  const Row& row = GetParam();
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.codec);
    write(kind.codec, kind.ending, kind.width, kind.height);
    const auto frames = decode_all(clip_.path, true), plain = decode_all(plain_, true);
    ASSERT_EQ(frames.size(), plain.size());
    std::vector<float> dx, dy;
    int b_frames = 0;
    for (std::size_t t = 0; t < frames.size(); ++t) {
      ASSERT_EQ(frames[t].vectors.size(), plain[t].vectors.size());
      b_frames += frames[t].type == FrameType::kB;
      for (std::size_t i = 0; i < plain[t].vectors.size(); ++i) {
        const BlockVector& block = frames[t].vectors[i];
        const BlockVector& before = plain[t].vectors[i];
        EXPECT_EQ(block.dx, static_cast<float>(row.a) * before.dx + static_cast<float>(row.c) * before.dy);
        EXPECT_EQ(block.dy, static_cast<float>(row.b) * before.dx + static_cast<float>(row.d) * before.dy);
        EXPECT_EQ(block.width, row.a == 0 ? before.height : before.width);
        EXPECT_EQ(block.height, row.a == 0 ? before.width : before.height);
        EXPECT_EQ(block.direction, before.direction);
        const Place centre = shown_point({before.x + before.width / 2.0, before.y + before.height / 2.0});
        EXPECT_EQ((Place{block.x + block.width / 2.0, block.y + block.height / 2.0}), centre);
        dx.push_back(block.dx);
        dy.push_back(block.dy);
      }
    }
    EXPECT_GT(b_frames, 2);
    ASSERT_GT(dx.size(), 300U);
    std::ranges::sort(dx);
    std::ranges::sort(dy);
    EXPECT_NEAR(dx[dx.size() / 2], row.a * clip_.dx + row.c * clip_.dy, 0.25);
    EXPECT_NEAR(dy[dy.size() / 2], row.b * clip_.dx + row.d * clip_.dy, 0.25);
  }
}

TEST_P(OrientedClip, gives_the_same_frames_where_only_some_are_decoded) {
  write("libx264", "mp4", 98, 66);
  expect_same_for_many_sets(clip_.path, true, 4, 7);
}

TEST_P(OrientedClip, is_what_the_encoder_writes_for_its_orientation) {
  SyntheticClip clip;
  clip.path = dir_ / "a.mp4";
  clip.frames = 2;
  clip.rotation_degrees = GetParam().orientation.degrees;
  clip.mirrored = GetParam().orientation.mirrored;
  write_synthetic_clip(clip);
  EXPECT_EQ(Decoder(clip.path).info().orientation, GetParam().orientation);
}

INSTANTIATE_TEST_SUITE_P(Eight, OrientedClip, ::testing::ValuesIn(kRows), [](const auto& row) { return row.param.name; });

TEST(FieldClip, that_is_mirrored_by_its_matrix_moves_to_the_left) {
  const std::string path = testing::shared_file("data/field/02_mirror_matrix/moving_hflip.mp4");
  ACTIO_NEEDS_SHARED(path);
  std::vector<float> dx, dy;
  for (const Frame& frame : decode_all(path, true)) {
    for (const BlockVector& block : frame.vectors) {
      dx.push_back(block.dx);
      dy.push_back(block.dy);
    }
  }
  ASSERT_GT(dx.size(), 100U);
  std::ranges::sort(dx);
  std::ranges::sort(dy);
  EXPECT_NEAR(dx[dx.size() / 2], -3, 0.25);
  EXPECT_NEAR(dy[dy.size() / 2], -2, 0.25);
}

}  // namespace
}  // namespace actio::video
