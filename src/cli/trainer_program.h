// cli: the separate executables that train and export, so that everything else loads neither LibTorch nor ONNX's libraries.
#pragma once

#include <string>
#include <vector>

namespace actio::cli {

// Becomes actio-train with these arguments. Returns only by throwing: Error(kFailed) where it is not installed.
[[noreturn]] void become_trainer(const std::vector<std::string>& arguments);

// Becomes actio-export, likewise.
[[noreturn]] void become_exporter(const std::vector<std::string>& arguments);

// Starts this program over with OpenMP threads that soon sleep while they wait, unless the environment already chooses. Threads
// that spin for long take the cores from those that decode: training was several times slower so on two busy cores. Sleeping at
// once costs small networks more than it saves. OpenMP reads its settings before main, hence the new start (about 20 ms).
void restart_with_short_spinning(char** argv);

// actio-train with these arguments, as the system starts it. Throws: Error(kFailed) where it is not installed.
std::vector<std::string> trainer_command_line(const std::vector<std::string>& arguments);

// The path of this executable. Throws: Error(kFailed) where the system does not tell.
std::string this_program();

}  // namespace actio::cli
