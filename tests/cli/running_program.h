// A program under test that runs beside the test, for what happens while it works: it is sent signals once it has come to a
// certain point, which no length of time would tell on a busy machine.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "cli/program.h"

extern char** environ;

namespace actio::testing {

class RunningProgram {
 public:
  // `arguments` and `environment` as of run_program().
  explicit RunningProgram(const std::string& arguments, const std::string& environment = "", const std::string& program = ACTIO_PROGRAM) {
    std::string command = "exec env " + environment + " " + program + " " + arguments + " >" + (dir_ / "out") + " 2>" + (dir_ / "err") +
                          " </dev/null";
    std::string shell = "/bin/sh", option = "-c";
    char* const words[] = {shell.data(), option.data(), command.data(), nullptr};
    if (::posix_spawn(&pid_, shell.c_str(), nullptr, nullptr, words, environ) != 0) pid_ = 0;
  }
  ~RunningProgram() {
    if (is_running()) signal(SIGKILL);
    wait();
  }
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;

  std::string out() const { return file_content(dir_ / "out"); }
  std::string err() const { return file_content(dir_ / "err"); }
  void signal(int number) {
    if (is_running()) ::kill(pid_, number);
  }

  bool is_running() {
    if (pid_ != 0 && !ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return pid_ != 0 && !ended_;
  }

  // Whether it came to be so while the program ran.
  bool wait_until(const std::function<bool()>& condition) {
    for (int i = 0; i < 24000; ++i) {
      if (condition()) return true;
      if (!is_running()) return condition();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  bool wait_until_it_prints(const std::string& text) {
    return wait_until([&] { return out().find(text) != std::string::npos || err().find(text) != std::string::npos; });
  }

  ProgramResult wait() {
    if (pid_ != 0 && !ended_) ended_ = ::waitpid(pid_, &status_, 0) == pid_;
    ProgramResult result;
    if (ended_) result.exit_code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    result.out = out();
    result.err = err();
    return result;
  }

 private:
  const TempDir dir_;
  pid_t pid_ = 0;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace actio::testing
