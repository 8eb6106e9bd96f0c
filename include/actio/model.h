// actio: a model file: a network with its weights, class names and the preprocessing that it was trained with. In: a file or its bytes.
// Out: what a Recognizer runs.
#pragma once

#include <actio/export.h>
#include <actio/tensor.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace actio {

struct ModelInput {
  std::string name;              // "rgb", "motion"
  Shape row;                     // of one snippet: [C, H, W]
  std::string kind;              // what of the video it shows: "frame", "rgbdiff", "flow" or "mv" (codec motion vectors)
  std::int64_t length = 1;       // frames, differences or fields in a snippet
  std::vector<double> mean, std; // (level - mean) / std, of levels 0..255: red, green and blue, or the 8-bit motion image
};

// A handle that never changes. Threads: safe.
class ACTIO_API Model {
 public:
  // Throws: Error(kBadData) naming the file and what is wrong with it; Error(kFailed) for one that cannot be read or is of a newer version.
  static Model open(const std::filesystem::path& path);

  // The bytes of such a file, which are copied. `name` stands for it in messages.
  static Model from_bytes(std::span<const std::byte> bytes, const std::string& name);

  const std::string& name() const;     // its path, or what from_bytes was given
  const std::string& network() const;  // "if_ttn(resnet50)"
  const std::vector<std::string>& classes() const;
  std::int64_t segments() const;  // snippets that it looks at in a view of a video
  std::vector<ModelInput> inputs() const;
  std::vector<std::string> heads() const;  // whose scores can be asked for alone: "rgb", "motion", "ttn"
  std::string preprocess() const;          // how a video becomes its inputs: a JSON object
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
