// What was left open may follow from something else; what was chosen may not.
#include "core/chosen.h"

#include <gtest/gtest.h>

#include <string_view>

#include "core/preprocess.h"

namespace actio {
namespace {

struct Options {
  static constexpr std::string_view kTable = "video";
  std::int64_t frames = 3;
  std::vector<double> weights;
  std::string unlisted;

  Fields fields() { return {{"frames", &frames, "frames"}, {"weights", &weights, "weights"}}; }
};

TEST(Chosen, knows_an_option_by_its_member_and_by_its_name) {
  Chosen chosen;
  EXPECT_TRUE(chosen.empty());
  EXPECT_FALSE(chosen.has(&Options::frames));
  chosen.add_name("video.frames");
  EXPECT_TRUE(chosen.has(&Options::frames));
  EXPECT_FALSE(chosen.has(&Options::weights));
  chosen.add(&Options::weights);
  EXPECT_TRUE(chosen.has_name("video.weights"));
  EXPECT_FALSE(chosen.empty());
}

TEST(Chosen, knows_options_that_are_enums) {
  Chosen chosen;
  chosen.add_name("preprocess.motion");
  EXPECT_TRUE(chosen.has(&Preprocess::motion));
  EXPECT_FALSE(chosen.has(&Preprocess::motion_window));
}

TEST(Chosen, refuses_a_member_that_is_no_option) {
  Chosen chosen;
  EXPECT_THROW(chosen.has(&Options::unlisted), Error);
}

}  // namespace
}  // namespace actio
