// training: a class that most clips of cannot be read is not learned, whatever the others say. In: a request and clips. Out: an error.
#pragma once

#include <vector>

#include "data/dataset.h"
#include "training/request.h"

namespace actio::training {

// Where a stage reads motion vectors; clips are opened, not decoded. Throws: Error(kBadData) naming the first class that loses half of its
// clips or more, unless the request allows it; Error(kInterrupted).
void refuse_lost_classes(const TrainRequest& request, const std::vector<data::Item>& clips, const TrainHooks& hooks);

}  // namespace actio::training
