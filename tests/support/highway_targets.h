// Lets tests of flow run as on another machine: with ACTIO_TEST_HIGHWAY=avx2 Highway's wider instruction sets are left out, for which
// Highway 1.0 has no variable of its own. For programs that link Highway; including it is enough.
#pragma once

#include <hwy/targets.h>

#include <cstdlib>
#include <string>

#include "core/error.h"

namespace actio::testing {

inline const bool kHighwayIsNarrow = [] {
  const char* wanted = std::getenv("ACTIO_TEST_HIGHWAY");
  if (wanted == nullptr) return false;
  if (std::string(wanted) != "avx2") fail_usage("ACTIO_TEST_HIGHWAY={}: expected avx2", wanted);
  hwy::DisableTargets(HWY_AVX2 - 1);  // of two instruction sets, the better one has the lower bit
  return true;
}();

}  // namespace actio::testing
