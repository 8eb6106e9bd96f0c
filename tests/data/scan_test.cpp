#include "data/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "data/clips.h"
#include "data/text_files.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::write_moving_clip;
using testing::write_text;

class Scan : public ::testing::Test {
 protected:
  void clip(const std::string& name, std::int64_t frames = 20, const std::string& codec = "libx264", double dx = 1) {
    write_moving_clip(dir_ / name, {.frames = frames, .codec = codec}, dx, 0);
  }

  // "CLIP: KIND KIND" for every clip.
  std::vector<std::string> scan(const DatasetOptions& options = {}, const ScanOptions& scan_options = {}) {
    dataset_ = load_dataset(dir_.path().string(), options);
    report_ = scan_dataset(dataset_, options, scan_options);
    std::vector<std::string> lines;
    for (const ClipScan& clip : report_.clips) {
      std::string line = fs::path(dataset_.items[clip.item].path).filename().string() + ":";
      for (const Finding& finding : clip.findings) line += std::string(" ") + finding_name(finding.kind);
      lines.push_back(line);
    }
    return lines;
  }

  actio::testing::TempDir dir_;
  Dataset dataset_;
  ScanReport report_;
};

TEST_F(Scan, finds_nothing_in_sound_clips_and_knows_them) {
  clip("run/a.mp4", 20);
  clip("run/b.avi", 12, "mpeg4", 2);
  EXPECT_THAT(scan(), ElementsAre("a.mp4:", "b.avi:"));
  EXPECT_EQ(report_.bad(), 0);
  EXPECT_EQ(report_.scanned(), 2);
  EXPECT_FALSE(report_.stopped);
  const ClipScan& first = report_.clips[0];
  EXPECT_EQ(first.frames, 20);
  EXPECT_EQ(first.codec, "h264");
  EXPECT_EQ(first.width, 64);
  EXPECT_EQ(first.bytes, static_cast<std::int64_t>(fs::file_size(dir_ / "run/a.mp4")));
  EXPECT_EQ(first.hash.size(), 32u);
  EXPECT_EQ(first.part, Part::kNone);
}

TEST_F(Scan, tells_files_that_are_missing_unreadable_or_no_files) {
  clip("run/good.mp4");
  write_text(dir_ / "run/b_zero.avi", "");
  write_text(dir_ / "run/c_text.avi", "a text that was renamed\n");
  fs::create_symlink(dir_ / "nowhere.mp4", dir_ / "run/d_link.mp4");
  ASSERT_EQ(::mkfifo((dir_ / "run/e_pipe.mp4").c_str(), 0600), 0);
  fs::create_symlink(dir_ / "run/f_loop.mp4", dir_ / "run/f_loop.mp4");
  EXPECT_THAT(scan(), ElementsAre("b_zero.avi: unreadable", "c_text.avi: unreadable", "d_link.mp4: missing",
                                  "e_pipe.mp4: unreadable", "f_loop.mp4: unreadable", "good.mp4:"));
  EXPECT_EQ(report_.bad(), 5);
  EXPECT_EQ(report_.clips[0].findings[0].text, "is empty");
  EXPECT_EQ(report_.clips[2].findings[0].text, "a link to a file that is not there");
  for (const ClipScan& clip : report_.clips) {
    for (const Finding& finding : clip.findings) EXPECT_EQ(finding.text.find(dir_.path().string()), std::string::npos);
  }
}

TEST_F(Scan, tells_a_folder_and_a_missing_file_of_a_table) {
  write_text(dir_ / "labels.csv", "path,label\nx.avi,a\nnone.avi,a\n");
  fs::create_directories(dir_ / "x.avi");
  dataset_ = load_dataset(dir_ / "labels.csv");
  report_ = scan_dataset(dataset_, {}, {});
  EXPECT_EQ(report_.clips[0].findings[0].text, "is a folder");
  EXPECT_EQ(report_.clips[1].findings[0].kind, FindingKind::kMissing);
}

