// cli: Ctrl-C and SIGTERM as a stop token. The first asks the work to finish its step; another one, a second or more after it, ends
// the process.
#pragma once

#include <sys/types.h>

#include <stop_token>

namespace actio::cli {

// Call once, early in main.
void install_interrupt_handler();

std::stop_token interrupt_token();

// The child that the signal which ends this process shall end as well; 0: none.
void set_child_to_end(pid_t child);

// Throws: Error(kInterrupted) once a stop was asked for.
void throw_if_interrupted();

}  // namespace actio::cli
