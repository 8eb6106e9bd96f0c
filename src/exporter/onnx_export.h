// exporter: a model as an ONNX file, for other engines. In: a model. Out: one .onnx file with the network, its weights and, as
// metadata, what its inputs and outputs mean.
//
// Inputs are those of the network, f32 [N, K, C, H, W]: N clips of K snippets in time order. Outputs are "scores" and
// "probabilities", f32 [N, classes]. Nodes and tensors keep the names that the network and its parameters have.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "net/model_file.h"

namespace actio::exporter {

// From opset 11 on the bounds of Clip (ReLU6) are tensors, which OpenCV 4.6 does not read; newer engines read this one, too.
inline constexpr std::int64_t kOnnxOpset = 10;
inline constexpr std::int64_t kOnnxIrVersion = 5;  // of ONNX 1.5, which brought this opset
inline constexpr std::int64_t kMostClips = 65536;

struct OnnxOptions {
  std::int64_t clips = 1;  // N; 0: left open, the dimension "N"
};

struct OnnxPort {
  std::string name;
  Shape shape;             // a dimension of 0 is left open
};

// What a file expects and gives.
struct OnnxFile {
  std::int64_t opset = kOnnxOpset;
  std::vector<OnnxPort> inputs, outputs;
};

// "rgb [N, 7, 3, 224, 224]".
std::string port_text(const OnnxPort& port);

// Writes atomically; equal models give equal bytes. What scores and probabilities do not need, such as heads for training
// alone, is left out.
// Throws: Error(kUsage) for a number of clips that is not between 0 and kMostClips; Error(kFailed) for a network that infer()
// rejects, weights that are missing or misshapen, more than the 2 GB that an ONNX file can hold, a graph that the ONNX checker
// refuses, and a file that cannot be written.
OnnxFile export_onnx(const net::Model& model, const std::filesystem::path& path, const OnnxOptions& options = {});

}  // namespace actio::exporter
