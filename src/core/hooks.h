// core: what long work does with the public Hooks that it is given.
#pragma once

#include <actio/hooks.h>

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace actio {

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
