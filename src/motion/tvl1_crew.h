// motion: the threads of one flow computation. In: a function that each of them runs. Out: its return on all of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace actio::motion {

// The calling thread is member 0; the others sleep between runs. Waiting members spin for a few microseconds, then sleep,
// because the cores may be shared.
// Threads: run() from one thread at a time.
class Crew {
 public:
  explicit Crew(int members);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int members() const { return members_; }

  // Calls task(context, member) on every member and returns when all are done. Nothing is allocated.
  using Task = void (*)(void* context, int member);
  void run(Task task, void* context);

  // Inside a task: returns when every member is here; what they wrote before is then visible to all.
  void meet();

 private:
  void serve(const std::stop_token& stop, int member);

  int members_;
  Task task_ = nullptr;
  void* context_ = nullptr;
  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> meetings_{0};
  alignas(64) std::atomic<std::uint32_t> runs_{0};
  std::vector<std::jthread> threads_;  // last: they must end before the rest goes
};

}  // namespace actio::motion
