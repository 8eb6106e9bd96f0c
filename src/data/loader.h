// data: batches of clips, read ahead by several threads. In: items and how to look at them. Out: batches in an order, and
// with bytes, that depend on the seed and the epoch only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/tensor.h"
#include "data/clip_reader.h"
#include "data/dataset.h"
#include "data/patience.h"

namespace actio::data {

struct Batch {
  TensorMap inputs;                  // "rgb" f32 [N*K, 3, S, S], "motion" f32 [N*K, C, S, S]; the segment index is fastest
  std::vector<std::int64_t> labels;  // N class indices
  std::vector<std::string> paths;    // N
};

struct LoaderOptions {
  std::int64_t batch_size = 8;  // clips, of this shard
  std::int64_t threads = 2;     // that read clips
  std::int64_t prefetch = 2;    // batches that may be in the making at a time
  bool shuffle = true;
  bool balanced = false;       // with shuffle: every class equally often (data/epoch_order.h)
  bool drop_last = false;      // leave out a last batch that is not full
  bool replace_failed = true;  // a video that fails is replaced by the next that works; else the batch is smaller
  std::uint64_t seed = 1;
  // At the end of an epoch before this one the next one's first batches are read, to be there when it starts; -1: never.
  std::int64_t last_epoch = -1;
  // Loaders that share an epoch: shard r of R reads the slice [r * B, (r + 1) * B) of every R * B clips, B being batch_size,
  // and together they give the clips and bytes of one loader with batches of R * B. With drop_last all have as many batches
  // as the others; without it (which needs shuffle off) every clip is read by one of them, and some may have fewer batches,
  // or none.
  std::int64_t shards = 1, shard = 0;
  Patience patience = usual_patience();  // with what fails for a reason that passes
  ReadClip read = {};                    // empty: read_clip
};

// Threads: all members belong to one thread. The destructor stops the reading at once.
class Loader {
 public:
  // `request` says how to read; its path, seed and stream are the loader's to fill. `warn` is called from next(), once for
  // each video that fails and once for each that has warnings.
  // Throws: Error(kUsage) without items, with options that make no sense, or with a motion that cannot be read.
  Loader(std::vector<Item> items, ClipRequest request, const LoaderOptions& options, WarnFn warn = {},
         std::stop_token stop = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Goes to the start of an epoch, or to its batch `first_batch`. What was read ahead is dropped, but at the start of the epoch that
  // follows one read to its end. The first epoch is 0.
  void start_epoch(std::int64_t epoch, std::int64_t first_batch = 0);

  // The next batch; empty at the end of the epoch.
  // Throws: Error(kBadData) where no video can be read (but for a shard that replaces none, whose clips are not all),
  // Error(kTransient) where the system could not read one at any try, which is not the clip's fault: another in its place would
  // make another training,
  // Error(kInterrupted) once `stop` is requested, Error(kUsage) at once where `request` makes no sense, which is no video's
  // fault.
  std::optional<Batch> next();

  std::int64_t batches() const;        // of an epoch, in this shard
  std::int64_t failed_videos() const;  // so far, each counted once; other shards may have met the same
  // Which items these are, ascending; and those that are to be taken for failed without trying, so that a training that goes on draws
  // the clips that it would have drawn. Items that do not exist are passed over.
  std::vector<std::int64_t> failed_items() const;
  void take_for_failed(const std::vector<std::int64_t>& items);
  double wait_seconds() const;         // that next() has waited, since the loader was made

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace actio::data
