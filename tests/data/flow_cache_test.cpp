#include "data/flow_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "clips.h"
#include "core/error.h"
#include "core/file.h"
#include "core/rng.h"
#include "data/clip_reader.h"
#include "data/flow_batch.h"
#include "data/flow_file.h"
#include "data/flow_preview.h"
#include "motion/flow_image.h"
#include "support/inputs.h"
#include "support/synthetic_clip.h"
#include "support/temp_dir.h"
#include "video/decoder.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::write_moving_clip;

Preprocess quick() {
  Preprocess preprocess;
  preprocess.input_size = 32;
  preprocess.short_side = 36;
  preprocess.motion = Motion::kFlow;
  preprocess.motion_length = 3;
  preprocess.flow_quality = "fast";
  preprocess.flow_short_side = 32;
  return preprocess;
}

motion::FlowSettings quick_flow() { return motion::flow_settings(quick()); }

Tensor random_image(std::int64_t height, std::int64_t width, std::uint64_t seed) {
  Tensor image({2, height, width}, DType::kU8);
  Rng rng(seed);
  for (auto& value : image.values<std::uint8_t>()) value = static_cast<std::uint8_t>(rng.below(256));
  return image;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

FlowHeader header_of(std::int64_t frames) {
  FlowHeader header{flow_parameters(quick_flow()), "a.avi", "0123456789abcdef", {}};
  header.facts.frames = frames;
  header.facts.container = "avi";
  header.facts.frames_per_second = 25;
  return header;
}

// A flow file of random images, in memory.
std::string file_of(const std::vector<MotionImage>& fields) {
  std::ostringstream out;
  FlowFileWriter writer(out);
  for (const MotionImage& field : fields) writer.add(pack_field(field));
  writer.finish(header_of(static_cast<std::int64_t>(fields.size())));
  return out.str();
}

std::vector<MotionImage> three_fields() {
  return {{motion::still_image(9, 13), 26, 18}, {random_image(9, 13, 1), 26, 18}, {random_image(5, 3, 2), 6, 10}};
}

FlowFile open(const std::string& content) { return {std::as_bytes(std::span(content)), "memory"}; }

// Opens and reads everything. Returns: what was wrong, or nothing.
std::string problem_of(const std::string& content) {
  try {
    const FlowFile file = open(content);
    for (std::int64_t i = 0; i < file.frames(); ++i) file.field(i);
    return {};
  } catch (const FlowFileDamage& damage) {
    return damage.what();
  }
}

// The part behind the fields, whose hash is put right after `change`.
template <typename Change>
std::string with_directory(std::string content, const Change& change) {
  std::uint64_t offset = 0;
  std::memcpy(&offset, content.data() + content.size() - 32, 8);
  std::string directory = content.substr(offset, content.size() - 32 - offset), numbers = content.substr(content.size() - 32, 16);
  change(directory, numbers);
  const std::string hashed = directory + numbers;
  const std::uint64_t hash = content_hash64(std::as_bytes(std::span(hashed)));
  std::string end(24, ' ');
  std::memcpy(end.data(), numbers.data(), 16);
  std::memcpy(end.data() + 16, &hash, 8);
  return content.substr(0, offset) + directory + end + content.substr(content.size() - 8);
}

TEST(FlowFile, gives_back_every_image_in_any_order_with_its_own_size) {
  const auto fields = three_fields();
  const std::string content = file_of(fields);
  const FlowFile file = open(content);
  ASSERT_EQ(file.frames(), 3);
  for (const std::int64_t i : {2, 0, 1, 2}) {
    const MotionImage field = file.field(i);
    EXPECT_TRUE(same(field.image, fields[static_cast<std::size_t>(i)].image)) << i;
    EXPECT_EQ(field.frame_width, fields[static_cast<std::size_t>(i)].frame_width);
    EXPECT_EQ(field.frame_height, fields[static_cast<std::size_t>(i)].frame_height);
  }
  EXPECT_EQ(file.header().parameters, flow_parameters(quick_flow()));
  EXPECT_EQ(file.header().facts.frames_per_second, 25);
  EXPECT_THROW(file.field(3), Error);
  EXPECT_THROW(file.field(-1), Error);
  EXPECT_NO_THROW(file.verify());
}

TEST(FlowFile, finds_every_changed_byte) {
  const std::string content = file_of(three_fields());
  for (std::size_t i = 0; i < content.size(); ++i) {
    std::string changed = content;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_NE(problem_of(changed), "") << "byte " << i;
    EXPECT_THAT(problem_of(changed), HasSubstr("memory: is no whole flow file: "));
  }
}

TEST(FlowFile, refuses_every_part_of_a_file_and_what_is_longer) {
  const std::string content = file_of(three_fields());
  for (std::size_t size = 0; size < content.size(); ++size) EXPECT_NE(problem_of(content.substr(0, size)), "") << size;
  EXPECT_NE(problem_of(content + "x"), "");
  EXPECT_NE(problem_of("x" + content), "");
}

TEST(FlowFile, survives_a_directory_that_lies_with_a_right_hash) {
  const std::string content = file_of(three_fields());
  ASSERT_EQ(problem_of(with_directory(content, [](std::string&, std::string&) {})), "");
  Rng rng(7);
  for (int round = 0; round < 3000; ++round) {
    const std::string changed = with_directory(content, [&](std::string& directory, std::string& numbers) {
      for (std::int64_t i = rng.below(4); i >= 0; --i) {
        std::string& target = rng.chance(0.1) ? numbers : directory;
        target[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(target.size())))] = static_cast<char>(rng.below(256));
      }
    });
    try {
      problem_of(changed);
    } catch (const Error& error) {
      FAIL() << error.what();
    }
  }
}

