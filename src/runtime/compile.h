// runtime: NetSpec + weights -> something that runs. In: a network and its tensors. Out: a Classifier on one backend.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "core/tensor.h"
#include "net/classifier.h"

namespace actio::runtime {

struct RuntimeOptions {
  static constexpr std::string_view kTable = "runtime";

  std::string backend = "onednn";  // "onednn" or "reference" (naive loops: slow, the arbiter in tests)
  std::int64_t threads = 0;        // 0: one per core

  Fields fields();
};

// Throws: Error for a network that infer() rejects, weights that are missing or misshapen, and an unknown backend.
std::unique_ptr<net::Classifier> compile(const net::NetSpec& spec, const TensorMap& weights,
                                         const RuntimeOptions& options = {});

}  // namespace actio::runtime
