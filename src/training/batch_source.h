// training: where a trainer takes its batches from: the loader of videos, features that are kept, or tensors in tests. In: nothing.
// Out: batches.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/loader.h"

namespace actio::training {

class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual void start_epoch(std::int64_t epoch) = 0;  // from 1
  virtual std::optional<data::Batch> next() = 0;     // empty: the epoch is over, or the job was told to stop
  virtual std::int64_t clips() const = 0;            // of an epoch
  virtual double wait_seconds() const { return 0; }  // spent in next() waiting, since the beginning
  virtual std::int64_t skipped_clips() const { return 0; }
  // Clips that could not be read, as indices; and those that are not to be tried.
  virtual std::vector<std::int64_t> failed_items() const { return {}; }
  virtual void take_for_failed(const std::vector<std::int64_t>& /*items*/) {}

  // To the batch `first_batch` of an epoch, where a resumed training goes on.
  virtual void continue_epoch(std::int64_t epoch, std::int64_t first_batch) {
    start_epoch(epoch);
    for (std::int64_t i = 0; i < first_batch; ++i) next();
  }
};

}  // namespace actio::training
