// training: the other processes that train the same network, as a training sees them. In: short texts. Out: those of all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace actio::training {

// Every process must call the same members, but for check(), in the same order.
// Throws: every member but rank() and size() throws Error once a process is gone, with a line that names it.
class Peers {
 public:
  virtual ~Peers() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  // In the order of the ranks.
  virtual std::vector<std::string> all_gather(std::string_view bytes) = 0;
  virtual void barrier() = 0;

  // Throws where they hold different texts: "rank 1 of 2 (node7): the configuration differs from that of rank 0".
  virtual void require_same(std::string_view what, std::string_view value) = 0;

  // Costs nothing: for long work without collectives.
  virtual void check() const = 0;
};

}  // namespace actio::training
