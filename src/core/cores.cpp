#include "core/cores.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
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
  const bool is_bound = binds_threads(std::getenv("OMP_PROC_BIND"), std::getenv("OMP_PLACES"), std::getenv("GOMP_CPU_AFFINITY"));
  if (!is_bound && ::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return std::thread::hardware_concurrency();  // also where there are more cores than a set holds
}

}  // namespace

bool binds_threads(const char* proc_bind, const char* places, const char* cpu_affinity) {
  const auto is_set = [](const char* value) { return value != nullptr && *value != '\0'; };
  if (is_set(proc_bind)) return !std::string_view(proc_bind).starts_with('f') && !std::string_view(proc_bind).starts_with('F');
  return is_set(places) || is_set(cpu_affinity);
}

std::int64_t cores_in_quota(std::string_view cpu_max) {
  std::istringstream stream{std::string(cpu_max)};
  std::int64_t quota = 0, period = 0;
  if (!(stream >> quota >> period) || quota <= 0 || period <= 0) return 0;
  return std::max<std::int64_t>(1, quota / period);
}

std::string core_set() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  std::string text = host;
#ifdef __linux__
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) text += " " + std::to_string(core);
    }
  }
#endif
  return text;
}

std::int64_t core_count() {
  std::int64_t cores = std::max<std::int64_t>(1, allowed_cores());
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  if (const std::int64_t share = cores_in_quota(content); share > 0) cores = std::min(cores, share);
  return cores;
}

}  // namespace actio
