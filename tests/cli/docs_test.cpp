// Pages that point into the sources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "cli/program.h"

namespace actio::cli {
namespace {

TEST(NetworksPage, points_to_lines_that_are_there) {
  const std::string root = std::string(ACTIO_SOURCE_DIR) + "/", page = testing::file_content(root + "docs/networks.md");
  const std::regex pointer("`(src/[a-z0-9_/]+\\.(?:cpp|h))` `([^`]+)`");
  int count = 0;
  for (std::sregex_iterator match(page.begin(), page.end(), pointer), end; match != end; ++match, ++count) {
    EXPECT_THAT(testing::file_content(root + (*match)[1].str()), ::testing::HasSubstr((*match)[2].str())) << (*match)[1];
  }
  EXPECT_GE(count, 28);
}

}  // namespace
}  // namespace actio::cli
