// recognize: a network on another number of snippets than it was trained with. In: a model. Out: a model, or why not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/model_file.h"

namespace actio::recognize {

// The model with another number of segments, where its network has one meaning for both; 0 keeps its own. What its user should know is
// added to `warnings`. Throws: Error(kUsage) naming `path` where it has none.
net::Model with_segments(net::Model model, std::int64_t segments, const std::string& path, std::vector<std::string>& warnings);

}  // namespace actio::recognize
