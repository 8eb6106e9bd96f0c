#include "cli/request_flags.h"

#include <algorithm>

#include "core/error.h"

namespace actio::cli {

RequestFlags::RequestFlags(CLI::App& app, std::vector<CLI::Option*> required, std::vector<const CLI::Option*> beside) {
  for (CLI::Option* option : required) option->required();
  // Runs before it is looked for what is missing.
  const auto read = [this, &app, required, beside](const std::string& file) {
    if (file.empty()) fail_usage("--request: names no file");
    read_from_ = file;
    refuse_others(app, beside);
    for (CLI::Option* option : required) option->required(false);
  };
  app.add_option_function<std::string>("--request", read, "take everything from this file in the place of other arguments")
      ->type_name("FILE");
  app.add_option("--write-request", write_to_, "write what is asked for to this file, fit for --request, and do nothing else")
      ->type_name("FILE");
}

void RequestFlags::refuse_others(const CLI::App& app, const std::vector<const CLI::Option*>& beside) const {
  for (const CLI::Option* option : app.get_options()) {
    const bool is_own = option->check_name("--request") || option == app.get_help_ptr();
    if (is_own || option->count() == 0 || std::ranges::find(beside, option) != beside.end()) continue;
    fail_usage("--request {} says everything; leave out {}", read_from_, option->get_name());
  }
}

}  // namespace actio::cli
