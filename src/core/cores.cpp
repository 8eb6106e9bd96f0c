#include "core/cores.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace actio {
namespace {

std::int64_t allowed_cores() {
#ifdef __linux__
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return std::thread::hardware_concurrency();  // also where there are more cores than a set holds
}

}  // namespace

std::int64_t cores_in_quota(std::string_view cpu_max) {
  std::istringstream stream{std::string(cpu_max)};
  std::int64_t quota = 0, period = 0;
  if (!(stream >> quota >> period) || quota <= 0 || period <= 0) return 0;
  return std::max<std::int64_t>(1, quota / period);
}

std::int64_t core_count() {
  std::int64_t cores = std::max<std::int64_t>(1, allowed_cores());
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  if (const std::int64_t share = cores_in_quota(content); share > 0) cores = std::min(cores, share);
  return cores;
}

}  // namespace actio
