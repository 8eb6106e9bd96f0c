// actio: the one exception. Every failure that a caller can see is an Error whose message is one line that names the cause, the file
// or tensor, and both values ("conv1: expected 64 input channels, got 3").
#pragma once

#include <actio/export.h>

#include <stdexcept>
#include <string>

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

class ACTIO_API Error : public std::runtime_error {
 public:
  // Control characters become \xNN: names out of files can neither break a line nor steer a terminal.
  Error(ErrorCode code, const std::string& message);
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;
  ~Error() override;

  ErrorCode code() const noexcept { return code_; }
  // What passes, and mistakes of actio itself, end a program as any other failure does.
  int exit_code() const noexcept {
    return static_cast<int>(code_ == ErrorCode::kInternal || code_ == ErrorCode::kTransient ? ErrorCode::kFailed : code_);
  }

 private:
  ErrorCode code_;
};

}  // namespace actio
