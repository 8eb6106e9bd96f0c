// net: the image networks that streams and the TTN are made of, one stage at a time. In: a builder and a value. Out: the
// value after that stage. Parameter names follow torchvision's under a prefix, so that published weights load by name.
#pragma once

#include <memory>
#include <string>

#include "net/builder.h"

namespace actio::net {

struct BackboneOptions {
  std::string name = "resnet50";
  double width = 1.0;
  std::string padding = "torch";
};

class Backbone {
 public:
  static constexpr int kStages = 5;  // stage 1 is the stem; stage s ends at 1/2^s of the input, as conv1..conv5_x of ResNet

  virtual ~Backbone() = default;

  // Adds stage 1..5 under `prefix` ("rgb.").
  virtual Value stage(Builder& builder, const std::string& prefix, int stage, const Value& x) const = 0;

  // torchvision's name of the classifier: "fc" or "classifier.1".
  virtual std::string classifier() const = 0;
};

// Throws: Error naming the nearest backbone.
std::unique_ptr<Backbone> make_backbone(const BackboneOptions& options);

std::unique_ptr<Backbone> make_resnet(const BackboneOptions& options);
std::unique_ptr<Backbone> make_mobilenet_v2(const BackboneOptions& options);
std::unique_ptr<Backbone> make_inception_v3(const BackboneOptions& options);

// Padding of a k x k convolution that keeps the size (stride 1) or halves it (stride 2), in the manner of `padding`.
Padding conv_padding(const std::string& padding, std::int64_t kernel, std::int64_t stride, const Shape& input);

}  // namespace actio::net
