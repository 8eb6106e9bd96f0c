// Files of public test suites, and files that other tools' users met: whatever they hold, one line at most says what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/tiny_model.h"
#include "support/shared_data.h"

namespace actio::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code code;
  for (const auto& entry : fs::recursive_directory_iterator(folder, code)) {
    const std::string ending = entry.path().extension().string();
    const bool text = ending == ".md" || ending == ".csv" || ending == ".txt" || ending == ".actio";
    if (entry.is_regular_file(code) && !text) files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

// Lines that are neither warnings nor notes.
int complaints(const std::string& err) {
  int count = 0;
  std::istringstream stream(err);
  for (std::string line; std::getline(stream, line);) count += !line.starts_with("warning: ") && !line.empty();
  return count;
}

bool is_documented(int code) { return code == 0 || code == 1 || code == 2 || code == 3; }

class OddFiles : public ::testing::TestWithParam<const char*> {};

TEST_P(OddFiles, end_doctor_and_recognize_with_a_documented_code_and_a_line_at_most) {
  const std::string folder = shared_file(std::string("data/") + GetParam());
  ACTIO_NEEDS_SHARED(folder);
  const TempDir dir;
  write_tiny_model(dir / "model.actio", "if_ttn", "mv");
  const std::vector<std::string> files = files_below(folder);
  ASSERT_FALSE(files.empty());
  for (const std::string& file : files) {
    for (const std::string& command : {"doctor '" + file + "'", "recognize " + (dir / "model.actio") + " '" + file + "'"}) {
      // `timeout` ends with 124 what hangs; a crash has a code above 128.
      const ProgramResult result = run_program(command, "timeout 60 ");
      EXPECT_TRUE(is_documented(result.exit_code)) << command << "\n" << result.exit_code << " " << result.err;
      EXPECT_LE(complaints(result.err), 1) << command << "\n" << result.err;
      // Doctor's report says on standard output what is bad.
      if (complaints(result.err) > 0) {
        EXPECT_NE(result.exit_code, 0) << command << "\n" << result.err;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, OddFiles, ::testing::Values("odd", "field"), [](const auto& folder) { return std::string(folder.param); });

}  // namespace
}  // namespace actio::testing
