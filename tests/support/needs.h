// Tests that need a program or library of Debian's packages, which setup.sh --tests installs. Where it is missing they are skipped on a
// user's machine, and fail in CI (the environment variable CI is set): there, nobody would see that they did not run.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

#define ACTIO_NEEDS_PACKAGE(is_there, package)                                             \
  if (!(is_there)) {                                                                       \
    if (std::getenv("CI") != nullptr) FAIL() << "Debian's package " << (package) << " is missing"; \
    GTEST_SKIP() << "needs Debian's package " << (package);                                \
  }                                                                                        \
  static_assert(true)
