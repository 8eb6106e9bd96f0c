// core: JSON for people and programs. File names need not be UTF-8; what is not is replaced, so that the rest still arrives.
#pragma once

#include <string>

#include "core/options.h"

namespace actio {

inline std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace actio
