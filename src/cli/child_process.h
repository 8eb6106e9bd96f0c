// cli: a program of this system as a child that can be stopped. In: a command line. Out: how it ended and what it complained
// of.
#pragma once

#include <string>
#include <vector>

namespace actio::cli {

struct ChildEnd {
  int exit_code = 0;
  std::string error;  // its last message "actio: ...", without that beginning; empty where there was none
};

enum class ChildOutput {
  kToStandardError,  // all that it prints; its last message is kept
  kAsOurs,           // its standard output and error are those of this program; no message is known
};

// Ctrl-C ends it gently, a second one at once. Throws: Error(kFailed) where it cannot be started or a
// signal ended it, Error(kInterrupted) where it was stopped.
ChildEnd run_child(const std::vector<std::string>& command_line, ChildOutput output = ChildOutput::kToStandardError);

}  // namespace actio::cli
