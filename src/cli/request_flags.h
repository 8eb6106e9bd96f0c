// cli: a command by a file that says all of it, and such a file made of flags. In: arguments. Out: which file is read or written.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace actio::cli {

class RequestFlags {
 public:
  // Adds --request and --write-request to a command. Without --request the `required` arguments are; with it every other one is
  // refused but those `beside`. Call before OptionFlags::add_config().
  RequestFlags(CLI::App& app, std::vector<CLI::Option*> required, std::vector<const CLI::Option*> beside = {});
  RequestFlags(const RequestFlags&) = delete;
  RequestFlags& operator=(const RequestFlags&) = delete;

  // Empty where the arguments are the request.
  const std::string& read_from() const { return read_from_; }
  // Empty where the work is to be done.
  const std::string& write_to() const { return write_to_; }

 private:
  void refuse_others(const CLI::App& app, const std::vector<const CLI::Option*>& beside) const;

  std::string read_from_, write_to_;
};

}  // namespace actio::cli
