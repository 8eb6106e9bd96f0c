// actio: what long work is given to tell how it goes, and to be stopped. In: functions of the caller, each of which may be empty.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace actio {

struct ProgressReport {
  std::string what;          // "training", "reading videos"
  std::int64_t done = 0;
  std::int64_t total = 0;    // 0: unknown
  std::string note;          // "loss 0.412"
};

// Called from the thread that works, often; it must be cheap. May be empty.
using ProgressFn = std::function<void(const ProgressReport&)>;

// Called for a thing that went wrong without stopping the work ("clip.avi: 3 damaged frames"). May be empty.
using WarnFn = std::function<void(const std::string&)>;

struct Hooks {
  ProgressFn progress = {};
  WarnFn warn = {};
  std::stop_token stop = {};
};

}  // namespace actio
