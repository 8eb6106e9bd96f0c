// Lists for the tests, and what reading them says.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "core/error.h"

namespace actio::data::testing {

inline void write_text(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

// "CODE: MESSAGE" of the Error that `action` throws, else "no error".
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return fmt::format("{}: {}", error.exit_code(), error.what());
  }
  return "no error";
}

}  // namespace actio::data::testing