TEST_F(Scan, tells_clips_that_are_cut_or_damaged) {
  clip("run/a.avi", 60, "mpeg4", 3);
  clip("run/b.mkv", 100, "libx264", 3);
  clip("run/c.mp4", 60, "libx264", 3);
  fs::resize_file(dir_ / "run/a.avi", fs::file_size(dir_ / "run/a.avi") / 2);
  fs::resize_file(dir_ / "run/b.mkv", fs::file_size(dir_ / "run/b.mkv") / 3);
  {
    std::fstream damaged(dir_ / "run/c.mp4", std::ios::in | std::ios::out | std::ios::binary);
    for (int i = 1; i < 6; ++i) {
      damaged.seekp(static_cast<std::streamoff>(fs::file_size(dir_ / "run/c.mp4")) * i / 9);
      damaged << std::string(40, 'X');
    }
  }
  scan();
  EXPECT_EQ(report_.count(FindingKind::kTruncated), 2);
  const auto kinds = [&](std::size_t i) {
    std::set<FindingKind> found;
    for (const Finding& finding : report_.clips[i].findings) found.insert(finding.kind);
    return found;
  };
  EXPECT_TRUE(kinds(0).contains(FindingKind::kTruncated));
  EXPECT_TRUE(kinds(1).contains(FindingKind::kTruncated));
  EXPECT_TRUE(kinds(2).contains(FindingKind::kDamaged) || kinds(2).contains(FindingKind::kUnreadable));
  EXPECT_EQ(report_.bad(), 3);
}

TEST_F(Scan, tells_short_clips_by_the_limit_that_is_given) {
  clip("run/a.mp4", 7);
  clip("run/b.mp4", 8);
  EXPECT_THAT(scan(), ElementsAre("a.mp4: short", "b.mp4:"));
  EXPECT_EQ(report_.clips[0].findings[0].text, "7 frames, fewer than 8");
  EXPECT_THAT(scan({}, {.min_frames = 0}), ElementsAre("a.mp4:", "b.mp4:"));
}

TEST_F(Scan, tells_clips_of_larger_frames_than_the_limit) {
  clip("walk/a.mp4");
  ScanOptions options;
  options.limits.max_pixels = 1000;
  EXPECT_THAT(scan({}, options), ElementsAre("a.mp4: unreadable"));
  EXPECT_THAT(report_.clips[0].findings[0].text, HasSubstr("claims 64 x 48 pixels, 3072 in all; at most 1000 a frame are read (--max-pixels)"));
}

TEST_F(Scan, remarks_on_clips_without_motion_vectors) {
  clip("run/a.avi", 10, "mjpeg");
  EXPECT_THAT(scan(), ElementsAre("a.avi: no_vectors"));
  EXPECT_EQ(report_.bad(), 0);
}

TEST_F(Scan, tells_the_same_bytes_in_a_class_in_two_classes_and_in_two_parts) {
  clip("run/v_run_g01_c01.mp4", 20, "libx264", 1);
  clip("run/v_run_g02_c01.mp4", 20, "libx264", 2);
  clip("hop/v_hop_g01_c01.mp4", 20, "libx264", 3);
  clip("hop/v_hop_g02_c01.mp4", 20, "libx264", 4);
  fs::copy(dir_ / "run/v_run_g01_c01.mp4", dir_ / "run/v_run_g01_c02.mp4");
  fs::copy(dir_ / "run/v_run_g02_c01.mp4", dir_ / "hop/v_hop_g02_c02.mp4");
  EXPECT_THAT(scan(), ElementsAre("v_hop_g01_c01.mp4:", "v_hop_g02_c01.mp4:", "v_hop_g02_c02.mp4: duplicate_across_classes",
                                  "v_run_g01_c01.mp4: duplicate", "v_run_g01_c02.mp4: duplicate",
                                  "v_run_g02_c01.mp4: duplicate_across_classes"));
  EXPECT_EQ(report_.bad(), 2);
  fs::copy(dir_ / "hop/v_hop_g01_c01.mp4", dir_ / "hop/v_hop_g02_c03.mp4");
  DatasetOptions options;
  options.fold = {"g02"};
  EXPECT_THAT(scan(options), ElementsAre("v_hop_g01_c01.mp4: duplicate_across_parts",
                                         "v_hop_g02_c01.mp4:", "v_hop_g02_c02.mp4: duplicate_across_classes",
                                         "v_hop_g02_c03.mp4: duplicate_across_parts", "v_run_g01_c01.mp4: duplicate",
                                         "v_run_g01_c02.mp4: duplicate", "v_run_g02_c01.mp4: duplicate_across_classes"));
  EXPECT_THAT(report_.clips[0].findings[0].text, HasSubstr("v_hop_g02_c03.mp4 (class 'hop', test)"));
  EXPECT_EQ(report_.clips[3].part, Part::kTest);
}

