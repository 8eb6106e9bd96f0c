// A few rendered clips of two classes that the tests of training share, rendered once for all of a suite.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cli/program.h"

namespace actio::testing {

class TrainClips : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { dir_.reset(); }
  void SetUp() override {
    if (!ACTIO_HAS_TORCH) GTEST_SKIP() << "this build has no actio-train";
  }

  // In SetUpTestSuite().
  static void render(int clips_per_class, double test_share) {
    dir_ = std::make_unique<TempDir>();
    const ProgramResult made = run_program("data synth -o " + path("data") + " --classes stand_up,sit_down --clips-per-class " +
                                           std::to_string(clips_per_class) + " --test-share " + std::to_string(test_share) +
                                           " --min-frames 12 --max-frames 16 --max-width 160 --max-height 120");
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  static std::string path(const std::string& name) { return *dir_ / name; }
  static std::string data() { return path("data/labels.csv"); }

 private:
  static inline std::unique_ptr<TempDir> dir_;
};

}  // namespace actio::testing
