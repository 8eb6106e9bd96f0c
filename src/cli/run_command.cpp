#include "cli/run_command.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/options.h"

namespace actio::cli {
namespace {

struct ExitCode {
  int value;
};

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

// CLI11's message; but where a flag is unknown, that is what went wrong, and the nearest one helps most.
std::string usage_text(const CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& arguments) {
  const std::vector<std::string> known = long_flags(deepest(app));
  for (const std::string& argument : arguments) {
    const std::string flag = argument.substr(0, argument.find('='));
    if (flag == "--") break;
    if (flag.starts_with("--") && std::ranges::find(known, flag) == known.end()) return unknown_name_text("option", flag, known);
  }
  std::string text = error.what();
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return text;
}

int report(const std::string& message, int code) {
  std::fputs(("actio: " + message + "\n").c_str(), stderr);
  return code;
}

}  // namespace

void on_run(CLI::App& app, std::function<int()> body) {
  app.callback([body = std::move(body)] {
    const int code = body();
    if (code != 0) throw ExitCode{code};
  });
}

int run_app(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const ExitCode& code) {
    return code.value;
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return report(fmt::format("{} (see '{} --help')", usage_text(app, error, arguments), deepest(app).get_display_name()), 2);
  } catch (const Error& error) {
    return report(error.what(), error.exit_code());
  } catch (const std::bad_alloc&) {
    return report("not enough memory", 1);
  } catch (const std::exception& error) {
    return report(error.what(), 1);
  }
}

}  // namespace actio::cli
