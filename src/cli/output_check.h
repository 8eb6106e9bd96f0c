// cli: refuses an output that cannot be written, or that would replace an input, before the work begins.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"

namespace actio::cli {

// Throws: Error(kUsage) where `output` is one of `inputs`, under whatever name; else as check_writable.
inline void check_output(const std::string& output, const std::vector<std::string>& inputs) {
  std::error_code ignored;
  for (const std::string& input : inputs) {
    if (std::filesystem::equivalent(output, input, ignored)) fail_usage("{}: is an input, it cannot be the output", output);
  }
  check_writable(output);
}

}  // namespace actio::cli
