// Videos that do not come from a file, and readings that are stopped.
#include "video/source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "clip_tools.h"
#include "sparse_tools.h"
#include "support/stalling_source.h"
#include "video/encoder.h"
#include "video/examine.h"
#include "video/ffmpeg_handles.h"

namespace actio::video {
namespace {

using ::testing::HasSubstr;

// A video's bytes behind functions, as a network or an archive would give them: in small, uneven parts.
struct Stream {
  std::string bytes;
  std::size_t position = 0;
  int reads = 0, seeks = 0;
};

Source functions(const std::shared_ptr<Stream>& stream, bool seeks, bool sized, const std::string& name) {
  const auto read = [stream](std::span<std::byte> target, const std::stop_token&) {
    const std::size_t part = 1 + 977 * static_cast<std::size_t>(stream->reads++ % 13);
    const std::size_t got =
        std::min({target.size(), part, stream->bytes.size() - std::min(stream->position, stream->bytes.size())});
    std::memcpy(target.data(), stream->bytes.data() + stream->position, got);
    stream->position += got;
    return got;
  };
  Source::SeekFn seek;
  if (seeks) {
    seek = [stream](std::int64_t position) {
      ++stream->seeks;
      stream->position = static_cast<std::size_t>(position);
      return true;
    };
  }
  return Source::callback(read, seek, name, sized ? static_cast<std::int64_t>(stream->bytes.size()) : -1);
}

Source in_memory(const std::string& bytes, const std::string& name) {
  const std::shared_ptr<std::byte[]> copy(new std::byte[bytes.size()]);
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  return Source::memory(copy, bytes.size(), name);
}

struct Kind {
  const char* codec;
  const char* ending;
};
constexpr Kind kKinds[] = {{"libx264", "mp4"}, {"mpeg4", "mov"},      {"mpeg4", "avi"}, {"libx264", "mkv"},
                           {"libx264", "ts"},  {"mpeg2video", "mpg"}, {"flv", "flv"},   {"libx264", "264"}};

std::string write_clip(const Kind& kind, const TempDir& dir) {
  SyntheticClip clip;
  clip.path = dir / fmt::format("{}.{}", kind.codec, kind.ending);
  clip.codec = kind.codec;
  clip.frames = 40;
  clip.dx = 2;
  clip.dy = -1;
  if (clip.codec != "libx264") clip.quality = clip.codec == "flv" ? 8 : 3;
  if (clip.codec == "flv") clip.b_frames = 0;
  write_synthetic_clip(clip);
  return clip.path;
}

TEST(SourceOfMemoryAndFunctions, gives_the_frames_vectors_and_times_of_the_file) {
  const TempDir dir;
  for (const Kind& kind : kKinds) {
    const std::string path = write_clip(kind, dir), bytes = read_bytes(path);
    const auto expected_frames = whole(path, true);
    ASSERT_EQ(expected_frames.size(), 40U);
    const auto stream = [&] { return std::make_shared<Stream>(Stream{bytes}); };
    // No name helps to tell what the bytes are.
    EXPECT_EQ(whole(in_memory(bytes, "upload"), true), expected_frames) << path;
    EXPECT_EQ(whole(functions(stream(), true, true, "upload"), true), expected_frames) << path;
    EXPECT_EQ(whole(functions(stream(), true, false, "upload"), true), expected_frames) << path << ": of unknown size";
    EXPECT_EQ(whole(functions(stream(), false, false, "pipe"), true), expected_frames) << path << ": without seeking";
  }
}

TEST(SourceOfMemoryAndFunctions, gives_selected_frames_with_the_work_of_the_file_where_it_seeks) {
  const TempDir dir;
  for (const Kind& kind : kKinds) {
    const std::string path = write_clip(kind, dir), bytes = read_bytes(path);
    const Indices wanted{2, 17, 18, 33};
    const Outcome of_file = sparse(path, wanted, true, true);
    const auto expect = [&](const Source& source, bool same_work) {
      const Outcome outcome = sparse(source, wanted, true, true);
      EXPECT_EQ(outcome.frames, of_file.frames) << path;
      if (!same_work) return;
      EXPECT_EQ(outcome.counters.frames, of_file.counters.frames) << path;
    };
    expect(in_memory(bytes, "upload"), true);
    expect(functions(std::make_shared<Stream>(Stream{bytes}), true, true, "upload"), true);
    const auto pipe = std::make_shared<Stream>(Stream{bytes});
    expect(functions(pipe, false, false, "pipe"), false);
    EXPECT_EQ(pipe->seeks, 0);
  }
}

TEST(SourceOfMemoryAndFunctions, can_be_examined_and_is_named_in_errors) {
  const TempDir dir;
  const std::string bytes = read_bytes(write_clip(kKinds[0], dir));
  const Examination examination = examine(functions(std::make_shared<Stream>(Stream{bytes}), false, false, "camera 7"));
  EXPECT_EQ(examination.info.path, "camera 7");
  EXPECT_EQ(examination.counters.frames, 40);
  const auto message = [](const Source& source) { return std::string(error_of([&] { Decoder decoder(source); }).what()); };
  EXPECT_THAT(message(in_memory("no video at all, only a line of text\n", "upload 3")),
              ::testing::StartsWith("upload 3: is not a video"));
  EXPECT_THAT(message(Source::memory(nullptr, 0, "upload 4")), HasSubstr("upload 4: is empty"));
  EXPECT_THAT(message(functions(std::make_shared<Stream>(), false, false, "pipe")), HasSubstr("pipe: "));
  EXPECT_THAT(message(Source::callback({}, {}, "nothing")), HasSubstr("nothing: a source without a function that reads"));
}

TEST(SourceOfMemoryAndFunctions, that_is_cut_gives_what_comes_before) {
  const TempDir dir;
  for (const Kind& kind : {kKinds[2], kKinds[3], kKinds[4]}) {
    std::string bytes = read_bytes(write_clip(kind, dir));
    bytes.resize(bytes.size() * 2 / 3);
    write_bytes(dir / "cut", bytes);
    const auto expected_frames = whole(dir / "cut", false);
    EXPECT_GT(expected_frames.size(), 15U);
    EXPECT_EQ(whole(functions(std::make_shared<Stream>(Stream{bytes}), false, false, "pipe"), false).size(),
              expected_frames.size());
  }
}

TEST(SourceOfFunctions, passes_on_what_they_throw) {
  const TempDir dir;
  const std::string bytes = read_bytes(write_clip(kKinds[3], dir));
  for (const std::size_t after : {std::size_t{0}, bytes.size() * 9 / 10}) {
    std::size_t given = 0;
    const auto read = [&](std::span<std::byte> target, const std::stop_token&) {
      if (given >= after) fail("the line was cut after {} bytes", given);
      const std::size_t got = std::min({target.size(), std::size_t{500}, after - given});
      std::memcpy(target.data(), bytes.data() + given, got);
      given += got;
      return got;
    };
    const Error error = error_of([&] { whole(Source::callback(read, {}, "pipe"), false); });
    EXPECT_EQ(std::string(error.what()), fmt::format("the line was cut after {} bytes", after));
  }
}

// A source that has no more bytes for now, and waits until it is told to stop.
TEST(SourceThatStalls, is_left_when_a_stop_is_requested) {
  const TempDir dir;
  for (const Kind& kind : {kKinds[0], kKinds[3], kKinds[4]}) {
    const std::string bytes = read_bytes(write_clip(kind, dir));
    for (const std::size_t after : {std::size_t{0}, bytes.size() / 2}) {
      SCOPED_TRACE(fmt::format("{} after {} bytes", kind.ending, after));
      std::stop_source stop;
      std::size_t given = 0;
      std::mutex mutex;
      std::condition_variable_any stalled;
      bool waits = false;
      const auto read = [&](std::span<std::byte> target, const std::stop_token& token) -> std::size_t {
        const std::size_t got = std::min(target.size(), after - given);
        std::memcpy(target.data(), bytes.data() + given, got);
        given += got;
        if (got > 0) return got;
        std::unique_lock lock(mutex);
        waits = true;
        stalled.notify_all();
        stalled.wait(lock, token, [] { return false; });
        return 0;
      };
      std::jthread stopper([&] {
        std::unique_lock lock(mutex);
        stalled.wait(lock, [&] { return waits; });
        lock.unlock();
        stop.request_stop();
      });
      const Error error = error_of([&] {
        Decoder decoder(Source::callback(read, {}, "camera"), {}, stop.get_token());
        while (decoder.next()) {
        }
      });
      EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
      EXPECT_EQ(std::string(error.what()), "camera: reading was stopped");
    }
  }
}

TEST(StopOfADecoder, ends_the_reading_of_a_file_and_leaves_other_decoders_alone) {
  const TempDir dir;
  const std::string path = write_clip(kKinds[0], dir);
  std::stop_source stop;
  Decoder stopped(path, {}, stop.get_token()), other(path);
  EXPECT_TRUE(stopped.next());
  stop.request_stop();
  EXPECT_EQ(error_of([&] {
              while (stopped.next()) {
              }
            }).code(),
            ErrorCode::kInterrupted);
  int frames = 0;
  while (other.next()) ++frames;
  EXPECT_EQ(frames, 40);
  EXPECT_EQ(error_of([&] { Decoder late(path, {}, stop.get_token()); }).code(), ErrorCode::kInterrupted);
}

TEST(PixelsOfAFrame, are_limited_by_an_option_and_the_error_has_both_numbers) {
  const TempDir dir;
  SyntheticClip clip;
  clip.path = dir / "a.mp4";
  clip.width = 322;
  clip.height = 242;
  write_synthetic_clip(clip);
  EXPECT_EQ(Decoder(clip.path, {.max_pixels = 322 * 242}).next()->width, 322);
  const Error error = error_of([&] { Decoder decoder(clip.path, {.max_pixels = 322 * 242 - 1}); });
  EXPECT_EQ(error.code(), ErrorCode::kBadData);
  EXPECT_EQ(std::string(error.what()),
            clip.path + ": claims 322 x 242 pixels, 77924 in all; at most 77923 a frame are read (--max-pixels)");
}

// Far from the limit FFmpeg's own check of the size comes first, which leaves a picture of no size behind.
TEST(PixelsOfAFrame, far_above_the_limit_are_told_for_every_container_and_for_pictures) {
  const TempDir dir;
  for (const Kind& kind : {kKinds[0], kKinds[2], kKinds[4], Kind{"mjpeg", "mjpeg"}, Kind{"mjpeg", "mov"}}) {
    SyntheticClip clip;
    clip.path = dir / fmt::format("{}.{}", kind.codec, kind.ending);
    clip.codec = kind.codec;
    clip.frames = 2;
    clip.width = 1600;
    clip.height = 1200;
    clip.b_frames = 0;
    if (clip.codec != "libx264") clip.quality = 5;
    write_synthetic_clip(clip);
    const std::string told = ": claims 1600 x 1200 pixels, 1920000 in all; at most 10000 a frame are read (--max-pixels)";
    const Error error = error_of([&] { Decoder decoder(clip.path, {.max_pixels = 10000}); });
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    EXPECT_EQ(std::string(error.what()), clip.path + told);
    const auto pipe = functions(std::make_shared<Stream>(Stream{read_bytes(clip.path)}), false, false, "pipe");
    EXPECT_THAT(error_of([&] { Decoder decoder(pipe, {.max_pixels = 10000}); }).what(), HasSubstr("10000")) << clip.path;
  }
  write_bytes(dir / "large.ppm", "P6 8000 9000 255\n" + std::string(1000, 'x'));
  EXPECT_THAT(error_of([&] { Decoder decoder(dir / "large.ppm"); }).what(),
              HasSubstr("claims 8000 x 9000 pixels, 72000000 in all; at most 67108864 a frame are read (--max-pixels)"));
}

TEST(SecondsOfAReading, end_it_where_the_source_stalls_and_the_error_has_both_numbers) {
  const TempDir dir;
  for (const Kind& kind : {kKinds[0], kKinds[3], kKinds[4]}) {
    const std::string path = write_clip(kind, dir);
    for (const double share : {0.0, 0.5}) {
      SCOPED_TRACE(fmt::format("{} after {}", kind.ending, share));
      const Error error = error_of([&] {
        Decoder decoder(testing::stalling_source(path, share, "camera"), {.max_seconds = 0.3});
        while (decoder.next()) {
        }
      });
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      EXPECT_THAT(error.what(), ::testing::MatchesRegex("camera: reading it took [0-9.]+ s, at most 0.3 s are given .--max-seconds."));
    }
  }
}

TEST(SecondsOfAReading, are_those_within_the_decoder_and_not_those_of_its_user) {
  const TempDir dir;
  Decoder decoder(write_clip(kKinds[0], dir), {.max_seconds = 1});
  int frames = 0;
  for (; decoder.next(); ++frames) std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(frames, 40);
}

// What is written to standard error while `action` runs.
std::string written(const TempDir& dir, const std::function<void()>& action) {
  const std::string path = dir / "stderr.txt";
  const int before = ::dup(STDERR_FILENO), file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
  ::dup2(file, STDERR_FILENO);
  action();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(file);
  return read_bytes(path);
}

TEST(Library, writes_nothing_for_damaged_pictures_and_leaves_the_level_of_ffmpegs_log_alone) {
  const TempDir dir;
  const int level = av_log_get_level();
  av_log_set_level(AV_LOG_INFO);
  for (const Kind& kind : {Kind{"libx264", "mp4"}, Kind{"mpeg4", "mp4"}, Kind{"mjpeg", "mov"}, Kind{"mpeg2video", "mp4"}}) {
    SCOPED_TRACE(kind.codec);
    std::string path;
    EXPECT_EQ(written(dir, [&] { path = write_clip(kind, dir); }), "") << "the encoder";
    std::string bytes = read_bytes(path);
    const std::size_t middle = bytes.find("mdat") + 3000;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(middle), 700, '\x55');
    write_bytes(path, bytes);
    std::int64_t noticed = 0;
    EXPECT_EQ(written(dir,
                      [&] {
                        Decoder decoder(path);
                        while (const auto frame = decoder.next()) frame->rgb(), frame->grey();
                        noticed = decoder.counters().damaged + decoder.counters().errors;
                      }),
              "");
    EXPECT_GT(noticed + (kind.codec == std::string("mjpeg")), 0);
  }
  EXPECT_EQ(av_log_get_level(), AV_LOG_INFO);
  av_log_set_level(level);
}

}  // namespace
}  // namespace actio::video
