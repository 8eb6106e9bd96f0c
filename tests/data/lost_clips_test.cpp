#include "data/lost_clips.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/synthetic_clip.h"
#include "support/temp_dir.h"

namespace actio::data {
namespace {

using ::testing::HasSubstr;

Item item(const std::string& path) {
  Item item;
  item.path = path;
  return item;
}

TEST(LostClips, are_those_without_vectors_and_those_that_are_no_videos_each_with_its_reason) {
  const actio::testing::TempDir dir;
  for (const char* codec : {"libx264", "libx265", "mpeg4"}) {
    actio::testing::write_synthetic_clip({.path = dir / (std::string(codec) + ".mp4"), .codec = codec, .frames = 8});
  }
  std::ofstream(dir / "text.mp4") << "this is no video";
  const std::vector<Item> items = {item(dir / "libx264.mp4"), item(dir / "libx265.mp4"), item(dir / "text.mp4"), item(dir / "mpeg4.mp4"),
                                   item(dir / "nowhere.mp4")};
  const std::vector<LostClip> lost = lost_clips(items, true, {});
  ASSERT_EQ(lost.size(), 3U);
  EXPECT_EQ(lost[0].item, 1U);
  EXPECT_THAT(lost[0].why, HasSubstr("motion vectors"));
  EXPECT_EQ(lost[1].item, 2U);
  EXPECT_EQ(lost[2].item, 4U);
  EXPECT_EQ(lost_clips(items, false, {}).size(), 2U) << "where nobody needs vectors HEVC is read";
}

}  // namespace
}  // namespace actio::data
