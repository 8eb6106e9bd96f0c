// openvino: what the module asks of OpenVINO. In: ops, their sizes and weights. Out: compiled models and what runs them.
// Packages of OpenVINO differ in the layout of the standard library's strings: bridge*.cpp alone are compiled as the package was, so that neither a string
// nor anything with a string inside may cross this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace actio::openvino {

using Sizes = std::vector<std::int64_t>;

// One entry for each axis.
struct Window {
  Sizes kernel, stride, dilation, before, after;
};

enum class Pairwise { kAdd, kSub, kMul, kMax };

// Numbers that values of 8 bits stand for: so many from low to high, of shape `sizes`, whose sizes of 1 are repeated.
struct Levels {
  Sizes sizes;
  std::vector<float> low, high;
  std::size_t count = 256;
};

// A model in the making. The first size of every value is its rows, the second its channels.
// Throws: std::exception with OpenVINO's text.
class Graph {
 public:
  using Value = std::size_t;

  Graph();
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void set_name(const char* name);  // of the nodes that follow, in OpenVINO's messages

  Value input(const Sizes& sizes);
  Value constant(const Sizes& sizes, std::span<const float> values);  // a copy
  // weight: [out, in, kernel...], or for groups [groups, out / groups, in / groups, kernel...].
  Value convolution(Value x, Value weight, const Window& window, bool in_groups);
  Value max_pool(Value x, const Window& window);
  Value avg_pool(Value x, const Window& window, bool count_padding);  // without dilation
  Value product(Value x, Value weight);                               // [rows, in], [out, in]
  Value pairwise(Pairwise op, Value a, Value b);                      // sizes of 1 are repeated
  Value relu(Value x);
  Value clamp(Value x, double low, double high);
  Value mean_of_channels(Value x);  // over everything behind them
  Value concat(std::span<const Value> values);
  Value softmax(Value x);
  Value reshaped(Value x, const Sizes& sizes);
  Value columns(Value x, const Sizes& indices);            // of the last axis
  Value first(Value x, std::int64_t axis, std::int64_t count);  // elements of an axis
  Value rounded_to(Value x, const Levels& levels);  // what reads such values alone may be computed with integers
  void output(Value x);

 private:
  friend class Compiler;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Runs a model for one thread. Owns: itself; what it was made of stays alive.
class Request {
 public:
  virtual ~Request() = default;
  // f32, as many elements as the values of the graph's inputs and outputs have, in the order in which these were made. Works in the caller's memory.
  virtual void run(std::span<const float* const> inputs, std::span<float* const> outputs) = 0;
};

// Threads: safe.
class Model {
 public:
  virtual ~Model() = default;
  virtual std::unique_ptr<Request> request() const = 0;
};

enum class Arithmetic { kF32, kBf16 };

struct Settings {
  const char* device = "CPU";
  std::int64_t threads = 1;  // of a request, where the device is the processor
  std::int64_t at_once = 1;  // requests that run beside each other
  Arithmetic arithmetic = Arithmetic::kF32;
};

std::unique_ptr<Model> compile(const Graph& graph, const Settings& settings);

// Threads: safe. Throws: std::exception.
void for_each_device(const std::function<void(const char* name)>& use);
bool has_capability(const char* device, const char* capability);  // "BF16"

}  // namespace actio::openvino
