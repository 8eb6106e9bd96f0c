// core: a request for work as one JSON file, by which another process does exactly what this one was asked for. In: keys and option
// tables. Out: the same, with what somebody chose of the options.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/chosen.h"
#include "core/options.h"

namespace actio {

// All fields point into the request.
struct RequestForm {
  std::string kind;  // "train"
  Fields keys;       // beside the tables
  std::vector<std::string> required;  // of the keys
  struct Table {
    std::string name;
    Fields fields;
  };
  std::vector<Table> tables;
  std::vector<std::string> others;  // further keys, whose values are the caller's
};

// {"actio.request": 1, "kind", the keys, "chosen": {"train": {"epochs": 3}}, "open": the options that nobody chose, `others`}. Text
// that is not UTF-8 is {"latin-1": "a character for each byte"}.
// Throws: as write_file_atomically.
void write_request_json(const std::filesystem::path& path, const RequestForm& form, const Chosen& chosen, const Json& others);

// Sets what the file has and leaves the rest. Returns: the others that are there.
// Throws: Error(kBadData) for what is damaged or no request of this kind; Error(kFailed) for a newer version, or where it cannot be
// read; Error(kUsage) for an unknown key, naming the nearest, a wrong type, or an option that is both chosen and open.
Json read_request_json(const std::filesystem::path& path, const RequestForm& form, Chosen& chosen);

}  // namespace actio
