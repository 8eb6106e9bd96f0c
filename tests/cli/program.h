// Runs the program under test and collects what it prints.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "support/temp_dir.h"

namespace actio::testing {

struct ProgramResult {
  int exit_code = -1;
  std::string out, err;
};

inline std::string file_content(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

// `arguments` as for a shell; `environment` stands before the program ("A=1 B=2").
inline ProgramResult run_program(const std::string& arguments, const std::string& environment = "") {
  const TempDir dir;
  const std::string command =
      environment + " " + ACTIO_PROGRAM + " " + arguments + " >" + (dir / "out") + " 2>" + (dir / "err") + " </dev/null";
  const int status = std::system(command.c_str());
  ProgramResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = file_content(dir / "out");
  result.err = file_content(dir / "err");
  return result;
}

}  // namespace actio::testing
