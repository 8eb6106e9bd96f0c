// core: what long work is given to tell how it goes, and to be stopped. In: functions of the caller, each of which may be empty.
#pragma once

#include <stop_token>

#include "core/progress.h"

namespace actio {

struct Hooks {
  ProgressFn progress;
  WarnFn warn;
  std::stop_token stop;
};

// Throws: Error(kInterrupted) once a stop was asked for.
void throw_if_stopped(const std::stop_token& stop);

}  // namespace actio
