#include "training/ranks/sockets.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include "core/error.h"

namespace actio::training::ranks {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses look_up(const std::string& host, std::uint16_t port, int type) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = type;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) fail("{}: {}", host, gai_strerror(error));
  return {found, freeaddrinfo};
}

std::string digits(const sockaddr* address, socklen_t length) {
  char text[NI_MAXHOST] = {};
  if (getnameinfo(address, length, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) != 0) return {};
  return text;
}

// Whether the socket is ready for `events`, or broken, before the deadline.
bool is_ready(int descriptor, short events, Deadline deadline) {
  pollfd item{descriptor, events, 0};
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = poll(&item, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (std::chrono::steady_clock::now() >= deadline) return false;
  }
}

void make_quick(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

Socket open_socket(const addrinfo& address) {
  return Socket(socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
}

// 0, or the number of what went wrong.
int try_to_connect(const Socket& socket, const addrinfo& address, Deadline deadline) {
  if (!socket.is_open()) return errno;
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!is_ready(socket.get(), POLLOUT, deadline)) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string local_address_towards(const std::string& host, std::uint16_t port) {
  const Addresses addresses = look_up(host, port, SOCK_DGRAM);
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    const Socket socket = open_socket(*each);
    if (!socket.is_open() || connect(socket.get(), each->ai_addr, each->ai_addrlen) != 0) continue;  // sends nothing: UDP
    sockaddr_storage own{};
    socklen_t length = sizeof(own);
    if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) continue;
    const std::string text = digits(reinterpret_cast<sockaddr*>(&own), length);
    if (!text.empty()) return text;
  }
  fail("{}: this machine has no way to it: {}", host, std::strerror(errno));
}

std::string address_of_interface(const std::string& name) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) fail("network interface {}: {}", name, std::strerror(errno));
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  std::string sixth;  // IPv6, where there is no IPv4
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || name != each->ifa_name) continue;
    if (each->ifa_addr->sa_family == AF_INET) return digits(each->ifa_addr, sizeof(sockaddr_in));
    if (each->ifa_addr->sa_family == AF_INET6 && sixth.empty()) sixth = digits(each->ifa_addr, sizeof(sockaddr_in6));
  }
  if (sixth.empty()) fail("network interface {}: this machine has none of that name with an address", name);
  return sixth;
}

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "unknown";
}

std::pair<Socket, std::uint16_t> listen_at(const std::string& address) {
  const Addresses addresses = look_up(address, 0, SOCK_STREAM);
  Socket listener = open_socket(*addresses);
  sockaddr_storage own{};
  socklen_t length = sizeof(own);
  if (!listener.is_open() || bind(listener.get(), addresses->ai_addr, addresses->ai_addrlen) != 0 ||
      listen(listener.get(), SOMAXCONN) != 0 ||
      getsockname(listener.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) {
    fail("{}: cannot listen there: {}", address, std::strerror(errno));
  }
  const in_port_t port = own.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&own)->sin6_port
                                                   : reinterpret_cast<sockaddr_in*>(&own)->sin_port;
  return {std::move(listener), ntohs(port)};
}

Socket accept_from(const Socket& listener, Deadline deadline) {
  while (is_ready(listener.get(), POLLIN, deadline)) {
    Socket socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.is_open()) {
      make_quick(socket.get());
      return socket;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return Socket();
}

Socket connect_to(const std::string& host, std::uint16_t port, Deadline deadline) {
  while (true) {
    const Addresses addresses = look_up(host, port, SOCK_STREAM);
    int error = 0;
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
      Socket socket = open_socket(*each);
      error = try_to_connect(socket, *each, deadline);
      if (error != 0) continue;
      make_quick(socket.get());
      return socket;
    }
    if (std::chrono::steady_clock::now() >= deadline) fail("{}:{}: {}", host, port, std::strerror(error));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

bool write_all(const Socket& socket, const std::string& bytes, Deadline deadline) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = send(socket.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if ((errno != EAGAIN && errno != EINTR) || !is_ready(socket.get(), POLLOUT, deadline)) {
      return false;
    }
  }
  return true;
}

bool read_all(const Socket& socket, std::string& bytes, Deadline deadline) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = recv(socket.get(), bytes.data() + done, bytes.size() - done, MSG_DONTWAIT);
    if (count == 0) return false;
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if ((errno != EAGAIN && errno != EINTR) || !is_ready(socket.get(), POLLIN, deadline)) {
      return false;
    }
  }
  return true;
}

}  // namespace actio::training::ranks
