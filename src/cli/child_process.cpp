#include "cli/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stop_token>
#include <string_view>

#include "cli/interrupt.h"
#include "core/error.h"

extern char** environ;

namespace actio::cli {
namespace {

// Both ends of a pipe; the child gets only what it is given.
struct Pipe {
  int reading = -1, writing = -1;

  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("a pipe cannot be made: {}", std::strerror(errno));
    reading = ends[0];
    writing = ends[1];
  }
  ~Pipe() {
    close_writing();
    ::close(reading);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_writing() {
    if (writing >= 0) ::close(writing);
    writing = -1;
  }
};

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The child writes to a pipe and cannot see the terminal behind it.
std::vector<std::string> child_environment(bool piped) {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) variables.emplace_back(*at);
  if (piped && ::isatty(STDERR_FILENO) == 1) variables.emplace_back("ACTIO_TERMINAL=1");
  return variables;
}

// `output`: where it prints to; -1: where this program does.
pid_t start(std::vector<std::string> words, int output) {
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A group of its own: Ctrl-C reaches it once, from here.
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (output >= 0) ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  if (output >= 0) ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  std::vector<std::string> variables = child_environment(output >= 0);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, words[0].c_str(), &actions, &attributes, pointers_to(words).data(),
                                   pointers_to(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) fail("{}: cannot be started: {}", words[0], std::strerror(failed));
  return child;
}

// Keeps the last message as the lines go by.
class MessageFinder {
 public:
  void add(std::string_view part) {
    for (const char c : part) {
      if (c == '\n' || c == '\r')
        end_line();
      else if (line_.size() < kLongest)
        line_ += c;
    }
  }
  std::string message() {
    end_line();
    return message_;
  }

 private:
  static constexpr std::size_t kLongest = 4096;

  void end_line() {
    constexpr std::string_view kBegin = "actio: ", kClear = "\x1b[K";
    std::string_view line = line_;
    if (line.starts_with(kClear)) line.remove_prefix(kClear.size());
    if (line.starts_with(kBegin)) message_ = line.substr(kBegin.size());
    line_.clear();
  }

  std::string line_, message_;
};

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // nobody reads it; the work goes on
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string pass_on(int descriptor) {
  MessageFinder finder;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return finder.message();
    const std::string_view part(buffer.data(), static_cast<std::size_t>(count));
    write_all(part);
    finder.add(part);
  }
}

// Until it is reaped the child has its number, even where it has ended: no signal can hit anything else.
int reap(pid_t child, const std::string& program) {
  siginfo_t info;
  while (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  set_child_to_end(0);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail("{}: cannot be waited for: {}", program, std::strerror(errno));
  }
  return status;
}

}  // namespace

ChildEnd run_child(const std::vector<std::string>& command_line, ChildOutput output) {
  throw_if_interrupted();
  Pipe pipe;
  const bool piped = output == ChildOutput::kToStandardError;
  const pid_t child = start(command_line, piped ? pipe.writing : -1);
  set_child_to_end(child);
  pipe.close_writing();
  ChildEnd end;
  int status = 0;
  {
    const std::stop_callback forward(interrupt_token(), [child] { ::kill(child, SIGTERM); });
    if (piped) end.error = pass_on(pipe.reading);
    status = reap(child, command_line[0]);
  }
  if (WIFSIGNALED(status)) {
    throw_if_interrupted();  // the signal may come before the child catches any
    fail("{} was ended by signal {}", command_line[0], WTERMSIG(status));
  }
  end.exit_code = WEXITSTATUS(status);
  if (end.exit_code == static_cast<int>(ErrorCode::kInterrupted)) {
    throw Error(ErrorCode::kInterrupted, "interrupted; the same command goes on");
  }
  return end;
}

}  // namespace actio::cli
