// Real clips, weights and lists that are not part of the repository. Tests that use them skip, and say so, where they are absent.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace actio::testing {

// The folder named by ACTIO_SHARED, else `shared` beside the checkout; empty where neither exists.
inline std::filesystem::path shared_folder() {
  const char* named = std::getenv("ACTIO_SHARED");
  const std::filesystem::path folder = named != nullptr ? std::filesystem::path(named)
                                                        : std::filesystem::path(ACTIO_SOURCE_DIR).parent_path() / "shared";
  std::error_code ignored;
  return std::filesystem::is_directory(folder, ignored) ? folder : std::filesystem::path();
}

// `relative` below that folder; empty where it does not exist.
inline std::string shared_file(const std::string& relative) {
  const std::filesystem::path folder = shared_folder();
  std::error_code ignored;
  if (folder.empty() || !std::filesystem::exists(folder / relative, ignored)) return {};
  return (folder / relative).string();
}

}  // namespace actio::testing

// Skips the running test where `path`, as shared_file gave it, is empty.
#define ACTIO_NEEDS_SHARED(path) \
  if ((path).empty()) GTEST_SKIP() << "needs real data: set ACTIO_SHARED to the folder that holds it"
