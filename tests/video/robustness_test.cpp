#include <gmock/gmock.h>

#include <algorithm>

#include "clip_tools.h"
#include "core/rng.h"
#include "video/examine.h"

namespace actio::video {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Kind {
  const char* ending;
  const char* codec;
};

constexpr Kind kKinds[] = {{"mp4", "libx264"}, {"mkv", "libx264"}, {"ts", "libx264"},     {"264", "libx264"},
                           {"avi", "mpeg4"},   {"mp4", "mpeg4"},   {"mpg", "mpeg2video"}, {"flv", "flv"}};

SyntheticClip clip_of(const Kind& kind, const TempDir& dir) {
  SyntheticClip clip;
  clip.path = dir / ("whole." + std::string(kind.ending));
  clip.codec = kind.codec;
  clip.dx = 2;
  if (clip.codec != "libx264") clip.quality = clip.codec == "flv" ? 8 : 4;
  if (clip.codec == "flv") clip.b_frames = 0;
  return clip;
}

struct Outcome {
  std::int64_t frames = 0, damaged = 0, errors = 0;
  bool refused = false;
};

// Decodes a file that may be damaged in any way: frames or one Error, and never more frames than can be there.
Outcome survive(const std::string& path, std::int64_t most_frames, bool vectors) {
  Outcome outcome;
  DecoderOptions options;
  options.vectors = vectors;
  try {
    Decoder decoder(path, options);
    while (const auto frame = decoder.next()) {
      EXPECT_EQ(frame->index, outcome.frames);
      EXPECT_EQ(frame->rgb().shape(), (Shape{frame->height, frame->width, 3}));
      if (++outcome.frames > most_frames) break;
    }
    EXPECT_FALSE(decoder.next() && outcome.frames <= most_frames);
    outcome.damaged = decoder.counters().damaged;
    outcome.errors = decoder.counters().errors;
    EXPECT_LE(outcome.frames, most_frames);
  } catch (const Error& error) {
    outcome.refused = true;
    EXPECT_EQ(error.code(), ErrorCode::kBadData) << error.what();
    EXPECT_THAT(error.what(), StartsWith(path + ": "));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
  }
  return outcome;
}

std::string bad_data_message(const std::string& path) {
  const Error error = error_of([&] { Decoder decoder(path); });
  EXPECT_EQ(error.code(), ErrorCode::kBadData) << error.what();
  EXPECT_THAT(error.what(), StartsWith(path + ": "));
  return error.what();
}

TEST(BrokenFiles, that_are_missing_or_directories_fail_with_their_name) {
  const TempDir dir;
  const Error missing = error_of([&] { Decoder decoder(dir / "none.mp4"); });
  EXPECT_EQ(missing.code(), ErrorCode::kFailed);
  EXPECT_EQ(std::string(missing.what()), dir / "none.mp4" + std::string(": no such file"));
  const Error directory = error_of([&] { Decoder decoder(dir.path().string()); });
  EXPECT_EQ(directory.code(), ErrorCode::kFailed);
  EXPECT_THAT(directory.what(), HasSubstr("is a directory"));
  const Error device = error_of([&] { Decoder decoder("/dev/zero"); });
  EXPECT_THAT(device.what(), HasSubstr("not a regular file"));
}

TEST(BrokenFiles, that_are_empty_or_text_or_noise_are_bad_data) {
  const TempDir dir;
  write_bytes(dir / "empty.mp4", "");
  EXPECT_THAT(bad_data_message(dir / "empty.mp4"), HasSubstr("is empty"));
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "This is not a video, it is line " + std::to_string(i) + ".\n";
  Rng rng(3);
  std::string noise(200000, '\0');
  for (char& byte : noise) byte = static_cast<char>(rng.below(256));
  for (const char* ending : {".mp4", ".avi", ".mkv", ".txt", ".mpg", ".jpg", ""}) {
    write_bytes(dir / ("text" + std::string(ending)), text);
    EXPECT_THAT(bad_data_message(dir / ("text" + std::string(ending))), HasSubstr("is not a video that can be read"));
    write_bytes(dir / ("noise" + std::string(ending)), noise);
    survive(dir / ("noise" + std::string(ending)), 1000, false);
    write_bytes(dir / ("zeros" + std::string(ending)), std::string(100000, '\0'));
    survive(dir / ("zeros" + std::string(ending)), 1000, false);
  }
}

std::string wav_bytes() {
  const auto number = [](std::uint32_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
    return text;
  };
  const std::string samples(16000, '\x11');
  return "RIFF" + number(static_cast<std::uint32_t>(36 + samples.size()), 4) + "WAVEfmt " + number(16, 4) + number(1, 2) +
         number(1, 2) + number(8000, 4) + number(16000, 4) + number(2, 2) + number(16, 2) + "data" +
         number(static_cast<std::uint32_t>(samples.size()), 4) + samples;
}

TEST(BrokenFiles, with_sound_only_say_so) {
  const TempDir dir;
  write_bytes(dir / "sound.mp4", wav_bytes());
  EXPECT_THAT(bad_data_message(dir / "sound.mp4"), HasSubstr("has no video stream (1 audio stream: pcm_s16le)"));
}

TEST(BrokenFiles, with_sound_and_a_cover_picture_have_no_video_stream) {
  const TempDir dir;
  SyntheticClip cover;
  cover.path = dir / "cover.png";
  cover.codec = "png";
  cover.frames = 1;
  write_synthetic_clip(cover);
  const std::string picture = read_bytes(cover.path);
  const auto big_endian = [](std::size_t value, int bits) {
    std::string text;
    for (int i = 3; i >= 0; --i) text += static_cast<char>(value >> (bits * i) & ((1U << bits) - 1));
    return text;
  };
  // An ID3v2.3 tag with one picture, then silent MPEG-1 layer III frames of 128 kbit/s at 44.1 kHz.
  const std::string body = std::string("\0image/png\0\3\0", 13) + picture;
  const std::string frame = "APIC" + big_endian(body.size(), 8) + std::string(2, '\0') + body;
  std::string bytes = std::string("ID3\3\0\0", 6) + big_endian(frame.size(), 7) + frame;
  for (int i = 0; i < 40; ++i) bytes += std::string("\xFF\xFB\x90\x00", 4) + std::string(413, '\0');
  write_bytes(dir / "song.mp3", bytes);
  EXPECT_THAT(bad_data_message(dir / "song.mp3"),
              HasSubstr("has no video stream (1 audio stream: mp3; 1 attached picture: png)"));
}

TEST(BrokenFiles, that_refer_to_other_files_do_not_open_them) {
  const TempDir dir;
  const SyntheticClip clip = clip_of(kKinds[2], dir);
  write_synthetic_clip(clip);
  write_bytes(dir / "list.ffconcat", "ffconcat version 1.0\nfile whole.ts\n");
  bad_data_message(dir / "list.ffconcat");
  write_bytes(dir / "list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nwhole.ts\n#EXT-X-ENDLIST\n");
  bad_data_message(dir / "list.m3u8");
}

TEST(BrokenFiles, that_claim_absurd_sizes_are_refused_or_give_no_frame) {
  const TempDir dir;
  SyntheticClip image;
  image.path = dir / "a.bmp";
  image.codec = "bmp";
  image.frames = 1;
  write_synthetic_clip(image);
  std::string bytes = read_bytes(image.path);
  for (const std::size_t at : {18U, 22U}) bytes.replace(at, 4, std::string("\0\0\1\0", 4));  // 65536
  write_bytes(image.path, bytes);
  const Outcome outcome = survive(image.path, 1, false);
  EXPECT_EQ(outcome.frames, 0);
}

TEST(BrokenFiles, that_end_early_give_the_frames_before_or_one_error) {
  const TempDir dir;
  for (const Kind& kind : kKinds) {
    const SyntheticClip clip = clip_of(kind, dir);
    write_synthetic_clip(clip);
    const std::string bytes = read_bytes(clip.path);
    std::int64_t most = 0;
    for (const int percent : {1, 5, 20, 40, 60, 80, 95, 99}) {
      SCOPED_TRACE(fmt::format("{} in {}, {}%", kind.codec, kind.ending, percent));
      const std::string path = dir / ("part." + std::string(kind.ending));
      write_bytes(path, bytes.substr(0, bytes.size() * static_cast<std::size_t>(percent) / 100));
      const Outcome outcome = survive(path, clip.frames, false);
      EXPECT_GE(outcome.frames, most) << "a longer part gives fewer frames";
      most = std::max(most, outcome.frames);
      if (outcome.refused) continue;
      std::int64_t last = -1;
      for (const Frame& frame : decode_all(path, true)) {
        if (frame.damaged || frame.index + 1 == outcome.frames) continue;
        const std::int64_t shown = read_index(frame.rgb());
        EXPECT_GT(shown, last);
        last = shown;
      }
    }
    // MP4 has its index at the end; nothing can be read without it.
    const std::int64_t least = std::string(kind.ending) == "mp4" ? 0 : clip.frames / 2;
    EXPECT_GE(most, least) << kind.ending;
  }
}

TEST(BrokenFiles, with_zeroed_ranges_never_stop_the_decoder) {
  const TempDir dir;
  for (const Kind& kind : kKinds) {
    const SyntheticClip clip = clip_of(kind, dir);
    write_synthetic_clip(clip);
    const std::string bytes = read_bytes(clip.path);
    const std::string path = dir / ("zeroed." + std::string(kind.ending));
    std::int64_t noticed = 0, frames = 0;
    for (std::size_t tenth = 1; tenth < 10; ++tenth) {
      SCOPED_TRACE(fmt::format("{} in {}, {}0%", kind.codec, kind.ending, tenth));
      std::string damaged = bytes;
      const std::size_t begin = bytes.size() * tenth / 10, count = std::min<std::size_t>(400, bytes.size() - begin);
      std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(begin), count, '\0');
      write_bytes(path, damaged);
      const Outcome outcome = survive(path, 2LL * clip.frames, true);
      noticed += outcome.damaged + outcome.errors + outcome.refused;
      frames += outcome.frames;
      try {
        examine(path);
      } catch (const Error& error) {
        EXPECT_TRUE(outcome.refused) << error.what();
      }
    }
    EXPECT_GT(noticed, 0) << kind.codec << " in " << kind.ending << ": no damage was noticed";
    EXPECT_GT(frames, 4 * clip.frames) << kind.codec << " in " << kind.ending;
  }
}

TEST(BrokenFiles, with_random_bytes_never_stop_the_decoder) {
  const TempDir dir;
  Rng rng(11);
  for (const Kind& kind : kKinds) {
    SyntheticClip clip = clip_of(kind, dir);
    clip.frames = 10;
    clip.width = 80;
    clip.height = 64;
    write_synthetic_clip(clip);
    const std::string bytes = read_bytes(clip.path);
    const std::string path = dir / ("random." + std::string(kind.ending));
    for (int round = 0; round < 30; ++round) {
      SCOPED_TRACE(fmt::format("{} in {}, round {}", kind.codec, kind.ending, round));
      std::string damaged = bytes;
      const std::int64_t hits = 1 + rng.below(40);
      // Every third round only touches the header.
      const std::int64_t range = round % 3 == 0 ? 600 : static_cast<std::int64_t>(bytes.size());
      for (std::int64_t i = 0; i < hits; ++i) {
        damaged[static_cast<std::size_t>(rng.below(range))] = static_cast<char>(rng.below(256));
      }
      write_bytes(path, damaged);
      survive(path, 400, round % 2 == 0);
    }
  }
}

}  // namespace
}  // namespace actio::video
