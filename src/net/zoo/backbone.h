// net: the image networks that streams and the TTN are made of, one stage at a time. In: a builder and a value. Out: the
// value after that stage. Parameter names follow torchvision's under a prefix, so that published weights load by name.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/builder.h"
#include "net/choices.h"

namespace actio::net {

struct BackboneOptions {
  BackboneKind kind = BackboneKind::kResnet50;
  double width = 1.0;
  PaddingKind padding = PaddingKind::kTorch;
};

class Backbone {
 public:
  static constexpr int kStages = 5;  // stage 1 is the stem; stage s ends at 1/2^s of the input, as conv1..conv5_x of ResNet

  virtual ~Backbone() = default;

  // Replaces the input of a residual branch; the skip beside it keeps its own.
  using Injection = std::function<Value(const Value& unit_input)>;

  // Adds stage 1..5 under `prefix` ("rgb."). `inject` is applied to the first residual unit whose skip is the identity.
  // Throws: Error(kUsage) for `inject` and a backbone without such units.
  virtual Value stage(Builder& builder, const std::string& prefix, int stage, const Value& x,
                      const Injection& inject) const = 0;
  Value stage(Builder& builder, const std::string& prefix, int number, const Value& x) const {
    return stage(builder, prefix, number, x, nullptr);
  }

  // Adds a classifier for training beside the value after stage 4. Returns: its snippet-granular scores. Throws:
  // Error(kUsage) for a backbone that has none.
  virtual Value auxiliary(Builder& builder, const std::string& prefix, const Value& stage4, std::int64_t classes) const;

  // torchvision's name of the classifier: "fc" or "classifier.1".
  virtual std::string classifier() const = 0;
};

std::unique_ptr<Backbone> make_backbone(const BackboneOptions& options);

std::unique_ptr<Backbone> make_resnet(const BackboneOptions& options);
std::unique_ptr<Backbone> make_mobilenet_v2(const BackboneOptions& options);
std::unique_ptr<Backbone> make_inception_v3(const BackboneOptions& options);

// Padding of a k x k convolution that keeps the size (stride 1) or halves it (stride 2), in the manner of `padding`.
Padding conv_padding(PaddingKind padding, std::int64_t kernel, std::int64_t stride, const Shape& input);

}  // namespace actio::net
