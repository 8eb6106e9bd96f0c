// The files of the papers' experiments, as a user would give them to the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/program.h"
#include "core/options.h"
#include "core/toml_text.h"

namespace actio::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::run_program;

std::vector<std::string> config_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(ACTIO_SOURCE_DIR) / "configs")) {
    const std::string folder = entry.path().parent_path().filename();
    const bool is_experiment = entry.path().extension() == ".toml" && folder != "papers" && folder != "ablations";
    if (is_experiment) files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

TEST(Configs, of_every_experiment_name_a_network_that_can_be_built_and_are_understood_by_training) {
  const std::vector<std::string> files = config_files();
  EXPECT_GE(files.size(), 40U);
  std::set<std::string> trained;
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    const std::string text = testing::file_content(file);
    EXPECT_LE(std::ranges::count(text, '\n'), 48);
    const auto described = run_program("describe --config " + file);
    EXPECT_EQ(described.exit_code, 0) << described.err;
    // The trainer takes its time to start: once for every kind of [train] table.
    const std::size_t train = text.find("[train]");
    if (trained.insert(text.substr(train, text.find("[[stage]]") - train)).second) {
      const auto printed = run_program("train --print-config --config " + file);
      EXPECT_EQ(printed.exit_code, 0) << printed.err;
      EXPECT_THAT(printed.out, HasSubstr("\n[train]\n"));
    }
    // The command in its comment names the file itself.
    EXPECT_THAT(text, HasSubstr("--config configs/" + fs::relative(file, fs::path(ACTIO_SOURCE_DIR) / "configs").string()));
  }
}

// A row whose streams differ from the others' would be trained from the beginning, and compared with something else.
TEST(Configs, of_stfn_on_one_backbone_share_their_streams) {
  std::map<std::string, std::pair<std::string, std::string>> first;  // of a backbone: a file, and its streams
  for (const std::string& file : config_files()) {
    if (fs::path(file).parent_path().filename() != "stfn") continue;
    const Json config = read_toml(file);
    Json streams = {{"stages", Json::array()}};
    for (const char* table : {"network", "preprocess", "data", "train"}) streams[table] = config.at(table);
    for (const Json& stage : config.at("stage")) {
      if (stage.at("name") == "appearance" || stage.at("name") == "motion") streams["stages"].push_back(stage);
    }
    if (streams.at("stages").size() < 2) continue;  // a row of one stream
    const auto& [other, expected] =
        first.try_emplace(config.at("network").at("backbone"), file, streams.dump(1)).first->second;
    EXPECT_EQ(streams.dump(1), expected) << file << " and " << other;
  }
  EXPECT_EQ(first.size(), 2U);
}

TEST(Configs, are_needed_where_describe_gets_no_network) {
  const auto result = run_program("describe");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("describe needs a network"));
}

}  // namespace
}  // namespace actio::cli
