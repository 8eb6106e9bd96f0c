#include "motion/tvl1_crew.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace actio::motion {
namespace {

constexpr int kSpins = 2000;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

Crew::Crew(int members) : members_(members) {
  threads_.reserve(static_cast<std::size_t>(members - 1));
  for (int member = 1; member < members; ++member) {
    threads_.emplace_back([this, member](const std::stop_token& stop) { serve(stop, member); });
  }
}

Crew::~Crew() {
  for (auto& thread : threads_) thread.request_stop();
  runs_.fetch_add(1, std::memory_order_release);
  runs_.notify_all();
}

void Crew::serve(const std::stop_token& stop, int member) {
  for (std::uint32_t seen = 0;; ++seen) {
    wait_for_change(runs_, seen);
    if (stop.stop_requested()) return;
    task_(context_, member);
    meet();
  }
}

void Crew::run(Task task, void* context) {
  task_ = task;
  context_ = context;
  if (members_ > 1) {
    runs_.fetch_add(1, std::memory_order_release);
    runs_.notify_all();
  }
  task(context, 0);
  meet();
}

void Crew::meet() {
  if (members_ == 1) return;
  const std::uint32_t meeting = meetings_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<std::uint32_t>(members_)) {
    arrived_.store(0, std::memory_order_relaxed);
    meetings_.fetch_add(1, std::memory_order_release);
    meetings_.notify_all();
  } else {
    wait_for_change(meetings_, meeting);
  }
}

}  // namespace actio::motion
