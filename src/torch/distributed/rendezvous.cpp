#include "torch/distributed/rendezvous.h"

#include <cstdlib>
#include <random>
#include <sstream>

#include "core/error.h"
#include "torch/graph/torch_compat.h"

namespace actio::torch_train::distributed {

using namespace training::ranks;
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kTokenBytes = 32;

milliseconds time_left(Deadline deadline) {
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
  return std::max(milliseconds(1), left);  // c10d takes 0 for "without end"
}

// What every rank tells the others: how many it expects, from where, and under which name.
struct Hello {
  int size = 0;
  std::string address, host;
};

std::string text_of(const Hello& hello) { return fmt::format("{} {} {}", hello.size, hello.address, hello.host); }

Hello parse_hello(const std::string& text) {
  std::istringstream in(text);
  Hello hello;
  if (!(in >> hello.size >> hello.address >> hello.host)) fail("the store holds '{}' where a rank's name belongs", text);
  return hello;
}

StorePtr open_at(const Launch& launch, milliseconds timeout) {
  const bool opens = launch.rank == 0;
  try {
    // c10d itself waits a second after each attempt, and logs it.
    if (!opens) connect_to(launch.host, launch.port, Clock::now() + timeout);
    return open_store(launch, timeout);
  } catch (const std::exception& error) {
    fail("rank {} of {}: cannot {} the store at {}:{}: {}", launch.rank, launch.size, opens ? "open" : "reach", launch.host,
         launch.port, one_line(error));
  }
}

std::vector<Hello> exchange(const Launch& launch, const StorePtr& store, const std::string& address, Deadline deadline) {
  const std::string me = fmt::format("rank{}", launch.rank);
  if (store->add(me + "/claims", 1) > 1) {
    fail_usage("two processes were started as rank {} of {} at {}:{}", launch.rank, launch.size, launch.host, launch.port);
  }
  set_in(store, me + "/hello", text_of({launch.size, address, host_name()}));
  std::vector<Hello> all;
  for (int rank = 0; rank < launch.size; ++rank) {
    try {
      all.push_back(parse_hello(get_from(store, fmt::format("rank{}/hello", rank), time_left(deadline))));
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      const bool late = Clock::now() >= deadline;
      fail("rank {} of {} did not come to {}:{}{}", rank, launch.size, launch.host, launch.port,
           late ? " in time; were all ranks started with the same address and port?" : ": " + one_line(error));
    }
    if (all.back().size != launch.size) {
      fail_usage("rank {} was started as one of {} ranks, rank {} as one of {}", rank, all.back().size, launch.rank,
                 launch.size);
    }
  }
  return all;
}

// A machine often knows its own name as a loopback address, under which no other machine reaches it.
std::string reachable_address(const std::string& address, const std::vector<Hello>& all, std::uint16_t port) {
  if (!is_loopback(address)) return address;
  for (const Hello& other : all) {
    if (!is_loopback(other.address)) return local_address_towards(other.address, port);
  }
  return address;
}

std::string make_token() {
  std::random_device device;
  std::string token;
  while (token.size() < kTokenBytes) token += fmt::format("{:08x}", device());
  return token;
}

std::vector<Watch::Peer> accept_all(const Launch& launch, const Meeting& meeting, Deadline deadline) {
  const auto [listener, port] = listen_at(meeting.address);
  const std::string token = make_token();
  set_in(meeting.store, "watch", fmt::format("{} {} {}", meeting.address, port, token));
  std::vector<Watch::Peer> peers;
  std::vector<bool> here(static_cast<std::size_t>(launch.size));
  here[0] = true;
  while (static_cast<int>(peers.size()) < launch.size - 1) {
    Socket socket = accept_from(listener, deadline);
    if (!socket.is_open()) {
      const auto missing = std::find(here.begin(), here.end(), false) - here.begin();
      fail("{} did not connect to {}:{} in time", meeting.names[static_cast<std::size_t>(missing)], meeting.address, port);
    }
    // A stranger that says nothing must not keep the ranks waiting.
    std::string greeting(kTokenBytes + 8, ' ');
    const Deadline soon = std::min(deadline, Clock::now() + std::chrono::seconds(5));
    if (!read_all(socket, greeting, soon) || greeting.substr(0, kTokenBytes) != token) continue;
    const int rank = std::atoi(greeting.c_str() + kTokenBytes);
    if (rank < 1 || rank >= launch.size || here[static_cast<std::size_t>(rank)]) continue;
    here[static_cast<std::size_t>(rank)] = true;
    peers.push_back({rank, std::move(socket)});
  }
  return peers;
}

std::vector<Watch::Peer> connect_to_first(const Launch& launch, const Meeting& meeting, Deadline deadline) {
  std::string text;
  try {
    text = get_from(meeting.store, "watch", time_left(deadline));
  } catch (const std::exception& error) {
    fail("{} is gone before the group was complete: {}", meeting.names[0], one_line(error));
  }
  std::istringstream in(text);
  std::string address, token;
  std::uint16_t port = 0;
  if (!(in >> address >> port >> token)) fail("the store holds '{}' where rank 0's address belongs", text);
  std::vector<Watch::Peer> peers;
  peers.push_back({0, connect_to(address, port, deadline)});
  if (!write_all(peers[0].socket, token + fmt::format("{:8}", launch.rank), deadline)) {
    fail("{} is gone before the group was complete", meeting.names[0]);
  }
  return peers;
}

}  // namespace

Meeting meet(const Launch& launch, const std::string& address, std::chrono::seconds timeout) {
  const Deadline deadline = Clock::now() + timeout;
  Meeting meeting;
  const std::string own = !address.empty() ? address : local_address_towards(launch.host, launch.port);
  meeting.store = open_at(launch, timeout);
  const std::vector<Hello> all = exchange(launch, meeting.store, own, deadline);
  for (int rank = 0; rank < launch.size; ++rank) {
    meeting.names.push_back(fmt::format("rank {} of {} ({})", rank, launch.size, all[static_cast<std::size_t>(rank)].host));
  }
  meeting.address = address.empty() ? reachable_address(own, all, launch.port) : own;
  return meeting;
}

std::vector<Watch::Peer> connect_for_watch(const Launch& launch, const Meeting& meeting, std::chrono::seconds timeout) {
  const Deadline deadline = Clock::now() + timeout;
  return launch.rank == 0 ? accept_all(launch, meeting, deadline) : connect_to_first(launch, meeting, deadline);
}

}  // namespace actio::torch_train::distributed
