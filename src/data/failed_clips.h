// data: which clips of a loader could not be read. In: what reading threads met. Out: each once, for reports and for a training that
// goes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"

namespace actio::data {

// Threads: every member may be called from any thread.
class FailedClips {
 public:
  explicit FailedClips(const std::vector<Item>& items) : items_(items) {}  // which outlive it

  bool contains(std::size_t item) const {
    const std::lock_guard lock(mutex_);
    return failed_.contains(item);
  }

  void add(std::size_t item, const std::string& message) {
    const std::lock_guard lock(mutex_);
    if (!failed_.insert(item).second) return;
    messages_.push_back(message);
    if (first_.empty()) first_ = message;
  }

  // Those that were not asked for yet.
  std::vector<std::string> take_messages() {
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
  }

  std::string first_message() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return failed_.size();
  }

  // Their indices, ascending.
  std::vector<std::int64_t> items() const {
    const std::lock_guard lock(mutex_);
    return {failed_.begin(), failed_.end()};
  }

  // As if these had failed, and had been reported. Those that do not exist are passed over.
  void assume(const std::vector<std::int64_t>& items) {
    const std::lock_guard lock(mutex_);
    for (const std::int64_t item : items) {
      if (item < 0 || item >= static_cast<std::int64_t>(items_.size())) continue;
      const auto index = static_cast<std::size_t>(item);
      failed_.insert(index);
      if (first_.empty()) first_ = items_[index].path + ": could not be read before";
    }
  }

 private:
  const std::vector<Item>& items_;
  mutable std::mutex mutex_;
  std::set<std::size_t> failed_;
  std::vector<std::string> messages_;
  std::string first_;
};

}  // namespace actio::data
