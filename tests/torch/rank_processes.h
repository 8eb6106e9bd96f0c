// Starts rank_program several times, as a launcher does, and collects what the processes print.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "support/temp_dir.h"

namespace actio::testing {

using Variables = std::map<std::string, std::string>;

// A port that is nobody else's while this object lives: Linux gives a port that is bound to nobody by chance, but lets those
// who ask for it listen there, where both allow for it and the holder does not listen itself.
class ReservedPort {
 public:
  ReservedPort() : socket_(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 sixth{};
    sixth.sin6_family = AF_INET6;
    if (socket_ < 0 || !reserve(&sixth, sizeof(sixth))) {
      ::close(socket_);
      socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in fourth{};
      fourth.sin_family = AF_INET;
      if (!reserve(&fourth, sizeof(fourth))) fail("no port is free: {}", std::strerror(errno));
    }
  }
  ~ReservedPort() { ::close(socket_); }
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  std::string text() const { return std::to_string(port_); }

 private:
  bool reserve(void* address, socklen_t length) {
    const int on = 1;
    if (::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) return false;
    if (::bind(socket_, static_cast<sockaddr*>(address), length) != 0) return false;
    if (::getsockname(socket_, static_cast<sockaddr*>(address), &length) != 0) return false;
    port_ = ntohs(static_cast<sockaddr_in*>(address)->sin_port);  // at the same place in both
    return true;
  }

  int socket_;
  std::uint16_t port_ = 0;
};

// One started process. The destructor kills it.
class RankProcess {
 public:
  RankProcess(const std::vector<std::string>& arguments, const Variables& variables) {
    std::vector<std::string> words{ACTIO_RANK_PROGRAM}, environment;
    words.insert(words.end(), arguments.begin(), arguments.end());
    for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
    for (const char* name : {"PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "GOMP_SPINCOUNT",
                             "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE"}) {
      if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
    }
    std::vector<char*> argv = pointers(words), envp = pointers(environment);
    const std::string out = dir_ / "out", err = dir_ / "err";
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    ::dup2(::open(out.c_str(), flags, 0600), STDOUT_FILENO);
    ::dup2(::open(err.c_str(), flags, 0600), STDERR_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ~RankProcess() {
    if (!status_) send(SIGKILL), wait(std::chrono::seconds(10));
  }
  RankProcess(const RankProcess&) = delete;
  RankProcess& operator=(const RankProcess&) = delete;

  void send(int signal) const { ::kill(pid_, signal); }

  // Sends SIGSTOP; whether it then stood still.
  bool stop(std::chrono::seconds limit) {
    send(SIGSTOP);
    int status = 0;
    return wait_for([&] { return ::waitpid(pid_, &status, WUNTRACED | WNOHANG) == pid_; }, limit) && WIFSTOPPED(status);
  }

  // The exit code, or 128 and the signal; -1 if it still runs after `limit`.
  int wait(std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!status_) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      } else if (std::chrono::steady_clock::now() > end) {
        return -1;
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
    return *status_;
  }

  bool wait_until_ready(std::chrono::seconds limit) {
    return wait_for([this] { return out().starts_with("ready\n"); }, limit);
  }

  // Whether it has printed so many bytes.
  bool wait_for_output(std::size_t bytes, std::chrono::seconds limit) {
    return wait_for([&] { return out().size() >= bytes; }, limit);
  }

  std::string out() const { return content("out"); }
  std::string err() const { return content("err"); }

 private:
  template <typename Condition>
  static bool wait_for(const Condition& condition, std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  static std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    for (std::string& word : words) result.push_back(word.data());
    result.push_back(nullptr);
    return result;
  }
  std::string content(const std::string& name) const {
    std::ifstream stream(dir_ / name, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  TempDir dir_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// `size` processes that train together as torchrun would start them.
struct Ranks {
  Ranks(int size, const std::vector<std::string>& arguments) {
    for (int rank = 0; rank < size; ++rank) {
      processes.push_back(std::make_unique<RankProcess>(
          arguments, Variables{{"RANK", std::to_string(rank)},
                               {"WORLD_SIZE", std::to_string(size)},
                               {"LOCAL_RANK", std::to_string(rank)},
                               {"MASTER_ADDR", "127.0.0.1"},
                               {"MASTER_PORT", port.text()}}));
    }
  }
  RankProcess& operator[](int rank) { return *processes[static_cast<std::size_t>(rank)]; }

  ReservedPort port;
  std::vector<std::unique_ptr<RankProcess>> processes;
};

}  // namespace actio::testing
