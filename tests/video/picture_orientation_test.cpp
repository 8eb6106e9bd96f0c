// Orientation that stands in the coded pictures themselves: SEI messages and EXIF, put there by hand.
#include "video/picture_orientation.h"

#include <gmock/gmock.h>

#include <cmath>
#include <utility>

#include "clip_tools.h"
#include "remux.h"
#include "sparse_tools.h"
#include "support/shared_data.h"
#include "video/encoder.h"
#include "video/examine.h"

namespace actio::video {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// A display orientation SEI message. Source: ITU-T H.264, D.1.27.
std::string sei(bool hevc, bool mirrored, bool flipped, double anticlockwise_degrees) {
  const auto turn = static_cast<std::uint32_t>(std::lround(anticlockwise_degrees / 360 * 65536)) & 0xFFFF;
  // cancel 0, the flips, 16 bits of turn, then repetition 1 as 010 and no extension (H.264), or persistence 1 (HEVC); stop
  // bit.
  std::uint32_t bits = (mirrored ? 1U << 30 : 0U) | (flipped ? 1U << 29 : 0U) | turn << 13;
  bits |= hevc ? 0b10100U << 8 : 0b01001U << 8;
  std::string payload;
  for (int shift = 24; shift >= 8; shift -= 8) payload += static_cast<char>(bits >> shift & 0xFF);
  std::string message = std::string(1, static_cast<char>(47)) + static_cast<char>(payload.size()) + payload + '\x80';
  std::string escaped;
  int zeros = 0;
  for (const char byte : message) {
    if (zeros >= 2 && static_cast<unsigned char>(byte) <= 3) escaped += '\x03', zeros = 0;
    zeros = byte == 0 ? zeros + 1 : 0;
    escaped += byte;
  }
  return std::string("\0\0\0\1", 4) + (hevc ? std::string("\x4E\x01", 2) : std::string("\x06", 1)) + escaped;
}

// Puts `unit` in front of picture number `picture` of a raw stream.
std::string with_unit(const std::string& bytes, bool hevc, const std::string& unit, int picture) {
  for (std::size_t at = 0; at + 4 < bytes.size(); ++at) {
    if (bytes.compare(at, 3, std::string("\0\0\1", 3)) != 0) continue;
    const auto header = static_cast<unsigned char>(bytes[at + 3]);
    const int type = hevc ? header >> 1 & 0x3F : header & 0x1F;
    const bool slice = hevc ? type < 32 : type == 1 || type == 5;
    if (!slice || picture-- > 0) continue;
    const std::size_t start = at > 0 && bytes[at - 1] == 0 ? at - 1 : at;
    return bytes.substr(0, start) + unit + bytes.substr(start);
  }
  ADD_FAILURE() << "no such picture";
  return bytes;
}

class OrientationInPictures : public ::testing::Test {
 protected:
  SyntheticClip raw_clip(const char* codec) {
    SyntheticClip clip;
    clip.codec = codec;
    clip.path = dir_ / (clip.codec == "libx265" ? "raw.hevc" : "raw.264");
    clip.b_frames = 0;
    clip.frames = 26;
    clip.dx = 3;
    clip.dy = -2;
    write_synthetic_clip(clip);
    return clip;
  }