TEST(FlowFile, refuses_headers_of_the_wrong_kind) {
  const std::string content = file_of(three_fields());
  const auto with_header = [&](const std::string& header) {
    return problem_of(with_directory(content, [&](std::string& directory, std::string& numbers) {
      std::uint32_t bytes = 0;
      std::memcpy(&bytes, numbers.data() + 8, 4);
      directory = header + directory.substr(bytes);
      bytes = static_cast<std::uint32_t>(header.size());
      std::memcpy(numbers.data() + 8, &bytes, 4);
    }));
  };
  const std::string facts = R"("facts":{"frames":3,"damaged":0,"errors":0,"claimed":0,"container":"avi","frames_per_second":25,"duration":1,"last_time":1,"headless":false})";
  const std::string rest = R"("video":"a","fingerprint":"b","parameters":{},)";
  const std::string deep = R"({"video":"a","fingerprint":"b","parameters":{"x":)" + std::string(20000, '[') + std::string(20000, ']') + "},";
  EXPECT_EQ(with_header("{" + rest + facts + "}"), "");
  for (const std::string& header :
       {std::string(), std::string("[]"), std::string("{}"), std::string("7"), std::string(60000, '['), "{" + rest + "\"facts\":[]}",
        R"({"video":1,"fingerprint":"b","parameters":{},)" + facts + "}", R"({"video":"a","fingerprint":"b","parameters":3,)" + facts + "}",
        "{" + rest + R"("facts":{"frames":1e300,"damaged":0,"errors":0,"claimed":0,"container":"","frames_per_second":0,"duration":0,"last_time":0,"headless":false}})",
        deep + facts + "}", "{" + rest + facts + "}" + std::string(70000, ' ')}) {
    EXPECT_NE(with_header(header), "") << header.substr(0, 80);
    EXPECT_THAT(with_header(header), Not(HasSubstr("\n")));
  }
}

TEST(FlowFile, refuses_a_field_of_no_bytes) {
  const std::string changed = with_directory(file_of(three_fields()), [](std::string& directory, std::string& numbers) {
    std::uint32_t header = 0;
    std::memcpy(&header, numbers.data() + 8, 4);
    const std::uint64_t hash = content_hash64({});
    std::memcpy(directory.data() + header + 8, &hash, 8);
    std::memset(directory.data() + header + 16, 0, 4);
  });
  EXPECT_THAT(problem_of(changed), HasSubstr("field 0 cannot be unpacked"));
}

TEST(FlowFile, names_a_missing_file_and_a_folder) {
  actio::testing::TempDir dir;
  EXPECT_THROW(FlowFile(dir / "none.flow"), Error);
  EXPECT_THROW(FlowFile{dir.path()}, Error);
}