TEST_F(Scan, names_the_worst_of_many_copies) {
  for (const char* name : {"run/v_g01_1.mp4", "run/v_g01_2.mp4", "run/v_g02_3.mp4"}) clip(name);
  DatasetOptions options;
  options.fold = {"g02"};
  scan(options);
  EXPECT_THAT(report_.clips[0].findings[0].text,
              AllOf(HasSubstr("v_g02_3.mp4 (class 'run', test)"), HasSubstr(" and 1 more")));
}

TEST_F(Scan, says_the_same_with_any_number_of_threads_and_reports_every_clip) {
  for (int i = 0; i < 9; ++i) clip(fmt::format("run/{}.mp4", i), 8 + i % 4);
  write_text(dir_ / "run/broken.mp4", "x");
  const auto text = [&](std::int64_t threads) {
    std::vector<std::int64_t> steps;
    dataset_ = load_dataset(dir_.path().string());
    const ScanReport report = scan_dataset(dataset_, {}, {.threads = threads}, [&](const ProgressReport& progress) {
      EXPECT_EQ(progress.total, 10);
      steps.push_back(progress.done);
    });
    EXPECT_THAT(steps, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    std::ostringstream stream;
    write_json(stream, report, dataset_);
    return stream.str();
  };
  const std::string one = text(1);
  EXPECT_EQ(text(3), one);
  EXPECT_EQ(text(64), one);
}

TEST_F(Scan, stops_when_it_is_asked_to_and_says_so) {
  for (int i = 0; i < 6; ++i) clip(fmt::format("run/{}.mp4", i), 8 + i);
  std::stop_source stop;
  dataset_ = load_dataset(dir_.path().string());
  const ScanReport report = scan_dataset(
      dataset_, {}, {.threads = 1},
      [&](const ProgressReport& progress) {
        if (progress.done == 2) stop.request_stop();
      },
      stop.get_token());
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.scanned(), 2);
  EXPECT_EQ(report.clips[3].hash, "");
  EXPECT_FALSE(report.clips[3].scanned);
}

TEST_F(Scan, writes_what_it_knows_as_json_whatever_the_names) {
  clip("run/a.mp4");
  clip("run/b\n\"\xfc.mp4", 5);
  scan();
  std::ostringstream stream;
  write_json(stream, report_, dataset_);
  const Json json = Json::parse(stream.str());
  EXPECT_EQ(json.at("clips"), 2);
  EXPECT_EQ(json.at("bad"), 1);
  EXPECT_EQ(json.at("counts").at("short"), 1);
  EXPECT_EQ(json.at("counts").size(), kFindingKinds.size());
  EXPECT_EQ(json.at("items").size(), 2u);
  EXPECT_EQ(json.at("items")[1].at("findings")[0].at("kind"), "short");
  EXPECT_EQ(json.at("items")[1].at("findings")[0].at("bad"), true);
  EXPECT_EQ(json.at("items")[0].at("frames"), 20);
}

TEST(ScanOfUtInteraction, is_clean) {
  const std::string csv = actio::testing::shared_file("data/ut_interaction/labels.csv");
  ACTIO_NEEDS_SHARED(csv);
  const Dataset dataset = load_dataset(csv);
  const ScanReport report = scan_dataset(dataset, {}, {});
  EXPECT_EQ(report.scanned(), 120);
  for (const ClipScan& clip : report.clips) EXPECT_THAT(clip.findings, IsEmpty()) << dataset.items[clip.item].path;
}

}  // namespace
}  // namespace actio::data
