#include "runtime/in_parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace actio::runtime {

void in_parallel(int threads, std::size_t parts, const std::function<void(std::size_t)>& part) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::exception_ptr> failed(parts);
  const auto work = [&] {
    for (std::size_t i = next++; i < parts; i = next++) {
      try {
        part(i);
      } catch (...) {
        failed[i] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t wanted = std::min(static_cast<std::size_t>(std::max(threads, 1)), parts);
    try {
      while (helpers.size() + 1 < wanted) helpers.emplace_back(work);
    } catch (const std::system_error&) {  // no more threads: those that are there do it
    }
    work();
  }
  const auto first = std::ranges::find_if(failed, [](const std::exception_ptr& error) { return error != nullptr; });
  if (first != failed.end()) std::rethrow_exception(*first);
}

}  // namespace actio::runtime
