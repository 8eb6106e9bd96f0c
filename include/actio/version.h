// actio: which version this is. CMakeLists.txt reads the numbers from here.
#pragma once

#include <actio/export.h>

#define ACTIO_VERSION_MAJOR 0
#define ACTIO_VERSION_MINOR 1
#define ACTIO_VERSION_PATCH 0

namespace actio {

// Of the library that runs, "0.1.0"; the macros are those of the headers.
ACTIO_API const char* version() noexcept;

}  // namespace actio