  TempDir dir_;
};

TEST_F(OrientationInPictures, of_h264_and_hevc_is_that_of_their_messages_in_every_container) {
  struct Row {
    bool mirrored, flipped;
    double anticlockwise;
    Orientation orientation;
  };
  const Row rows[] = {{false, false, 90, {false, 270}}, {false, false, 180, {false, 180}}, {false, false, 270, {false, 90}},
                      {true, false, 0, {true, 0}},      {false, true, 0, {true, 180}},     {true, true, 0, {false, 180}},
                      {true, false, 90, {true, 270}},   {false, true, 90, {true, 90}}};
  for (const char* codec : {"libx264", "libx265"}) {
    const bool hevc = codec == std::string("libx265");
    const SyntheticClip clip = raw_clip(codec);
    const std::string bytes = read_bytes(clip.path);
    for (const Row& row : rows) {
      SCOPED_TRACE(fmt::format("{} mirrored {} flipped {} turned {}", codec, row.mirrored, row.flipped, row.anticlockwise));
      const std::string raw = dir_ / (hevc ? "said.hevc" : "said.264");
      write_bytes(raw, with_unit(bytes, hevc, sei(hevc, row.mirrored, row.flipped, row.anticlockwise), 0));
      EXPECT_EQ(Decoder(raw).info().orientation, row.orientation);
      for (const char* ending : {"mp4", "mkv", "ts"}) {
        const std::string path = dir_ / ("said." + std::string(ending));
        remux(path, {{raw}});
        Decoder decoder(path);
        EXPECT_EQ(decoder.info().orientation, row.orientation) << ending;
        EXPECT_EQ(decoder.info().width, row.orientation.swaps_sides() ? clip.height : clip.width);
        std::int64_t frames = 0;
        while (const auto frame = decoder.next()) {
          EXPECT_EQ(frame->orientation, row.orientation);
          frames += frame->rgb().dim(1) == decoder.info().width;
        }
        EXPECT_EQ(frames, clip.frames) << ending;
        EXPECT_EQ(decoder.counters().packets, clip.frames) << ending;
      }
    }
  }
}

TEST_F(OrientationInPictures, gives_turned_pixels_and_vectors_sparsely_too) {
  const SyntheticClip clip = raw_clip("libx264");
  remux(dir_ / "plain.mp4", {{clip.path}});
  write_bytes(dir_ / "said.264", with_unit(read_bytes(clip.path), false, sei(false, false, false, 90), 0));
  remux(dir_ / "said.mp4", {{dir_ / "said.264"}});
  const auto plain = decode_all(dir_ / "plain.mp4", true), turned = decode_all(dir_ / "said.mp4", true);
  ASSERT_EQ(turned.size(), plain.size());
  const Tensor a = plain[4].rgb(), b = turned[4].rgb();
  ASSERT_EQ(b.shape(), (Shape{a.dim(1), a.dim(0), 3}));
  for (std::int64_t y = 0; y < a.dim(0); ++y) {
    for (std::int64_t x = 0; x < a.dim(1); ++x) {
      // Anticlockwise: the top right corner goes to the top left.
      ASSERT_EQ(a.data<std::uint8_t>()[(y * a.dim(1) + x) * 3],
                b.data<std::uint8_t>()[((a.dim(1) - 1 - x) * b.dim(1) + y) * 3]);
    }
  }
  ASSERT_EQ(turned[4].vectors.size(), plain[4].vectors.size());
  ASSERT_GT(plain[4].vectors.size(), 10U);
  for (std::size_t i = 0; i < plain[4].vectors.size(); ++i) {
    EXPECT_EQ(turned[4].vectors[i].dx, plain[4].vectors[i].dy);
    EXPECT_EQ(turned[4].vectors[i].dy, 0 - plain[4].vectors[i].dx);
  }
  expect_same_for_many_sets(dir_ / "said.mp4", true, 5, 3);
}

TEST_F(OrientationInPictures, comes_before_that_of_the_container_and_is_not_added_to_it) {
  const SyntheticClip clip = raw_clip("libx264");
  write_bytes(dir_ / "said.264", with_unit(read_bytes(clip.path), false, sei(false, false, false, 270), 0));
  remux(dir_ / "said.mp4", {{dir_ / "said.264"}});
  std::string bytes = read_bytes(dir_ / "said.mp4");
  const std::size_t at = bytes.find("tkhd") + 44;
  const std::int32_t turned[9] = {0, 65536, 0, -65536, 0, 0, clip.height << 16, 0, 1 << 30};  // 90 degrees clockwise, too
  for (std::size_t i = 0; i < 36; ++i) bytes[at + i] = static_cast<char>(turned[i / 4] >> (24 - 8 * (i % 4)) & 0xFF);
  write_bytes(dir_ / "both.mp4", bytes);
  EXPECT_EQ(Decoder(dir_ / "both.mp4").info().orientation, (Orientation{false, 90}));
}

TEST_F(OrientationInPictures, that_changes_later_leaves_the_first_one_in_force_and_doctor_says_so) {
  const SyntheticClip clip = raw_clip("libx264");
  std::string bytes = with_unit(read_bytes(clip.path), false, sei(false, false, false, 90), 12);
  bytes = with_unit(bytes, false, sei(false, false, false, 270), 0);
  write_bytes(dir_ / "said.264", bytes);
  remux(dir_ / "said.mp4", {{dir_ / "said.264"}});
  for (const Frame& frame : decode_all(dir_ / "said.mp4")) EXPECT_EQ(frame.orientation, (Orientation{false, 90}));
  EXPECT_THAT(examine(dir_ / "said.mp4").findings,
              Contains(HasSubstr("to be mirrored or turned otherwise than the first one")));
  write_bytes(dir_ / "said.264", with_unit(read_bytes(clip.path), false, sei(false, false, false, 90), 0));
  remux(dir_ / "said.mp4", {{dir_ / "said.264"}});
  EXPECT_THAT(examine(dir_ / "said.mp4").findings, Not(Contains(HasSubstr("otherwise"))));
}

std::string with_exif(const std::string& jpeg, int orientation) {
  std::string tiff("II\x2A\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18);
  tiff += static_cast<char>(orientation) + std::string(7, '\0');
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  const std::size_t size = body.size() + 2;
  return jpeg.substr(0, 2) + "\xFF\xE1" + static_cast<char>(size >> 8) + static_cast<char>(size & 0xFF) + body +
         jpeg.substr(2);
}

TEST_F(OrientationInPictures, of_jpeg_is_that_of_its_exif_in_images_and_in_videos) {
  SyntheticClip clip;
  clip.path = dir_ / "plain.jpg";
  clip.codec = "mjpeg";
  clip.frames = 1;
  clip.width = 101;
  clip.height = 67;
  clip.quality = 3;
  write_synthetic_clip(clip);
  const std::string jpeg = read_bytes(clip.path);
  const Orientation expected[] = {{false, 0},  {true, 0},   {false, 180}, {true, 180},
                                  {true, 270}, {false, 90}, {true, 90},   {false, 270}};
  for (int exif = 1; exif <= 8; ++exif) {
    SCOPED_TRACE(exif);
    write_bytes(dir_ / "said.jpg", with_exif(jpeg, exif));
    remux(dir_ / "said.avi", {{dir_ / "said.jpg", 0, 1 << 20, 5}});
    remux(dir_ / "said.mov", {{dir_ / "said.jpg", 0, 1 << 20, 5}});
    for (const char* name : {"said.jpg", "said.avi", "said.mov"}) {
      const auto frames = decode_all(dir_ / name);
      ASSERT_EQ(frames.size(), name == std::string("said.jpg") ? 1U : 5U) << name;
      EXPECT_EQ(frames.back().orientation, expected[exif - 1]) << name;
      EXPECT_EQ(frames.back().rgb().dim(1), expected[exif - 1].swaps_sides() ? 67 : 101) << name;
    }
  }
}

TEST_F(OrientationInPictures, of_45_degrees_turns_nothing_and_doctor_says_so) {
  SyntheticClip clip;
  clip.path = dir_ / "a.mp4";
  write_synthetic_clip(clip);
  std::string bytes = read_bytes(clip.path);
  const std::size_t at = bytes.find("tkhd") + 44;
  const std::int32_t turned[9] = {46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30};
  for (std::size_t i = 0; i < 36; ++i) bytes[at + i] = static_cast<char>(turned[i / 4] >> (24 - 8 * (i % 4)) & 0xFF);
  write_bytes(dir_ / "skewed.mp4", bytes);
  EXPECT_EQ(read_index(decode_all(dir_ / "skewed.mp4").at(7).rgb()), 7);
  const Examination examination = examine(dir_ / "skewed.mp4");
  EXPECT_THAT(examination.findings,
              Contains(HasSubstr("turned by 45.0 degrees clockwise, which is no multiple of 90; it is not turned")));
  EXPECT_NEAR(to_json(examination).at("skewed_degrees").get<double>(), 45, 0.1);
  EXPECT_THAT(examine(clip.path).findings, ::testing::IsEmpty());
}

TEST(PixelsThatAreNotSquare, are_told_by_doctor) {
  const TempDir dir;
  for (const char* name : {"a.mp4", "a.mkv", "a.ts"}) {
    SyntheticClip clip;
    clip.path = dir / name;
    clip.codec_options = {"aspect=16/11"};
    write_synthetic_clip(clip);
    EXPECT_THAT(examine(clip.path).findings, Contains(HasSubstr("pixels are not square: 1.455 times as wide as high")))
        << name;
    EXPECT_EQ(decode_all(clip.path).front().width, clip.width);
  }
}

TEST(GreyOfNoKnownRange, is_told_by_doctor) {
  const TempDir dir;
  for (const bool limited : {false, true}) {
    SyntheticClip clip;
    clip.path = dir / "a.mkv";
    clip.codec = "ffv1";
    clip.codec_options = {"pixel_format=gray"};
    if (limited) clip.codec_options.emplace_back("color_range=tv");
    write_synthetic_clip(clip);
    const auto said = Contains(HasSubstr("grey and the file does not say in which range"));
    if (limited) {
      EXPECT_THAT(examine(clip.path).findings, Not(said));
    } else {
      EXPECT_THAT(examine(clip.path).findings, said);
    }
  }
}

TEST(FieldClips, of_orientation_are_turned_as_ffmpeg_turns_them) {
  const std::string sei = testing::shared_file("data/field/12_orientation_sar/sei90.ts");
  ACTIO_NEEDS_SHARED(sei);
  EXPECT_NE(Decoder(sei).info().orientation, Orientation{});
  EXPECT_EQ(Decoder(testing::shared_file("data/field/12_orientation_sar/exif6.jpg")).info().orientation,
            (Orientation{false, 90}));
  EXPECT_THAT(examine(testing::shared_file("data/field/12_orientation_sar/sar.mp4")).findings,
              Contains(HasSubstr("not square")));
  EXPECT_THAT(examine(testing::shared_file("data/field/12_orientation_sar/rot45.mp4")).findings, Contains(HasSubstr("45")));
}

}  // namespace
}  // namespace actio::video
