#include "core/hooks.h"

#include "core/error.h"

namespace actio {

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kInterrupted, "interrupted");
}

}  // namespace actio
