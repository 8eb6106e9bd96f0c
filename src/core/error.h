// core: how the library throws the one exception of actio, whose message is one line that names the cause, the file or tensor, and
// both values ("conv1: expected 64 input channels, got 3").
#pragma once

#include <actio/error.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace actio {

// The text with control characters as \xNN: names out of files can neither break a line nor steer a terminal.
std::string one_line(std::string_view text);

// kTransient for a system error (an errno) that may pass, else kFailed.
ErrorCode code_of_system_error(int number);

template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorCode::kFailed, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorCode::kUsage, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void fail_internal(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorCode::kInternal, fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void fail_data(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorCode::kBadData, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace actio
