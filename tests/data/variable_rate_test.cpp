// Clips whose frames do not follow each other evenly: their segments are equal in time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <sstream>

#include "clips.h"
#include "core/file.h"
#include "data/clip_reader.h"
#include "data/flow_cache.h"
#include "data/snippet.h"
#include "motion/vector_stream.h"
#include "support/inputs.h"
#include "support/shared_data.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"
#include "video/decoder.h"
#include "video/encoder.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Where frame `index` of 60 stands, in 1/25 s: 30 at 25 a second, then 30 at 5.
std::int64_t quick_then_slow(std::int64_t index) { return index < 30 ? index : 30 + 5 * (index - 30); }

// The middles of eight parts of 0.9 s: 0.45 s is frame 11's (0.44 to 0.48 s), 1.35 s that of frame 30 (1.2 to 1.4 s), ...
const std::vector<std::int64_t> kByTime = {11, 30, 35, 39, 44, 48, 53, 57};
const std::vector<std::int64_t> kByFrames = {3, 11, 18, 26, 33, 41, 48, 56};

struct Kind {
  const char* name;
  const char* codec;
  int b_frames = 2;
  int gop = 12;
};

class VariableRate : public ::testing::Test {
 protected:
  std::string clip(const Kind& kind, const std::function<std::int64_t(std::int64_t)>& tick, int frames = 60) const {
    const actio::testing::SyntheticClip texture{.path = "", .dx = 1.5, .dy = -1};
    video::EncoderOptions options;
    options.codec = kind.codec;
    options.width = texture.width;
    options.height = texture.height;
    options.b_frames = kind.b_frames;
    options.gop = kind.gop;
    options.quality = std::string(kind.codec).starts_with("lib") ? 18 : 3;
    video::Encoder encoder(dir_ / kind.name, options);
    for (int t = 0; t < frames; ++t) encoder.write_at(actio::testing::synthetic_frame(texture, t), tick(t));
    encoder.close();
    return dir_ / kind.name;
  }
  static ClipRequest request(const std::string& path, const std::string& motion = "none") {
    ClipRequest request;
    request.path = path;
    request.segments = 8;
    Preprocess preprocess;
    preprocess.input_size = 32;
    preprocess.short_side = 36;
    preprocess.motion = value_named<Motion>("motion", motion);
    preprocess.motion_length = 3;
    preprocess.flow_quality = "realtime";
    preprocess.flow_short_side = 32;
    request.inputs = actio::testing::inputs_for(preprocess);
    return request;
  }
  static bool same(const ClipInput& a, const ClipInput& b) {
    return a.sampled == b.sampled && std::ranges::equal(a.inputs, b.inputs, [](const auto& x, const auto& y) {
             return x.first == y.first && x.second.shape() == y.second.shape() &&
                    std::memcmp(x.second.raw(), y.second.raw(), x.second.bytes()) == 0;
           });
  }
  // What decoding and gathering the frames and windows of `sampled` by hand gives.
  static TensorMap by_hand(const ClipRequest& request, const std::vector<std::int64_t>& sampled, std::int64_t frames) {
    const CropFn crop = [&](int width, int height) { return centre_crop(width, height, request.inputs.framing); };
    SnippetAssembler assembler(SnippetPlan{sampled, frames}, request.inputs.list, crop);
    const bool moves = request.inputs.has(InputKind::kVectors);
    video::Decoder decoder(request.path, {.vectors = moves});
    motion::VectorStream vectors(true);
    while (const auto frame = decoder.next()) {
      assembler.push(*frame, {moves ? vectors.field(*frame) : Tensor(), {}});
    }
    return assembler.take();
  }
  actio::testing::TempDir dir_;
};

// AVI says when packets come, not when they are shown, so that B-frames have no times of their own there.
const std::vector<Kind> kKinds = {{"a.mp4", "libx264"},    {"b.mp4", "libx264", 0}, {"a.mkv", "libx264"}, {"a.avi", "mpeg4", 0},
                                  {"b.avi", "libx264", 0}, {"c.mp4", "mpeg4"},      {"d.mp4", "libx265"}};

TEST_F(VariableRate, has_segments_of_equal_time_in_every_container) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(fmt::format("{} {}", kind.name, kind.codec));
    const ClipRequest wanted = request(clip(kind, quick_then_slow));
    ClipMemory memory;
    for (int repeat = 0; repeat < 2; ++repeat) {
      const ClipInput read = read_clip(wanted, memory);
      EXPECT_THAT(read.sampled, ElementsAreArray(kByTime));
      EXPECT_EQ(read.frames, 60);
      EXPECT_THAT(read.warnings, IsEmpty());
    }
  }
}

