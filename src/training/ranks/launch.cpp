#include "training/ranks/launch.h"

#include <charconv>
#include <limits>
#include <optional>

#include "core/error.h"

namespace actio::training::ranks {
namespace {

constexpr int kDefaultPort = 29500;  // PyTorch's

// Reads variables. An empty one counts as not set.
class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  std::optional<std::string> text(const char* name) const {
    const char* value = environment_(name);
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
  }

  std::optional<int> number(const char* name, int low, int high) const {
    const auto value = text(name);
    if (!value) return std::nullopt;
    int result = 0;
    const char* end = value->data() + value->size();
    const auto parsed = std::from_chars(value->data(), end, result);
    if (parsed.ec != std::errc() || parsed.ptr != end || result < low || result > high) {
      if (high == std::numeric_limits<int>::max()) fail_usage("{}={}: expected a whole number from {}", name, *value, low);
      fail_usage("{}={}: expected a whole number from {} to {}", name, *value, low, high);
    }
    return result;
  }

  std::optional<int> number(const char* name, int low) const { return number(name, low, std::numeric_limits<int>::max()); }

 private:
  const Environment& environment_;
};

struct Names {
  const char *launcher, *rank, *size, *local_rank;
};

// Rank and size; false where neither is set.
bool read_rank(const Variables& variables, const Names& names, Launch& launch) {
  const auto rank = variables.number(names.rank, 0);
  const auto size = variables.number(names.size, 1);
  if (!rank && !size) return false;
  if (!size) fail_usage("{}={} is set, but {} is not", names.rank, *rank, names.size);
  if (!rank) fail_usage("{}={} is set, but {} is not", names.size, *size, names.rank);
  if (*rank >= *size) fail_usage("{}={} {}={}: ranks count from 0 to {}", names.rank, *rank, names.size, *size, *size - 1);
  launch.launcher = names.launcher;
  launch.rank = *rank;
  launch.size = *size;
  launch.local_rank = variables.number(names.local_rank, 0).value_or(0);
  return true;
}

std::uint16_t read_port(const Variables& variables, int otherwise) {
  return static_cast<std::uint16_t>(variables.number("MASTER_PORT", 1, 65535).value_or(otherwise));
}

void meet_by_torchrun(const Variables& variables, Launch& launch) {
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT"}) {
    if (!variables.text(name)) fail_usage("WORLD_SIZE={} is set, but {} is not", launch.size, name);
  }
  launch.host = *variables.text("MASTER_ADDR");
  launch.port = read_port(variables, kDefaultPort);
  // There torchrun has opened a store of its own, which ranks with another version of LibTorch than torchrun's cannot read.
  if (variables.text("TORCHELASTIC_USE_AGENT_STORE") != "True") return;
  launch.port = static_cast<std::uint16_t>(launch.port < 65535 ? launch.port + 1 : launch.port - 1);
}

// Jobs of one machine must not meet in each other's stores; the ports stay below those that Linux gives to connections.
int slurm_port(const Variables& variables) {
  const int job = variables.number("SLURM_JOB_ID", 0).value_or(0);
  const int step = variables.number("SLURM_STEP_ID", 0).value_or(0);
  return 20000 + static_cast<int>((static_cast<std::int64_t>(job) + step) % 10000);
}

void meet_by_slurm(const Variables& variables, Launch& launch) {
  const auto nodes = [&](const char* name) {
    const auto list = variables.text(name);
    return list ? std::optional(first_slurm_host(*list)) : std::nullopt;
  };
  auto host = variables.text("MASTER_ADDR");
  if (!host) host = nodes("SLURM_STEP_NODELIST");
  if (!host) host = nodes("SLURM_JOB_NODELIST");
  if (!host) host = variables.text("SLURM_LAUNCH_NODE_IPADDR");
  if (!host) {
    fail_usage("SLURM_NTASKS={} is set, but neither SLURM_JOB_NODELIST nor MASTER_ADDR says where rank 0 is", launch.size);
  }
  launch.host = *host;
  launch.port = read_port(variables, slurm_port(variables));
}

void meet_by_mpi(const Variables& variables, const Names& names, const char* local_size, Launch& launch) {
  if (const auto host = variables.text("MASTER_ADDR")) {
    launch.host = *host;
  } else if (variables.number(local_size, 1) == launch.size) {
    launch.host = "127.0.0.1";
  } else {
    fail_usage("{}={} is set and not all ranks are on this machine: MASTER_ADDR must name the machine of rank 0", names.size,
               launch.size);
  }
  launch.port = read_port(variables, kDefaultPort);
}

}  // namespace

std::string first_slurm_host(const std::string& list) {
  std::string host;
  for (std::size_t i = 0; i < list.size() && list[i] != ','; ++i) {
    if (list[i] != '[') {
      host += list[i];
      continue;
    }
    const std::size_t close = list.find(']', i);
    const std::size_t end = list.find_first_of(",-]", i);
    if (close == std::string::npos || end == i + 1) fail_usage("'{}' is not a Slurm node list", list);
    host += list.substr(i + 1, end - i - 1);
    i = close;
  }
  if (host.empty()) fail_usage("'{}' is not a Slurm node list", list);
  return host;
}

Launch find_launch(const Environment& environment) {
  const Variables variables(environment);
  const Names open_mpi{"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"};
  const Names pmi{"MPI", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"};
  Launch launch;
  if (read_rank(variables, {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"}, launch)) {
    if (launch.size > 1) meet_by_torchrun(variables, launch);
    return launch;
  }
  // Before Slurm: all that mpirun starts out of a batch script has the script's SLURM_PROCID=0.
  if (read_rank(variables, open_mpi, launch)) {
    if (launch.size > 1) meet_by_mpi(variables, open_mpi, "OMPI_COMM_WORLD_LOCAL_SIZE", launch);
    return launch;
  }
  // A shell inside of an allocation has SLURM_NTASKS without being one of the tasks.
  const bool by_mpirun = variables.text(pmi.rank) && variables.text(pmi.local_rank);
  if (const auto rank = variables.number("SLURM_PROCID", 0); rank && !by_mpirun) {
    if (*rank == 0 && !variables.text("SLURM_NTASKS")) return launch;
    read_rank(variables, {"Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"}, launch);
    if (launch.size > 1) meet_by_slurm(variables, launch);
    return launch;
  }
  if (read_rank(variables, pmi, launch) && launch.size > 1) meet_by_mpi(variables, pmi, "MPI_LOCALNRANKS", launch);
  return launch;
}

}  // namespace actio::training::ranks
