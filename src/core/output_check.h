// core: refuses an output that cannot be written, or that would replace an input, before the work begins.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"

namespace actio {

// Whether both are one file, or would be.
inline bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  if (a.empty() || b.empty()) return false;
  if (std::filesystem::equivalent(a, b, ignored)) return true;
  return std::filesystem::weakly_canonical(a, ignored) == std::filesystem::weakly_canonical(b, ignored);
}

// Throws: Error(kUsage) where `output` is one of `inputs`, under whatever name; else as check_writable.
inline void check_output(const std::string& output, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    if (is_same_file(output, input)) fail_usage("{}: is an input, it cannot be the output", output);
  }
  check_writable(output);
}

}  // namespace actio
