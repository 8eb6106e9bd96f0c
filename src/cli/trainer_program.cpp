#include "cli/trainer_program.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/interrupt.h"
#include "core/error.h"

namespace actio::cli {
namespace {

// Beside this program, or in ../libexec/actio once installed.
std::string find_program(const char* name, const char* needed_for) {
  std::error_code code;
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe", code).parent_path();
  for (const auto& candidate : {here / name, here / "../libexec/actio" / name}) {
    if (std::filesystem::exists(candidate, code)) return candidate.string();
  }
  if (here.empty()) fail("{}: cannot be looked for where /proc/self/exe cannot be read (is /proc mounted?)", name);
  fail("{} is not installed beside {}; {}", name, here.string(), needed_for);
}

std::vector<char*> argument_pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string find_trainer() { return find_program("actio-train", "install the package actio-train, or build actio with LibTorch"); }

std::vector<std::string> command_line(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

[[noreturn]] void become(std::vector<std::string> words) {
  throw_if_interrupted();
  ::execv(words[0].c_str(), argument_pointers(words).data());
  fail("{}: cannot be started: {}", words[0], std::strerror(errno));
}

constexpr const char* kSpinCount = "GOMP_SPINCOUNT";

bool chooses_waiting() { return std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv(kSpinCount) != nullptr; }

// Rounds of a wait loop before a thread sleeps; libgomp's default is 300,000 and more.
void prefer_short_spinning() {
  if (!chooses_waiting()) ::setenv(kSpinCount, "1000", 0);
}

}  // namespace

void restart_with_short_spinning(char** argv) {
  if (chooses_waiting()) return;
  prefer_short_spinning();
  ::execv("/proc/self/exe", argv);
}

void become_trainer(const std::vector<std::string>& arguments) {
  const std::string program = find_trainer();
  prefer_short_spinning();
  become(command_line(program, arguments));
}

void become_exporter(const std::vector<std::string>& arguments) {
  become(command_line(find_program("actio-export", "it is a part of the package actio"), arguments));
}

std::vector<std::string> trainer_command_line(const std::vector<std::string>& arguments) { return command_line(find_trainer(), arguments); }

std::string this_program() {
  std::error_code code;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", code);
  if (code) fail("/proc/self/exe: {}", code.message());
  return path.string();
}

}  // namespace actio::cli
