// core: the one exception of actio. Every failure that a caller can see is an Error whose message is one line that names
// the cause, the file or tensor, and both values ("conv1: expected 64 input channels, got 3").
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace actio {

// Error::exit_code() makes of them what a program ends with.
enum class ErrorCode {
  kFailed = 1,      // the operation could not be done (missing file, no space, unsupported request)
  kUsage = 2,       // the caller asked for something that does not exist or contradicts itself
  kBadData = 3,     // a file or stream holds something that it must not
  kInternal = 70,   // actio's own mistake: something that cannot be, was
  kTransient = 75,  // the system could not do it now (no descriptors, no memory, a server that is away); later it may
  kInterrupted = 130,
};

// The text with control characters as \xNN: names out of files can neither break a line nor steer a terminal.
std::string one_line(std::string_view text);

// kTransient for a system error (an errno) that may pass, else kFailed.
ErrorCode code_of_system_error(int number);

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(one_line(message)), code_(code) {}
  ErrorCode code() const noexcept { return code_; }
  // What passes, and mistakes of actio itself, end a program as any other failure does.
  int exit_code() const noexcept {
    return static_cast<int>(code_ == ErrorCode::kInternal || code_ == ErrorCode::kTransient ? ErrorCode::kFailed : code_);
  }

 private:
  ErrorCode code_;
};

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