class FlowCache : public ::testing::Test {
 protected:
  std::string clip(const std::string& name = "a.mp4", std::int64_t frames = 12, double dx = 1.5) {
    write_moving_clip(dir_ / name, {.frames = frames}, dx, -1);
    return dir_ / name;
  }
  ClipRequest request(const std::string& path, bool cached) const {
    ClipRequest request;
    request.path = path;
    request.segments = 3;
    request.inputs = actio::testing::inputs_for(quick());
    if (cached) request.flow_cache = dir_ / "cache";
    return request;
  }
  std::vector<std::string> cached_names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_ / "cache")) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
  static bool same_inputs(const ClipInput& a, const ClipInput& b) {
    return a.sampled == b.sampled && a.frames == b.frames && std::ranges::equal(a.inputs, b.inputs, [](const auto& x, const auto& y) {
      return x.first == y.first && same(x.second, y.second);
    });
  }
  fs::path extract(const std::string& video, int threads = 1, const std::string& name = "x.flow") const {
    extract_flow({video, dir_ / name, quick_flow(), threads});
    return dir_ / name;
  }
  static std::string content_of(const fs::path& path) { return read_text_file(path); }
  static Error error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::kFailed, "no error");
  }
  actio::testing::TempDir dir_;
};

TEST_F(FlowCache, gives_the_same_bytes_as_flow_that_is_computed_when_it_is_needed) {
  for (const std::string codec : {"libx264", "mpeg4"}) {
    const std::string path = dir_ / (codec + ".avi");
    write_moving_clip(path, {.width = 70, .height = 50, .frames = 14, .codec = codec}, 2, 1);
    for (const MotionWindow window : {MotionWindow::kStarting, MotionWindow::kCentred}) {
      for (const bool rgb : {true, false}) {
        for (const std::uint64_t seed : {1, 2, 3, 4}) {
          ClipRequest plain = request(path, false);
          plain.inputs.list.at(1).window = window;
          if (!rgb) plain.inputs.list.erase(plain.inputs.list.begin());
          plain.augment = true;  // crops of all sizes, half of them mirrored
          plain.sampling = Sampling::kRandom;
          plain.seed = seed;
          ClipRequest cached = plain;
          cached.flow_cache = dir_ / "cache";
          EXPECT_TRUE(same_inputs(read_clip(plain), read_clip(cached))) << codec << " " << name_of(window) << " " << seed;
        }
      }
    }
  }
  EXPECT_EQ(cached_names().size(), 2U);
}

TEST_F(FlowCache, decodes_nothing_where_only_motion_is_read) {
  const std::string path = dir_ / "a.avi";
  std::ofstream(path) << "this is no video";
  make_cache_folder(dir_ / "cache");
  std::vector<MotionImage> fields;
  for (std::uint64_t i = 0; i < 9; ++i) fields.push_back({random_image(32, 40, i), 80, 64});
  write_file_atomically(flow_path(dir_ / "cache", path), file_of(fields));
  ClipRequest wanted = request(path, true);
  const InputSpec rgb = wanted.inputs.list.at(0);
  wanted.inputs.list.erase(wanted.inputs.list.begin());
  const ClipInput input = read_clip(wanted);
  EXPECT_EQ(input.frames, 9);
  EXPECT_THAT(input.sampled, ElementsAre(1, 4, 7));
  EXPECT_EQ(input.inputs.at("motion").shape(), (Shape{3, 6, 32, 32}));
  wanted.inputs.list.push_back(rgb);
  EXPECT_THROW(read_clip(wanted), Error) << "pixels come from the video";
}

TEST_F(FlowCache, finds_a_video_again_after_it_was_moved_but_not_after_it_was_changed) {
  const std::string path = clip();
  fs::create_directories(dir_ / "elsewhere");
  fs::copy_file(path, dir_ / "elsewhere/a.mp4");
  const fs::path here = flow_path("c", path);
  EXPECT_EQ(here, flow_path("c", dir_ / "elsewhere/a.mp4"));
  EXPECT_THAT(here.string(), ::testing::MatchesRegex("c/a-[0-9a-f]{16}\\.flow"));
  std::ofstream(path, std::ios::app) << "x";
  EXPECT_NE(here, flow_path("c", path));
  EXPECT_THROW(flow_path("c", dir_ / "none.mp4"), Error);
  EXPECT_LT(flow_path("c", clip(std::string(240, 'n') + ".mp4")).filename().string().size(), 256U);
}

