// core: JSON out of files that are not trusted. In: text. Out: the document, or one Error.
#pragma once

#include <string_view>

#include "core/options.h"

namespace actio {

// `what` names the text in messages: "net.safetensors: 'actio.spec'".
// Throws: Error(kBadData) where it is not JSON in UTF-8, holds a number too large for any type, or nests deeper than 100 (copying
// and writing a document recurse).
Json parse_json(std::string_view text, std::string_view what);

}  // namespace actio
