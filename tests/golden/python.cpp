#include "python.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"

namespace actio::testing {

bool python_has_torchvision() {
  static const bool has = std::system("/usr/bin/python3 -c 'import torch, torchvision' 2>/dev/null") == 0;
  return has;
}

std::string run_golden_script(const std::string& script, const std::vector<std::string>& arguments) {
  std::string command = std::string("/usr/bin/python3 -B -W ignore '") + ACTIO_SOURCE_DIR + "/tools/golden/" + script + "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) fail("{}: cannot be started", command);
  std::string text;
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
  const int status = ::pclose(pipe);
  if (status != 0) fail("{}: status {}: {}", command, status, text);
  return text;
}

}  // namespace actio::testing