TEST_F(FlowCache, is_another_one_for_the_same_pictures_in_another_orientation) {
  const std::string plain = dir_ / "plain.mp4", mirrored = dir_ / "mirrored.mp4";
  actio::testing::SyntheticClip clip{.path = plain, .frames = 6, .width = 96, .height = 64, .dx = 2};
  write_synthetic_clip(clip);
  clip.path = mirrored;
  clip.mirrored = true;
  write_synthetic_clip(clip);
  EXPECT_EQ(fs::file_size(plain), fs::file_size(mirrored));
  EXPECT_NE(video_fingerprint(plain), video_fingerprint(mirrored));
  // Under one name, one after the other.
  std::vector<Tensor> fields;
  for (const std::string& source : {plain, mirrored}) {
    fs::copy_file(source, dir_ / "clip.mp4", fs::copy_options::overwrite_existing);
    fields.push_back(read_clip(request(dir_ / "clip.mp4", true)).inputs.at("motion"));
  }
  EXPECT_FALSE(same(fields[0], fields[1]));
}

TEST_F(FlowCache, is_the_same_file_with_any_number_of_threads_and_any_writers_at_once) {
  const std::string path = clip("a.mp4", 23);
  const std::string alone = content_of(extract(path));
  EXPECT_EQ(content_of(extract(path, 2)), alone);
  EXPECT_EQ(content_of(extract(path, 5)), alone);
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 3; ++i) writers.emplace_back([&] { extract(path, 2, "shared.flow"); });
  }
  EXPECT_EQ(content_of(dir_ / "shared.flow"), alone);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), fs::directory_iterator()), 3) << "and nothing else is left";
}

TEST_F(FlowCache, refuses_flow_of_other_parameters_with_file_name_and_both_values) {
  const std::string path = clip();
  read_clip(request(path, true));
  const std::string name = flow_path(dir_ / "cache", path).string();
  const auto message_with = [&](const std::function<void(InputSpec&)>& change) {
    ClipRequest other = request(path, true);
    change(other.inputs.list.at(1));
    const Error error = error_of([&] { read_clip(other); });
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr(name));
    return std::string(error.what());
  };
  EXPECT_THAT(message_with([](InputSpec& p) { p.flow_short_side = 40; }), HasSubstr("flow_short_side 32, but 40 is asked for"));
  EXPECT_THAT(message_with([](InputSpec& p) { p.flow_quality = "paper"; }), HasSubstr("flow_quality fast, but paper is asked for"));
  EXPECT_THAT(message_with([](InputSpec& p) { p.bound = 15; }), HasSubstr("motion_bound 20.0, but 15.0 is asked for"));
  ClipRequest same = request(path, true);
  same.inputs.list.at(1).length = 5;
  same.inputs.list.at(1).size = 48;
  EXPECT_NO_THROW(read_clip(same)) << "what the images do not depend on may differ";
}

TEST_F(FlowCache, computes_a_damaged_file_anew_with_a_warning) {
  const std::string path = clip();
  const ClipInput good = read_clip(request(path, true));
  EXPECT_THAT(good.warnings, IsEmpty());
  const fs::path file = flow_path(dir_ / "cache", path);
  const std::string content = content_of(file);
  for (const std::size_t at : {std::size_t{3}, std::size_t{600}, content.size() / 2, content.size() - 40}) {
    std::string changed = content;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write_file_atomically(file, changed);
    ClipRequest all = request(path, true);
    all.inputs.list.at(1).length = 12;
    all.segments = 6;  // reads every field
    const ClipInput again = read_clip(all);
    ASSERT_EQ(again.warnings.size(), 1U) << at;
    EXPECT_THAT(again.warnings[0], HasSubstr("is no whole flow file"));
    EXPECT_THAT(again.warnings[0], HasSubstr("it is computed anew"));
    EXPECT_EQ(content_of(file), content);
  }
  fs::resize_file(file, content.size() / 2);
  EXPECT_EQ(read_clip(request(path, true)).warnings.size(), 1U);
  EXPECT_TRUE(same_inputs(read_clip(request(path, true)), good));
}

