#include "core/hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace actio {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(FewWarnings, passes_the_first_on_and_counts_the_rest) {
  std::vector<std::string> told;
  {
    FewWarnings warnings([&](const std::string& line) { told.push_back(line); });
    for (int i = 0; i < 12; ++i) warnings.add("clip " + std::to_string(i));
    EXPECT_THAT(told, SizeIs(10));
  }
  ASSERT_THAT(told, SizeIs(11));
  EXPECT_EQ(told.front(), "clip 0");
  EXPECT_EQ(told.back(), "and 2 more like these");
}

TEST(FewWarnings, says_no_more_where_all_were_told) {
  std::vector<std::string> told;
  FewWarnings([&](const std::string& line) { told.push_back(line); }).add(std::vector<std::string>{"one", "two"});
  EXPECT_THAT(told, ElementsAre("one", "two"));
}

TEST(Hooks, that_are_stopped_end_the_work) {
  std::stop_source stop;
  EXPECT_NO_THROW(throw_if_stopped(stop.get_token()));
  EXPECT_NO_THROW(throw_if_stopped({}));
  stop.request_stop();
  try {
    throw_if_stopped(stop.get_token());
    FAIL() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
}

}  // namespace
}  // namespace actio