TEST_F(VariableRate, has_the_pixels_of_its_frames_and_windows_of_neighbouring_frames) {
  for (const Kind& kind : {Kind{"a.mp4", "libx264"}, Kind{"a.avi", "mpeg4", 0}}) {
    for (const std::string motion : {"mv", "rgbdiff"}) {
      const ClipRequest wanted = request(clip(kind, quick_then_slow), motion);
      const ClipInput read = read_clip(wanted);
      EXPECT_TRUE(same(read, {by_hand(wanted, kByTime, 60), kByTime, 60, 0, {}})) << kind.name << " " << motion;
    }
  }
}

TEST_F(VariableRate, is_sampled_at_random_times_of_each_segment) {
  const std::string path = clip({"a.mp4", "libx264"}, quick_then_slow);
  ClipRequest wanted = request(path);
  wanted.segments = 2;  // 3.6 s each: frames 0 to 41, and 42 to 59
  wanted.sampling = Sampling::kRandom;
  ClipMemory memory;
  int quick = 0;
  for (wanted.stream = 0; wanted.stream < 60; ++wanted.stream) {
    const ClipInput read = read_clip(wanted, memory);
    ASSERT_LE(read.sampled[0], 41);
    ASSERT_GE(read.sampled[1], 42);
    quick += read.sampled[0] < 30 ? 1 : 0;
    EXPECT_EQ(read_clip(wanted).sampled, read.sampled) << "without a memory";
  }
  EXPECT_GT(quick, 8) << "a third of the segment's time";
  EXPECT_LT(quick, 34) << "and not seven tenths of it, their share of the frames";
}

TEST_F(VariableRate, gives_the_same_from_flow_that_is_kept_as_from_flow_that_is_computed) {
  for (const Kind& kind : {Kind{"a.mp4", "libx264"}, Kind{"a.avi", "mpeg4", 0}, Kind{"b.avi", "libx264", 0}}) {
    ClipRequest plain = request(clip(kind, quick_then_slow), "flow");
    ClipRequest cached = plain;
    cached.flow_cache = dir_ / "cache";
    const ClipInput first = read_clip(cached), again = read_clip(cached);
    EXPECT_THAT(first.sampled, ElementsAreArray(kByTime));
    EXPECT_TRUE(same(first, read_clip(plain))) << kind.name;
    EXPECT_TRUE(same(first, again));
    EXPECT_THAT(again.warnings, IsEmpty());
    plain.sampling = cached.sampling = Sampling::kRandom;
    for (plain.stream = cached.stream = 0; plain.stream < 4; cached.stream = ++plain.stream) {
      EXPECT_TRUE(same(read_clip(plain), read_clip(cached))) << kind.name << " " << plain.stream;
    }
  }
}

TEST_F(VariableRate, is_found_out_where_kept_flow_does_not_tell_it) {
  const std::string path = clip({"a.mp4", "libx264"}, quick_then_slow);
  ClipRequest wanted = request(path, "flow");
  wanted.flow_cache = dir_ / "cache";
  for (const bool rgb : {true, false}) {
    if (!rgb) wanted.inputs.list.erase(wanted.inputs.list.begin());
    const ClipInput expected = read_clip(wanted);
    const fs::path file = flow_path(wanted.flow_cache, path);
    write_file_atomically(file, [&, flow = FlowFile(file)](std::ostream& out) {
      FlowFileWriter writer(out);
      for (std::int64_t i = 0; i < flow.frames(); ++i) writer.add(pack_field(flow.field(i)));
      FlowHeader header = flow.header();
      header.has_times = false;  // as earlier versions wrote it
      writer.finish(header);
    });
    ASSERT_FALSE(FlowFile(file).header().has_times);
    ClipMemory memory;
    EXPECT_TRUE(same(read_clip(wanted, memory), expected));
    EXPECT_TRUE(same(read_clip(wanted, memory), expected));
    EXPECT_THAT(expected.sampled, ElementsAreArray(kByTime));
  }
}