// Lets files grow to `bytes` only, as a full disk would.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(FlowCache, goes_on_without_a_folder_that_is_full_and_warns_once) {
  const std::string a = clip("a.mp4"), b = clip("b.mp4", 12, -2);
  const ClipInput expected = read_clip(request(a, false));
  ClipMemory::Clock::time_point now{};
  ClipMemory memory(ClipMemory::kMostBytes, [&] { return now; });
  {
    const SizeLimit limit(1000);
    const ClipInput got = read_clip(request(a, true), memory);
    ASSERT_EQ(got.warnings.size(), 1U);
    EXPECT_THAT(got.warnings[0], HasSubstr("cannot be written"));
    EXPECT_TRUE(same_inputs(got, expected));
    EXPECT_THAT(read_clip(request(b, true), memory).warnings, IsEmpty());
  }
  EXPECT_THAT(cached_names(), IsEmpty()) << "no part of a file is left";
  read_clip(request(a, true), memory);
  EXPECT_THAT(cached_names(), IsEmpty()) << "it was full a moment ago";
  now += ClipMemory::kFolderRest;
  EXPECT_TRUE(same_inputs(read_clip(request(a, true), memory), expected));
  EXPECT_EQ(cached_names().size(), 1U) << "there may be room again";
}

TEST_F(FlowCache, leaves_nothing_when_it_is_interrupted_or_the_video_is_none) {
  const std::string path = clip("a.mp4", 30);
  std::stop_source source;
  FlowExtraction extraction{path, dir_ / "x.flow", quick_flow(), 2};
  extraction.progress = [&](std::int64_t fields, std::int64_t) {
    if (fields > 5) source.request_stop();
  };
  EXPECT_EQ(error_of([&] { extract_flow(extraction, source.get_token()); }).code(), ErrorCode::kInterrupted);
  std::ofstream(dir_ / "text.mp4") << "this is no video";
  EXPECT_EQ(error_of([&] { extract(dir_ / "text.mp4"); }).code(), ErrorCode::kBadData);
  EXPECT_EQ(error_of([&] { extract(path, 1, "none/x.flow"); }).code(), ErrorCode::kFailed);
  for (const auto& entry : fs::directory_iterator(dir_.path())) EXPECT_EQ(entry.path().extension(), ".mp4");
}

