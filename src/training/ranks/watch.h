// training/ranks: notices that a process of the group is gone. In: connections of every rank to rank 0, over which they
// say every second that they live. Out: a sentence about the first that fell silent, the same on all ranks.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "training/ranks/sockets.h"

namespace actio::training::ranks {

// A process that is killed closes its connections, which is noticed at once. One that is stopped, or behind a network that
// fails, is noticed once nothing was heard from it for `silence_limit`.
// Threads: all members are safe, but for leave().
class Watch {
 public:
  struct Peer {
    int rank = 0;
    Socket socket;
  };

  // `names`: of all ranks. `peers`: all others on rank 0, rank 0 alone on the others.
  Watch(int rank, std::vector<std::string> names, std::vector<Peer> peers, std::chrono::milliseconds silence_limit);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // What happened to the group, in one line; empty while all is well.
  std::string verdict() const;
  bool is_broken() const { return broken_; }

  // The same after at most `limit`; returns as soon as there is one.
  std::string wait_for_verdict(std::chrono::milliseconds limit) const;

  // Who has left although nothing went wrong, in one line; empty where nobody has.
  std::string departure() const;

  // Tells the others that this rank goes, and why; with an empty reason it has done its work. Takes a second at most.
  void leave(const std::string& reason);

 private:
  using Clock = std::chrono::steady_clock;
  struct Link {
    int rank = 0;
    Socket socket;
    std::string received;  // bytes that are not a whole message yet
    Clock::time_point heard;
  };

  void run();
  void receive(Link& link);
  bool take_message(Link& link);
  void lose(Link& link, const std::string& what);
  void judge(const std::string& verdict);
  void note_departure(int rank, const std::string& reason);
  void tell_others(const Link* except, const std::string& message);
  void say_goodbye();

  const int rank_;
  const std::vector<std::string> names_;
  const std::chrono::milliseconds silence_limit_;
  std::vector<Link> links_;  // of the thread
  Socket wake_;

  mutable std::mutex mutex_;
  mutable std::condition_variable judged_;
  std::string verdict_, departure_, reason_;
  std::atomic<bool> broken_{false}, leaving_{false};
  std::thread thread_;
};

}  // namespace actio::training::ranks
