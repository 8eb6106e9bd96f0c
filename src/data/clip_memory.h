// data: what reading clips told about them and about the folders of their flow, so that it is not found out again. In: what a
// reading learnt. Out: the same for the next reading, as long as the file stays as it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "data/clip_facts.h"

namespace actio::data {

// Belongs to whoever reads many clips: a loader, a classifier, a server. What was not asked for longest is dropped, and found
// out again when the clip is read again.
// Threads: every member may be called from any thread.
class ClipMemory {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;  // some hundred thousand clips of a constant rate
  static constexpr Clock::duration kFolderRest = std::chrono::minutes(1);

  // `now` is the clock that says how long a folder has been left alone.
  explicit ClipMemory(std::size_t most_bytes = kMostBytes, std::function<Clock::time_point()> now = Clock::now);

  // The facts of the file at `path`, decoded with or without its vectors; empty where they are not known, or the file has
  // another size or time than when they were kept.
  std::optional<ClipFacts> find(const std::string& path, bool vectors);

  // Without effect where the file cannot be looked at.
  void keep(const std::string& path, bool vectors, const ClipFacts& facts);
  void forget(const std::string& path, bool vectors);

  std::size_t clips() const;
  std::size_t bytes() const;  // about what they take; never more than the constructor's

  // Whether the folder could not be written to a short while ago: a whole clip's flow is too much work to be thrown away. It is
  // tried again after kFolderRest.
  bool is_resting(const std::string& folder) const;
  // It could not be written to. Returns: whether that is news, and it worked before or was not tried.
  bool rest(const std::string& folder);
  // It could.
  void wake(const std::string& folder);

 private:
  struct Entry {
    std::string key;
    std::uintmax_t size = 0;  // of the file
    std::int64_t time = 0;    // of its last change
    ClipFacts facts;
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;  // the one asked for last is the first

  void erase(Entries::iterator entry);

  const std::size_t most_bytes_;
  const std::function<Clock::time_point()> now_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  // the keys are those of entries_
  std::size_t bytes_ = 0;
  std::map<std::string, Clock::time_point> resting_;  // since when
};

}  // namespace actio::data