TEST_F(FlowCache, serves_many_readers_at_once) {
  const std::string path = clip();
  const ClipInput expected = read_clip(request(path, false));
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 6; ++i) {
      readers.emplace_back([&] {
        for (int round = 0; round < 5; ++round) right += same_inputs(read_clip(request(path, true)), expected) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(right, 30);
}

TEST_F(FlowCache, of_many_videos_skips_what_is_there_and_counts_what_fails) {
  clip("clips/a.mp4");
  clip("clips/deep/b.mp4", 9);
  clip("clips/.hidden/c.mp4");
  std::ofstream(dir_ / "clips/broken.avi") << "this is no video";
  std::ofstream(dir_ / "clips/readme.md") << "text";
  const auto videos = find_videos(dir_ / "clips");
  ASSERT_EQ(videos.size(), 3U);
  make_cache_folder(dir_ / "cache");
  FlowBatch batch{videos, dir_ / "cache", quick_flow(), 2};
  const FlowBatchReport first = extract_flows(batch);
  EXPECT_EQ(first.videos, 3);
  EXPECT_EQ(first.computed, 2);
  EXPECT_EQ(first.fields, 21);
  ASSERT_EQ(first.failures.size(), 1U);
  EXPECT_THAT(first.failures[0], HasSubstr("broken.avi"));
  fs::resize_file(flow_path(dir_ / "cache", videos[0]), 100);
  const FlowBatchReport second = extract_flows(batch);
  EXPECT_EQ(second.skipped, 1);
  EXPECT_EQ(second.computed, 1);
  ASSERT_EQ(second.warnings.size(), 1U);
  EXPECT_THAT(second.warnings[0], HasSubstr("computed anew"));
  batch.settings.bound = 10;
  EXPECT_EQ(error_of([&] { extract_flows(batch); }).code(), ErrorCode::kUsage);
  batch.replace = true;
  EXPECT_EQ(extract_flows(batch).computed, 2);
  EXPECT_EQ(extract_flows(batch).skipped, 2);
}

TEST_F(FlowCache, removes_what_a_killed_process_left_but_nothing_that_may_be_in_use) {
  make_cache_folder(dir_ / "cache");
  const auto put = [&](const std::string& name, int minutes) {
    std::ofstream((dir_ / "cache/") + name) << "x";
    fs::last_write_time((dir_ / "cache/") + name, fs::file_time_type::clock::now() - std::chrono::minutes(minutes));
  };
  const std::string alive = std::to_string(::getpid());
  put("a-1.flow.999999999.1.partial", 30);           // no such process
  put("b-1.flow.999999999.1.partial", 5);            // perhaps of another computer
  put("c-1.flow." + alive + ".1.partial", 30);
  put("notes.partial", 30);
  extract_flows({{clip()}, dir_ / "cache", quick_flow(), 1});
  EXPECT_THAT(cached_names(), ElementsAre(HasSubstr("a-"), "b-1.flow.999999999.1.partial", "c-1.flow." + alive + ".1.partial",
                                          "notes.partial"));
  EXPECT_FALSE(fs::exists(dir_ / "cache/a-1.flow.999999999.1.partial"));
}

TEST_F(FlowCache, of_many_videos_stops_at_once_where_nothing_can_be_written) {
  for (int i = 0; i < 4; ++i) clip("clips/" + std::to_string(i) + ".mp4", 12, i);
  make_cache_folder(dir_ / "cache");
  const SizeLimit limit(1000);
  EXPECT_THROW(extract_flows({find_videos(dir_ / "clips"), dir_ / "cache", quick_flow(), 2}), FlowStoreError);
  EXPECT_THAT(cached_names(), IsEmpty());
}

TEST_F(FlowCache, tells_how_far_it_is_and_never_more_than_the_whole) {
  for (int i = 0; i < 3; ++i) clip("clips/" + std::to_string(i) + ".mp4", 8, i);
  make_cache_folder(dir_ / "cache");
  std::vector<std::int64_t> done;
  extract_flows({find_videos(dir_ / "clips"), dir_ / "cache", quick_flow(), 1}, [&](const ProgressReport& report) {
    EXPECT_LE(report.done, report.total);
    EXPECT_EQ(report.total, 24);
    done.push_back(report.done);
  });
  EXPECT_TRUE(std::ranges::is_sorted(done));
  EXPECT_EQ(done.back(), 24);
}

TEST_F(FlowCache, finds_the_videos_of_a_file_a_folder_and_a_list) {
  const std::string a = clip("clips/x/a.mp4"), b = clip("clips/y/b.mp4");
  EXPECT_THAT(find_videos(a), ElementsAre(a));
  EXPECT_THAT(find_videos(dir_ / "clips"), ElementsAre(a, b));
  std::ofstream(dir_ / "list.csv") << "path,label\nclips/y/b.mp4,y\nclips/x/a.mp4,x\n";
  EXPECT_EQ(find_videos(dir_ / "list.csv").size(), 2U);
  EXPECT_THROW(find_videos(dir_ / "none"), Error);
  fs::create_directories(dir_ / "empty");
  EXPECT_EQ(error_of([&] { find_videos(dir_ / "empty"); }).code(), ErrorCode::kBadData);
}

TEST_F(FlowCache, can_be_seen_as_a_video_beside_the_frames) {
  const std::string path = clip("a.mp4", 10);
  const FlowPreview preview = write_flow_preview(path, extract(path), dir_ / "preview.mp4");
  EXPECT_EQ(preview.frames, 10);
  EXPECT_GT(preview.full_pixels, 5);
  video::Decoder decoder(dir_ / "preview.mp4");
  EXPECT_EQ(decoder.info().width, 128);
  EXPECT_EQ(decoder.info().height, 48);
  std::int64_t frames = 0;
  while (decoder.next()) ++frames;
  EXPECT_EQ(frames, 10);
  EXPECT_THROW(write_flow_preview(path, dir_ / "x.flow", dir_ / "preview.unknown"), Error);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_.path()), fs::directory_iterator()), 3);
}

}  // namespace
}  // namespace actio::data
