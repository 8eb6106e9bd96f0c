// torch: answers of several ranks to their shares of the test clips, put together. In: each rank's. Out: all, on every rank.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "torch/distributed/group.h"
#include "torch/trainer/job.h"

namespace actio::torch_train {

// In the order of `items`. Every rank must call it; `own` is empty on a rank without a clip. Empty on all ranks where `stopped` holds on
// one, or where none has a clip. Throws: Error as Group's members.
std::optional<Answers> gather_answers(distributed::Group& group, const std::vector<data::Item>& items, const std::optional<Answers>& own,
                                      bool stopped);

}  // namespace actio::torch_train
