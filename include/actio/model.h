// actio: a model file: a network with its weights, class names and the preprocessing that it was trained with. In: a file or its bytes.
// Out: what a Recognizer runs.
#pragma once

#include <actio/export.h>
#include <actio/inputs.h>
#include <actio/network.h>
#include <actio/tensor.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace actio {

// A handle that never changes. Threads: safe.
class ACTIO_API Model {
 public:
  // Throws: Error(kBadData) naming the file and what is wrong with it; Error(kFailed) for one that cannot be read or is of a newer version.
  static Model open(const std::filesystem::path& path);

  // The bytes of such a file, which are copied. `name` stands for it in messages.
  static Model from_bytes(std::span<const std::byte> bytes, const std::string& name);

  // A network with class names, one for each element of its output, and weights by name; those that are missing begin anew, from `seed`.
  // Throws: Error(kBadData) naming what does not fit, and both values.
  static Model make(const Network& network, std::vector<std::string> classes, const TensorMap& weights = {}, std::uint64_t seed = 1);

  // Writes it, at once or not at all. Returns: the model of that file. Throws: Error(kFailed) where it cannot be written.
  Model save(const std::filesystem::path& path) const;

  const std::string& name() const;     // its path, or what from_bytes or make was given
  const std::string& network() const;  // "if_ttn(resnet50)"
  const std::vector<std::string>& classes() const;
  std::int64_t segments() const;  // snippets that it looks at in a view of a video
  const Inputs& inputs() const;   // what a video becomes: each with its name, kind, size and scale
  std::vector<std::string> heads() const;  // whose scores can be asked for alone: "rgb", "motion", "ttn"
  std::string preprocess() const;          // its inputs as the file has them: a JSON object
  std::string training() const;            // how it was trained: a JSON object, or "null"
  std::string describe() const;            // stages, shapes, parameters and cost, for people
  const std::string& hash() const;         // of the file, 32 hexadecimal digits

 private:
  friend class Recognizer;
  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  std::shared_ptr<const Impl> impl_;
};

}  // namespace actio
