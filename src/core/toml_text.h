// core: TOML as text. In: the content of a file, or tables. Out: tables as JSON, or text that reads as the same.
#pragma once

#include <string>
#include <string_view>

#include "core/options.h"

namespace actio {

// As read_toml (core/options.h); `name` stands for the file in messages.
Json parse_toml(std::string_view content, const std::string& name);

// An object of tables, or of lists of tables ([[name]]); what is nested deeper is written in line.
// Throws: Error(kUsage) for a value outside of a table.
std::string toml_text(const Json& tables);

}  // namespace actio
