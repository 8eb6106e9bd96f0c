// torch: where training takes its batches from: the loader of videos, or tensors in tests. In: nothing. Out: batches.
#pragma once

#include <cstdint>
#include <optional>

#include "data/loader.h"

namespace actio::torch_train {

class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual void start_epoch(std::int64_t epoch) = 0;  // from 1
  virtual std::optional<data::Batch> next() = 0;     // empty: the epoch is over, or the job was told to stop
  virtual std::int64_t clips() const = 0;            // of an epoch
  virtual double wait_seconds() const { return 0; }  // spent in next() waiting, since the beginning
  virtual std::int64_t skipped_clips() const { return 0; }
};

}  // namespace actio::torch_train