TEST_F(VariableRate, of_many_frames_is_kept_with_the_flow) {
  FlowHeader header{flow_parameters(motion::flow_settings(request("", "flow").inputs.list.at(1))), "a.mp4", "0123456789abcdef", {}};
  constexpr std::int64_t kFrames = 20'000;
  header.facts.frames = kFrames;
  for (std::int64_t i = 0; i < kFrames; ++i)
    header.facts.times.microseconds.push_back(i * 1'111'111 + std::max<std::int64_t>(0, i - kFrames / 2) * 300'000);
  std::ostringstream out;
  FlowFileWriter writer(out);
  const PackedField still = pack_field({Tensor({2, 1, 1}, DType::kU8), 16, 16});
  for (std::int64_t i = 0; i < kFrames; ++i) writer.add(still);
  writer.finish(header);
  const std::string content = out.str();
  const FlowFile file(std::as_bytes(std::span(content)), "memory");
  EXPECT_EQ(file.header().facts.times.microseconds, header.facts.times.microseconds);
}

TEST_F(VariableRate, that_is_none_changes_nothing) {
  for (const Kind& kind : kKinds) {
    const ClipInput read = read_clip(request(clip(kind, [](std::int64_t t) { return t; })));
    EXPECT_THAT(read.sampled, ElementsAreArray(kByFrames)) << kind.name;
    EXPECT_THAT(read.warnings, IsEmpty());
  }
  // 33 and 34 ms
  const actio::testing::SyntheticClip odd{.path = dir_ / "odd.mkv", .frames = 60, .frames_per_second = 30};
  actio::testing::write_synthetic_clip(odd);
  EXPECT_THAT(read_clip(request(odd.path)).sampled, ElementsAreArray(kByFrames));
}

// Bytes of an MP4 without B-frames whose steps from frame to frame are `change`d. Units: ticks of 1/25 s.
void change_steps(const std::string& path, const std::function<double(std::int64_t, double)>& change) {
  std::string bytes = read_text_file(path);
  const auto number = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  };
  const std::size_t media = bytes.find("mdhd"), steps = bytes.find("stts"), cut = bytes.find("edts");
  ASSERT_NE(media, std::string::npos);
  ASSERT_NE(steps, std::string::npos);
  if (cut != std::string::npos) bytes.replace(cut, 4, "free");  // it ends where the frames were to end
  const double scale = number(media + 16);                      // ticks of the file a second
  std::int64_t frame = 0;
  for (std::uint32_t i = 0; i < number(steps + 8); ++i) {
    const std::size_t at = steps + 12 + i * 8;
    const auto changed = static_cast<std::uint32_t>(change(frame, number(at + 4) * 25 / scale) * scale / 25);
    for (std::size_t k = 0; k < 4; ++k) bytes[at + 4 + k] = static_cast<char>(changed >> (24 - 8 * k));
    frame += number(at);
  }
  ASSERT_EQ(frame, 60);
  write_file_atomically(path, bytes);
}

// The steps of an MP4 are kept one by one where they differ.
std::int64_t uneven(std::int64_t index) { return 4 * index + index % 2; }

TEST_F(VariableRate, without_sense_is_taken_for_constant_with_a_warning) {
  struct Fault {
    const char* text;
    std::function<double(std::int64_t, double)> change;
  };
  const std::vector<Fault> faults = {
      {"leave a gap of 3600 s before frame 41", [](std::int64_t frame, double step) { return frame == 40 ? 25.0 * 3600 : step; }},
      {"repeat: frames 40 and 41 are both at", [](std::int64_t frame, double step) { return frame == 40 ? 0 : step; }},
      {"repeat: frames 0 and 1 are both at 0.000 s", [](std::int64_t, double) { return 0.0; }}};
  for (const Fault& fault : faults) {
    for (const std::string& cache : {std::string(), dir_ / "cache"}) {
      const std::string path = clip({"a.mp4", "libx264", 0}, uneven);
      change_steps(path, fault.change);
      ClipRequest wanted = request(path, "flow");
      wanted.flow_cache = cache;
      ClipMemory memory;
      for (int repeat = 0; repeat < 2; ++repeat) {
        const ClipInput read = read_clip(wanted, memory);
        EXPECT_THAT(read.sampled, ElementsAreArray(kByFrames)) << fault.text;
        EXPECT_THAT(read.warnings,
                    ::testing::Contains(::testing::AllOf(HasSubstr("a.mp4: its time stamps "), HasSubstr(fault.text),
                                                         HasSubstr("; its segments are equal in frames, not in time"))));
      }
    }
  }
}

TEST_F(VariableRate, that_goes_back_in_time_is_taken_for_constant_with_a_warning) {
  const std::string path = clip({"a.mkv", "libx264", 0, 600}, [](std::int64_t t) { return t; });
  std::string bytes = read_text_file(path);
  // The header of a block: the track, the time in ms from the cluster's, flags.
  const auto block = [](int milliseconds) {
    return std::string{'\x81', static_cast<char>(milliseconds >> 8), static_cast<char>(milliseconds)};
  };
  int changed = 0;
  for (std::size_t at = bytes.find(block(1600)); at != std::string::npos; at = bytes.find(block(1600), at + 1)) {
    if (bytes[at + 3] != '\0' && bytes[at + 3] != '\x80') continue;
    bytes.replace(at, 3, block(400));
    ++changed;
  }
  ASSERT_EQ(changed, 1);
  write_file_atomically(path, bytes);
  const ClipInput read = read_clip(request(path));
  EXPECT_THAT(read.sampled, ElementsAreArray(kByFrames));
  EXPECT_THAT(read.warnings, ::testing::Contains(HasSubstr("a.mkv: its time stamps jump back from 1.560 s to 0.400 s at frame 40")));
}

TEST_F(VariableRate, of_a_real_file_is_sampled_by_time) {
  const std::string path = actio::testing::shared_file("data/field/05_vfr/vfr.mp4");
  ACTIO_NEEDS_SHARED(path);
  EXPECT_THAT(read_clip(request(path)).sampled, ElementsAreArray(kByTime));
}

}  // namespace
}  // namespace actio::data
