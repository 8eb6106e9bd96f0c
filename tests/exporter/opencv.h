// An ONNX file through OpenCV's dnn module.
#pragma once

#include <string>

#include "core/tensor.h"

namespace actio::testing {

// In: f32 [clips, K, ...] per input. Out: f32 [clips, classes] for "scores" and "probabilities".
TensorMap run_opencv(const std::string& path, const TensorMap& inputs);

}  // namespace actio::testing
