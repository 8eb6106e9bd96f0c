// net: what first weights gave and what they did not, for a reader.
#pragma once

#include <string>

#include "net/initialise.h"

namespace actio::net {

// "first weights from FILE", and a line each for loaded, new and unused tensors: "  loaded 318: rgb.layer1 (36), ...".
std::string init_text(const net::InitReport& report, const std::string& source);

}  // namespace actio::net
