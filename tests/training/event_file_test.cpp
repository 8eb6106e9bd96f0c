// Event files, taken apart by a reader that knows the format only, and by TensorBoard's own where python3 has it.
#include "training/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "support/temp_dir.h"

namespace actio::training {
namespace event_file_test {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using testing::TempDir;

// Bit by bit, as the polynomial is written.
std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1) ^ 0x82F63B78U : crc >> 1;
  }
  return ~crc;
}

std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xA282EAD8U; }

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

struct Records {
  std::vector<std::string> contents;
  std::string rest;  // bytes of a record that is not whole
};

Records records_of(const std::string& path) {
  Records records;
  std::string file = read_text_file(path);
  std::string_view left = file;
  while (left.size() >= 16) {
    const std::uint64_t length = little_endian(left.substr(0, 8));
    EXPECT_EQ(little_endian(left.substr(8, 4)), masked(crc32c(left.substr(0, 8))));
    if (left.size() < 16 + length) break;
    records.contents.emplace_back(left.substr(12, length));
    EXPECT_EQ(little_endian(left.substr(12 + length, 4)), masked(crc32c(records.contents.back())));
    left.remove_prefix(16 + length);
  }
  records.rest = left;
  return records;
}

// The fields of a message by their numbers: numbers as they are stored, texts and messages as bytes.
struct Fields {
  std::map<std::uint64_t, std::uint64_t> numbers;
  std::map<std::uint64_t, std::string> bytes;

  explicit Fields(std::string_view message) { read(message); }

 private:
  void read(std::string_view left) {
    while (!left.empty()) {
      const std::uint64_t key = varint(left), field = key >> 3, type = key & 7U;
      ASSERT_THAT(type, ::testing::AnyOf(0U, 1U, 2U, 5U));
      if (type == 0) {
        numbers[field] = varint(left);
      } else {
        const std::uint64_t size = type == 2 ? varint(left) : type == 1 ? 8 : 4;
        ASSERT_LE(size, left.size());
        if (type == 2) bytes[field] = left.substr(0, size);
        else numbers[field] = little_endian(left.substr(0, size));
        left.remove_prefix(size);
      }
    }
  }

  static std::uint64_t varint(std::string_view& left) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; !left.empty() && shift < 70; shift += 7) {
      const auto byte = static_cast<unsigned char>(left.front());
      left.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    ADD_FAILURE() << "a number without an end";
    return value;
  }
};

struct Point {
  std::string tag;
  std::int64_t step;
  float value;
  double wall_time;
};

Point point_of(const std::string& record) {
  const Fields event(record), value(Fields(event.bytes.at(5)).bytes.at(1));
  return {value.bytes.at(1), static_cast<std::int64_t>(event.numbers.at(2)),
          std::bit_cast<float>(static_cast<std::uint32_t>(value.numbers.at(2))), std::bit_cast<double>(event.numbers.at(1))};
}

std::vector<std::string> files_of(const TempDir& dir) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

// No file of this process grows over `bytes`, as if the disk were full.
class SizeLimit {
 public:
  explicit SizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit old_{};
  void (*handler_)(int);
};

TEST(EventFile, the_checksum_of_these_tests_gives_the_published_values) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
}

TEST(EventFile, holds_its_version_a_start_and_every_number_with_its_tag_step_and_time) {
  const TempDir dir;
  EventFile file(dir.path());
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<Point> points = {{"loss/train", 1, 0.25F, 1700000000.125},
                                     {"", 0, -0.0F, 0},
                                     {"größe", std::int64_t{1} << 40, 1e-38F, 1},
                                     {std::string(300, 't'), -1, inf, 2}};
  for (const Point& each : points) file.scalar(each.tag, each.value, each.step, each.wall_time);
  file.scalar("not a number", std::nan(""), 7);
  file.flush();
  const Records records = records_of(file.path());
  EXPECT_EQ(records.rest, "");
  ASSERT_EQ(records.contents.size(), points.size() + 3);
  EXPECT_EQ(Fields(records.contents[0]).bytes.at(3), "brain.Event:2");
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point point = point_of(records.contents[i + 2]);
    EXPECT_EQ(point.tag, points[i].tag);
    EXPECT_EQ(point.step, points[i].step);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(point.value), std::bit_cast<std::uint32_t>(points[i].value));
    EXPECT_EQ(point.wall_time, points[i].wall_time);
  }
  EXPECT_TRUE(std::isnan(point_of(records.contents.back()).value));
  EXPECT_NEAR(point_of(records.contents.back()).wall_time, static_cast<double>(std::time(nullptr)), 60);
}

TEST(EventFile, keeps_numbers_back_until_it_is_flushed_or_closed) {
  const TempDir dir;
  std::string path;
  {
    EventFile file(dir.path());
    path = file.path();
    file.scalar("a", 1, 1);
    EXPECT_EQ(records_of(path).contents.size(), 2U);
    file.flush();
    EXPECT_EQ(records_of(path).contents.size(), 3U);
    file.scalar("a", 2, 2);
  }
  EXPECT_EQ(records_of(path).contents.size(), 4U);
}

