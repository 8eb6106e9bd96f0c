#include "data/lost_clips.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>

#include "core/cores.h"
#include "core/error.h"
#include "video/decoder.h"

namespace actio::data {
namespace {

// Empty where it is not lost.
std::string reason(const std::string& path, bool vectors, const ReadLimits& limits, const std::stop_token& stop) {
  try {
    const video::Decoder decoder(path, {.vectors = vectors, .max_pixels = limits.max_pixels, .max_seconds = limits.max_seconds}, stop);
    return "";
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kTransient || error.code() == ErrorCode::kInterrupted) return "";
    std::string why = error.what();
    const std::string start = one_line(path) + ": ";
    if (why.starts_with(start)) why.erase(0, start.size());
    return why;
  } catch (const std::exception&) {
    return "";  // no memory for it now
  }
}

}  // namespace

std::vector<LostClip> lost_clips(const std::vector<Item>& items, bool vectors, const ReadLimits& limits, const ProgressFn& progress,
                                 const std::stop_token& stop) {
  std::vector<LostClip> lost;
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::atomic<std::int64_t> done = 0;
  const auto work = [&](bool tells) {
    while (!stop.stop_requested()) {
      const std::size_t i = next++;
      if (i >= items.size()) return;
      std::string why = reason(items[i].path, vectors, limits, stop);
      ++done;
      if (!why.empty()) {
        const std::lock_guard lock(mutex);
        lost.push_back({i, std::move(why)});
      }
      if (tells && progress) progress({"opening clips", done, static_cast<std::int64_t>(items.size()), ""});
    }
  };
  std::vector<std::jthread> threads;
  try {
    for (std::size_t i = 1; i < std::min(static_cast<std::size_t>(core_count()), items.size()); ++i) threads.emplace_back(work, false);
  } catch (const std::system_error&) {
    // The system gives no more threads; those that are there do.
  }
  work(true);
  threads.clear();
  std::ranges::sort(lost, {}, &LostClip::item);
  return lost;
}

}  // namespace actio::data
