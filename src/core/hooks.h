// core: what long work is given to tell how it goes, and to be stopped. In: functions of the caller, each of which may be empty.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/progress.h"

namespace actio {

struct Hooks {
  ProgressFn progress;
  WarnFn warn;
  std::stop_token stop;
};

// Passes the first warnings of one kind on as they come, and at its end how many more there were.
class FewWarnings {
 public:
  explicit FewWarnings(WarnFn warn) : warn_(std::move(warn)) {}
  ~FewWarnings();
  FewWarnings(const FewWarnings&) = delete;
  FewWarnings& operator=(const FewWarnings&) = delete;

  void add(const std::string& message);
  void add(const std::vector<std::string>& messages);

 private:
  WarnFn warn_;
  std::int64_t count_ = 0;
};

// Throws: Error(kInterrupted) once a stop was asked for.
void throw_if_stopped(const std::stop_token& stop);

}  // namespace actio
