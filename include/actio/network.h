// actio: networks of one's own: a list of operations, as actio's own networks are. In: calls that each add a node. Out: a Network, which can be
// trained, run, described and exported like any other.
#pragma once

#include <actio/export.h>
#include <actio/inputs.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace actio {

// The node that produces it. What one row stands for follows from the operations: a snippet, a pair of neighbouring snippets, or the clip.
using Value = std::string;

struct ConvOptions {
  std::int64_t channels = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;  // on each side
  std::int64_t groups = 1;
  bool bias = false;
};

// A handle that never changes. Threads: safe.
class ACTIO_API Network {
 public:
  const std::string& name() const;
  std::int64_t segments() const;  // K, snippets of a view
  const Inputs& inputs() const;
  std::string describe() const;  // stages, shapes, parameters and cost, for people
  std::string to_json() const;   // the nodes, and the inputs

  // What to_json wrote. Throws: Error(kBadData) for what is no such text.
  static Network from_json(const std::string& json);

 private:
  friend class NetworkBuilder;
  friend class Model;
  friend struct NetworkAccess;
  struct Impl;
  explicit Network(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  std::shared_ptr<const Impl> impl_;
};

// Each call adds a node and returns it. Names are unique, and the beginning of the names of their weights.
// Throws, all of them: Error naming the node where a name is there already, an input is not, or shapes do not fit, with both.
class ACTIO_API NetworkBuilder {
 public:
  NetworkBuilder(std::string name, std::int64_t segments, const Framing& framing = {});
  ~NetworkBuilder();
  NetworkBuilder(NetworkBuilder&&) noexcept;
  NetworkBuilder& operator=(NetworkBuilder&&) noexcept;

  Value input(const InputSpec& input);  // of each snippet: [C, S, S]
  Value conv2d(const std::string& name, const Value& x, const ConvOptions& options);
  Value conv1d(const std::string& name, const Value& x, const ConvOptions& options);  // over the columns of [D, K]
  Value batch_norm(const std::string& name, const Value& x);
  Value relu(const std::string& name, const Value& x);
  Value max_pool2d(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding = 0);
  Value avg_pool2d(const std::string& name, const Value& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding = 0);
  Value linear(const std::string& name, const Value& x, std::int64_t channels);
  Value dropout(const std::string& name, const Value& x, double probability);
  // Scalars that training may change, or not.
  Value weighted_sum(const std::string& name, const std::vector<Value>& xs, const std::vector<double>& weights, bool trainable);
  // One of global_avg_pool, time_mean, add, sub, mul, max, concat, softmax, flatten, relu6; segment_diff (pairs of neighbouring snippets),
  // segment_mean and segment_stack (snippets or pairs to a clip: their mean, or [D, K]). Throws: Error naming the nearest.
  Value apply(std::string_view operation, const std::string& name, const std::vector<Value>& xs);

  // The values after the five stages of an image network ("resnet50", "mobilenet_v2", ...), under `prefix` ("rgb."): published weights load
  // by name. The last but a global_avg_pool is a snippet's feature. Throws: Error(kUsage) naming the nearest.
  std::array<Value, 5> backbone(const std::string& prefix, const Value& x, std::string_view network, double width = 1.0);

  // A term of what training minimises, of a clip's [classes]: "cross_entropy" of logits, or "nll" of probabilities.
  void head(const std::string& name, const Value& x, std::string_view loss = "cross_entropy");
  // A name for a value, which RecognizeOptions::keep and describe() know.
  void stage(const std::string& name, const Value& x);

  Shape shape_of(const Value& x) const;  // of one row

  // `scores` are the clip's logits where there are any, `output` its probabilities: both [classes].
  Network finish(const Value& scores, const Value& output);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace actio
