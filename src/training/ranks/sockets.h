// training/ranks: the few TCP calls that watching over a group needs. In: addresses. Out: connected sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace actio::training::ranks {

// Owns: the descriptor.
class Socket {
 public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket();

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  void close() { Socket closed(std::move(*this)); }

 private:
  int descriptor_;
};

using Deadline = std::chrono::steady_clock::time_point;

// This machine's address on the way to `host`, as digits: the one that `host` can answer to.
// Throws: Error naming the host where its name or a way to it is not known.
std::string local_address_towards(const std::string& host, std::uint16_t port);

// The address of a network interface, as digits. Throws: Error naming it.
std::string address_of_interface(const std::string& name);

bool is_loopback(const std::string& address);
std::string host_name();

// A socket that listens at a free port of `address`, and the port.
std::pair<Socket, std::uint16_t> listen_at(const std::string& address);

// The next connection; a closed socket once the deadline has passed.
Socket accept_from(const Socket& listener, Deadline deadline);

// Tries until the deadline. Throws: Error naming the address.
Socket connect_to(const std::string& host, std::uint16_t port, Deadline deadline);

// Whether all bytes were written, or read, before the deadline.
bool write_all(const Socket& socket, const std::string& bytes, Deadline deadline);
bool read_all(const Socket& socket, std::string& bytes, Deadline deadline);

}  // namespace actio::training::ranks
