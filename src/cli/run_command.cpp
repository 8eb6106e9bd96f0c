#include "cli/run_command.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/options.h"
#include "core/process_memory.h"

namespace actio::cli {
namespace {

struct ExitCode {
  int value;
};

// A descriptor that the caller closed would be given to the next file that is opened; this one refuses to be written to.
void keep_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) == -1 && ::open("/dev/null", O_RDONLY) != descriptor) return;
  }
}

std::vector<std::string> long_flags(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

const CLI::App& deepest(const CLI::App& app) {
  const CLI::App* current = &app;
  while (!current->get_subcommands().empty()) current = current->get_subcommands().front();
  return *current;
}

// The first word that should be a command and is none.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* at = &app;
  for (const std::string& word : arguments) {
    std::vector<std::string> known;
    const CLI::App* next = nullptr;
    for (const CLI::App* command : at->get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(command->get_name());
      if (command->get_name() == word) next = command;
    }
    if (known.empty() || word.starts_with("-")) return {};
    if (next == nullptr) return unknown_name_text(at == &app ? "command" : at->get_name() + " command", word, known);
    at = next;
  }
  return {};
}

// CLI11's message; but where a command or a flag is unknown, that is what went wrong, and the nearest one helps most.
std::string usage_text(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments) {
  if (std::string text = unknown_command(app, arguments); !text.empty()) return text;
  const std::vector<std::string> known = long_flags(deepest(app));
  for (const std::string& argument : arguments) {
    const std::string flag = argument.substr(0, argument.find('='));
    if (flag == "--") break;
    if (flag.starts_with("--") && std::ranges::find(known, flag) == known.end())
      return unknown_name_text("option", flag, known);
  }
  std::string text = error.what();
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return text;
}

// "actio data scan --help".
std::string help_hint(const CLI::App& app) {
  std::string words;
  for (const CLI::App* at = &deepest(app); at != nullptr; at = at->get_parent()) words = at->get_name() + " " + words;
  return words + "--help";
}

int report(const std::string& message, int code) {
  std::fputs(("actio: " + message + "\n").c_str(), stderr);
  return code;
}

int run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const ExitCode& code) {
    return code.value;
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return report(fmt::format("{} (see '{}')", usage_text(app, error, arguments), help_hint(app)), 2);
  } catch (const Error& error) {
    return report(error.what(), error.exit_code());
  } catch (const std::bad_alloc&) {
    return report("not enough memory", 1);
  } catch (const std::exception& error) {
    return report(error.what(), 1);
  }
}

}  // namespace

void on_run(CLI::App& app, std::function<int()> body) {
  app.callback([body = std::move(body)] {
    const int code = body();
    if (code != 0) throw ExitCode{code};
  });
}

int run_app(CLI::App& app, int argc, char** argv) {
  keep_freed_memory();
  keep_standard_descriptors();
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // in a log, errors stand after the lines that they belong to
  const int code = run(app, argc, argv);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  const int failed = report(fmt::format("standard output cannot be written: {}", std::strerror(errno)), 1);
  return code == 0 ? failed : code;
}

}  // namespace actio::cli
