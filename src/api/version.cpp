#include <actio/version.h>

namespace actio {

const char* version() noexcept { return ACTIO_VERSION; }

}  // namespace actio
