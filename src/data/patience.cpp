#include "data/patience.h"

#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>

#include "core/error.h"
#include "core/time_limit.h"

namespace actio::data {
namespace {

ClipInput read_once(const ReadClip& read, const ClipRequest& request, ClipMemory& memory, const std::stop_token& stop) {
  try {
    return read(request, memory, stop);
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kTransient, "{}: no memory to read it", request.path);
  } catch (const std::system_error& error) {
    fail(code_of_system_error(error.code().value()), "{}: cannot be read: {}", request.path, error.code().message());
  } catch (const std::exception& error) {
    fail_internal("{}: {}", request.path, error.what());
  }
}

// Returns: false where `stop` was requested.
bool wait(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

ClipInput read_untimed(const ReadClip& read, const Patience& patience, const ClipRequest& request, ClipMemory& memory,
                       const std::stop_token& stop) {
  for (const std::chrono::milliseconds time : patience) {
    try {
      return read_once(read, request, memory, stop);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kTransient) throw;
    }
    if (!wait(time, stop)) fail(ErrorCode::kInterrupted, "{}: reading was stopped", request.path);
  }
  try {
    return read_once(read, request, memory, stop);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kTransient || patience.empty()) throw;
    fail(ErrorCode::kTransient, "{}; tried {} times", error.what(), patience.size() + 1);
  }
}

}  // namespace

ClipInput read_patiently(const ReadClip& read, const Patience& patience, const ClipRequest& request, ClipMemory& memory,
                         const std::stop_token& stop) {
  if (request.limits.max_seconds <= 0) return read_untimed(read, patience, request, memory, stop);
  ClipRequest untimed = request;
  untimed.limits.max_seconds = 0;
  TimeLimit limit(request.limits.max_seconds, stop);
  return limit.run(request.path, [&](const std::stop_token& token) { return read_untimed(read, patience, untimed, memory, token); });
}

}  // namespace actio::data