TEST(EventFile, a_resumed_run_has_a_file_after_all_others_that_names_its_first_step) {
  const TempDir dir;
  std::ofstream(dir / "events.out.tfevents.4000000000.elsewhere.123.0") << "of another program, whose clock is ahead";
  std::ofstream(dir / "events.out.tfevents.nonsense") << "";
  std::vector<std::string> paths;
  for (int i = 0; i < 3; ++i) paths.push_back(EventFile(dir.path(), 100 + i).path().filename());
  EXPECT_THAT(files_of(dir), ElementsAre("events.out.tfevents.4000000000.elsewhere.123.0", paths[0], paths[1], paths[2],
                                         "events.out.tfevents.nonsense"));
  const Records records = records_of(dir / paths[2]);
  ASSERT_EQ(records.contents.size(), 2U);
  const Fields event(records.contents[1]);
  EXPECT_EQ(event.numbers.at(2), 102U);
  EXPECT_THAT(Fields(event.bytes.at(7)).numbers, ElementsAre(Pair(1, 1)));  // SessionLog.START
}

TEST(EventFile, what_is_not_utf8_becomes_readable_instead_of_breaking_the_reader) {
  const TempDir dir;
  EventFile file(dir.path());
  file.scalar("caf\xE9", 1, 1);
  file.text("options", "| a |\n| \xFF |", 1);
  file.flush();
  const Records records = records_of(file.path());
  EXPECT_EQ(point_of(records.contents.at(2)).tag, "caf\\xe9");
  const Fields value(Fields(Fields(records.contents.at(3)).bytes.at(5)).bytes.at(1));
  EXPECT_EQ(Fields(value.bytes.at(8)).bytes.at(8), "| a |\n| \\xff |");
}

TEST(EventFile, a_full_disk_is_reported_once_and_leaves_whole_records) {
  const TempDir dir;
  EventFile file(dir.path());
  file.scalar("kept", 1, 1);
  file.flush();
  const auto kept = std::filesystem::file_size(file.path());
  std::string message;
  {
    const SizeLimit full(kept + 20);  // in the middle of the next record
    for (int i = 0; i < 3; ++i) {
      file.scalar("lost", 2, 2 + i);
      try {
        file.flush();
      } catch (const Error& error) {
        message += error.what();
      }
    }
  }
  EXPECT_EQ(message, file.path().string() + ": cannot be written: File too large");
  EXPECT_EQ(std::filesystem::file_size(file.path()), kept);
}

TEST(EventFile, a_folder_that_cannot_be_made_is_an_error_that_names_it) {
  const TempDir dir;
  std::ofstream(dir / "file") << "x";
  try {
    EventFile file(std::filesystem::path(dir / "file") / "logs");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), (dir / "file") + "/logs: cannot be written: Not a directory");
  }
}

class TensorBoard : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("python3 -c 'import tensorboard' >/dev/null 2>&1") != 0) GTEST_SKIP() << "python3 has no tensorboard";
  }

  Json read() const {
    const std::string script = std::string(ACTIO_SOURCE_DIR) + "/tests/training/read_events.py";
    const std::string log = outside_ / "log", out = outside_ / "out";
    EXPECT_EQ(std::system(("python3 -B " + script + " " + dir_.path().string() + " >" + out + " 2>" + log).c_str()), 0)
        << read_text_file(log);
    return parse_json(read_text_file(out), "read_events.py");
  }

  TempDir dir_, outside_;
};

TEST_F(TensorBoard, reads_tags_values_steps_times_and_text) {
  {
    EventFile file(dir_.path());
    file.text("options", "| option | value |\n|---|---|\n| größe | 1 |", 0);
    for (int epoch = 1; epoch <= 3; ++epoch) {
      file.scalar("loss/train", 1.0 / epoch, epoch, 1700000000.5 + epoch);
      file.scalar("rate", 0.001, epoch);
    }
  }
  const Json seen = read();
  std::cout << "TensorBoard " << seen.at("version") << "\n";
  const float third = 1.0F / 3;
  EXPECT_EQ(seen.at("scalars").at("loss/train"),
            Json({{1, 1.0, 1700000001.5}, {2, 0.5, 1700000002.5}, {3, static_cast<double>(third), 1700000003.5}}));
  EXPECT_EQ(seen.at("pages").at("loss/train"), Json({{1, 1.0}, {2, 0.5}, {3, static_cast<double>(third)}}));
  EXPECT_EQ(seen.at("scalars").at("rate").size(), 3U);
  EXPECT_EQ(seen.at("text").at("options"), Json::array({{0, "| option | value |\n|---|---|\n| größe | 1 |"}}));
}

// The first run dies in the middle of a record of step 6; the second goes on after step 3, the third after step 4.
TEST_F(TensorBoard, forgets_the_steps_that_a_resumed_run_repeats) {
  std::string first;
  {
    EventFile file(dir_.path());
    first = file.path();
    for (int step = 1; step <= 6; ++step) file.scalar("loss", step, step);
  }
  std::filesystem::resize_file(first, std::filesystem::file_size(first) - 10);
  {
    EventFile file(dir_.path(), 4);
    for (int step = 4; step <= 5; ++step) file.scalar("loss", 10 * step, step);
  }
  {
    EventFile file(dir_.path(), 5);
    file.scalar("loss", 500, 5);
  }
  const Json seen = read();
  EXPECT_EQ(seen.at("pages").at("loss"), Json({{1, 1.0}, {2, 2.0}, {3, 3.0}, {4, 40.0}, {5, 500.0}}));
  EXPECT_EQ(seen.at("scalars").at("loss").size(), 5U);
}

}  // namespace
}  // namespace event_file_test
}  // namespace actio::training
