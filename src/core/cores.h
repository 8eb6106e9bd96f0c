// core: how many cores the process may keep busy. In: nothing. Out: a number of threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace actio {

// The cores that this process is allowed on (taskset, Slurm, a container's set of cores), and no more than its share of time in
// them where a container has one (cgroup v2). Two threads on one core wait for each other. Where OpenMP is told to bind its
// threads it has bound this one to a core before main, and all cores of the machine count. At least 1.
std::int64_t core_count();

// Names the machine and the cores that this process is allowed on: processes with the same text share them.
std::string core_set();

// Whether these values of OMP_PROC_BIND, OMP_PLACES and GOMP_CPU_AFFINITY (null: not set) make OpenMP bind threads to cores.
bool binds_threads(const char* proc_bind, const char* places, const char* cpu_affinity);

// The whole cores in the content of a cgroup's "cpu.max": "150000 100000" is 1; 0 where there is no limit.
std::int64_t cores_in_quota(std::string_view cpu_max);

}  // namespace actio
