// net: what first weights gave and what they did not, for a reader.
#pragma once

#include <string>
#include <vector>

#include "net/initialise.h"

namespace actio::net {

// "first weights from FILE", a line each for `notes`, and for loaded, new and unused tensors: "  loaded 318: rgb.layer1
// (36), ...".
std::string init_text(const net::InitReport& report, const std::string& source, const std::vector<std::string>& notes);

}  // namespace actio::net
