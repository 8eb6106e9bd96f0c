// torch: weights that make up for classes of different size. In: the training clips. Out: a factor per class.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "data/dataset.h"
#include "net/netspec.h"

namespace actio::torch_train {

// f32 [classes]: N / (classes that occur * clips of the class); 0 for a class without a clip. Their mean over the clips is 1.
at::Tensor class_weights(const std::vector<data::Item>& items, const net::NetSpec& spec);

}  // namespace actio::torch_train
