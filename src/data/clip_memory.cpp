#include "data/clip_memory.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr std::size_t kMostFolders = 64;
constexpr std::size_t kBookkeeping = 128;  // bytes of list and table for an entry, about

std::string key_of(const std::string& path, bool vectors) { return path + (vectors ? "\nv" : "\n"); }

struct Stamp {
  std::uintmax_t size = 0;
  std::int64_t time = 0;
};

std::optional<Stamp> stamp_of(const std::string& path) {
  std::error_code code;
  const std::uintmax_t size = fs::file_size(path, code);
  if (code) return {};
  const auto time = fs::last_write_time(path, code);
  if (code) return {};
  return Stamp{size, static_cast<std::int64_t>(time.time_since_epoch().count())};
}

std::size_t bytes_of(const std::string& key, const ClipFacts& facts) {
  return sizeof(ClipFacts) + kBookkeeping + key.capacity() + facts.container.capacity() + facts.times.fault.capacity() +
         facts.times.microseconds.capacity() * sizeof(std::int64_t);
}

}  // namespace

ClipMemory::ClipMemory(std::size_t most_bytes, std::function<Clock::time_point()> now)
    : most_bytes_(most_bytes), now_(std::move(now)) {}

void ClipMemory::erase(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::optional<ClipFacts> ClipMemory::find(const std::string& path, bool vectors) {
  const std::optional<Stamp> stamp = stamp_of(path);
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key_of(path, vectors));
  if (found == by_key_.end()) return {};
  const Entries::iterator entry = found->second;
  if (!stamp || entry->size != stamp->size || entry->time != stamp->time) {
    erase(entry);
    return {};
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->facts;
}

void ClipMemory::keep(const std::string& path, bool vectors, const ClipFacts& facts) {
  const std::optional<Stamp> stamp = stamp_of(path);
  if (!stamp) return;
  const std::lock_guard lock(mutex_);
  std::string key = key_of(path, vectors);
  if (const auto found = by_key_.find(key); found != by_key_.end()) erase(found->second);
  const std::size_t bytes = bytes_of(key, facts);
  if (bytes > most_bytes_) return;
  while (bytes_ + bytes > most_bytes_) erase(std::prev(entries_.end()));
  entries_.push_front({std::move(key), stamp->size, stamp->time, facts, bytes});
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
}

void ClipMemory::forget(const std::string& path, bool vectors) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key_of(path, vectors)); found != by_key_.end()) erase(found->second);
}

std::size_t ClipMemory::clips() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::size_t ClipMemory::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

bool ClipMemory::is_resting(const std::string& folder) const {
  const std::lock_guard lock(mutex_);
  const auto found = resting_.find(folder);
  return found != resting_.end() && now_() - found->second < kFolderRest;
}

bool ClipMemory::rest(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  const bool is_new = resting_.insert_or_assign(folder, now_()).second;
  if (resting_.size() > kMostFolders) {
    resting_.erase(std::ranges::min_element(resting_, {}, [](const auto& entry) { return entry.second; }));
  }
  return is_new;
}

void ClipMemory::wake(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  resting_.erase(folder);
}

}  // namespace actio::data
