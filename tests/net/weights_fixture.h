// What the tests of weights and model files share: what a call throws, a small network, damage, and Python where there is
// one.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/rng.h"
#include "net/netspec.h"

namespace actio::net {

// The message of the Error that `call` throws with `code`, or a text that no expectation matches.
inline std::string message_of(const std::function<void()>& call, ErrorCode code = ErrorCode::kBadData) {
  try {
    call();
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.find('\n') != std::string::npos) return "THE MESSAGE HAS SEVERAL LINES: " + message;
    if (error.code() != code) return fmt::format("WRONG CODE {}: {}", error.exit_code(), message);
    return message;
  }
  return "NOTHING WAS THROWN";
}

inline Tensor counting(Shape shape, float first = 0) {
  Tensor tensor(std::move(shape));
  std::iota(tensor.data<float>(), tensor.data<float>() + tensor.numel(), first);
  return tensor;
}

inline std::vector<float> floats(const Tensor& tensor) {
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}

inline bool same(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::equal(a.raw(), a.raw() + a.bytes(), b.raw());
}

// The old file is removed first: ext4 writes a file that is truncated and filled again to the disk at once, which makes
// thousands of damaged versions slow.
inline void write_plain(const std::string& path, const std::string& content) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

// Writes `count` damaged versions of `content` to `path`, each with 1 to 4 random bytes, and calls `read`, which may throw
// Error and nothing else. Returns how many were refused.
inline int refused_mutations(const std::string& content, const std::string& path, int count,
                             const std::function<void()>& read) {
  Rng rng(7);
  int refused = 0;
  for (int i = 0; i < count; ++i) {
    std::string damaged = content;
    for (std::int64_t changes = 1 + rng.below(4); changes > 0; --changes) {
      damaged[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(damaged.size())))] =
          static_cast<char>(rng.below(256));
    }
    write_plain(path, damaged);
    try {
      read();
    } catch (const Error&) {
      ++refused;
    }
  }
  return refused;
}

// Clips of 2 snippets of [3, 16, 16]: conv, batch norm, relu, pool, weighted sum, linear, mean, softmax.
inline NetSpec small_spec(std::int64_t channels = 3, std::int64_t classes = 2, const std::string& prefix = "rgb") {
  NetSpec spec;
  spec.name = "small";
  spec.segments = 2;
  const auto add = [&](const std::string& name, Op op, std::vector<std::string> inputs) -> Attrs& {
    spec.nodes.push_back({name, op, std::move(inputs), {}});
    return spec.nodes.back().attrs;
  };
  const auto at = [&](const char* name) { return prefix + "." + name; };
  add(prefix, Op::kInput, {}).shape = {channels, 16, 16};
  Attrs& conv = add(at("conv1"), Op::kConv2d, {prefix});
  conv.channels = 4;
  conv.kernel = {3, 3};
  conv.padding = {1, 1, 1, 1};
  add(at("bn1"), Op::kBatchNorm, {at("conv1")});
  add(at("relu"), Op::kRelu, {at("bn1")});
  add(at("pool"), Op::kGlobalAvgPool, {at("relu")});
  add("fusion", Op::kWeightedSum, {at("pool"), at("pool")}).weights = {0.25, 0.75};
  Attrs& fc = add(at("fc"), Op::kLinear, {"fusion"});
  fc.channels = classes;
  fc.bias = true;
  add("mean", Op::kSegmentMean, {at("fc")});
  add("softmax", Op::kSoftmax, {"mean"});
  spec.heads = {{"rgb", "mean"}};
  spec.scores = "mean";
  spec.output = "softmax";
  return spec;
}

// Debian's python3-torch belongs to the system's Python, which need not be the first in PATH.
inline bool run_python(const std::string& arguments) {
  const char* variable = std::getenv("ACTIO_PYTHON");
  const std::string python = variable != nullptr ? variable : "/usr/bin/python3";
  return std::system((python + " " + arguments).c_str()) == 0;
}

inline bool python_has(const std::string& modules) { return run_python("-c 'import " + modules + "' > /dev/null 2>&1"); }

}  // namespace actio::net
