// cli: what first weights gave and what they did not, for a reader.
#pragma once

#include <string>

#include "net/initialise.h"

namespace actio::cli {

// "first weights from FILE: 318 tensors loaded: rgb.layer1 (36), ...", one line each for loaded, new and unused ones.
std::string init_text(const net::InitReport& report, const std::string& source);

}  // namespace actio::cli
