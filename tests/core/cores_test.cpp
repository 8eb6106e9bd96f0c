#include "core/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>

namespace actio {
namespace {

TEST(Cores, are_those_that_the_process_is_allowed_on) {
  for (const char* binding : {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"}) ::unsetenv(binding);
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_LE(core_count(), CPU_COUNT(&before));
  EXPECT_GE(core_count(), 1);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core) {
    if (CPU_ISSET(core, &before)) CPU_SET(core, &one);
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(core_count(), 1);
  EXPECT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(Cores, are_not_asked_of_a_thread_that_openmp_has_bound) {
  EXPECT_FALSE(binds_threads(nullptr, nullptr, nullptr));
  EXPECT_FALSE(binds_threads("", "", ""));
  EXPECT_FALSE(binds_threads("false", "cores", nullptr));
  EXPECT_FALSE(binds_threads("FALSE", nullptr, "0-3"));
  for (const char* value : {"true", "close", "spread", "TRUE"}) EXPECT_TRUE(binds_threads(value, nullptr, nullptr)) << value;
  EXPECT_TRUE(binds_threads(nullptr, "cores", nullptr));
  EXPECT_TRUE(binds_threads(nullptr, nullptr, "0-3"));
}

TEST(Cores, of_a_share_of_time_are_whole_and_at_least_one) {
  EXPECT_EQ(cores_in_quota("200000 100000\n"), 2);
  EXPECT_EQ(cores_in_quota("350000 100000\n"), 3);
  EXPECT_EQ(cores_in_quota("50000 100000\n"), 1);
  for (const char* unlimited : {"max 100000\n", "", "max", "100000", "-1 100000", "100000 0", "no number"}) {
    EXPECT_EQ(cores_in_quota(unlimited), 0) << unlimited;
  }
}

}  // namespace
}  // namespace actio
