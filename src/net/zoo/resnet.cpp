// ResNet v1.5 as in torchvision: the bottleneck's stride is on its 3x3 convolution.
// Source: He et al., Deep Residual Learning for Image Recognition; IF-TTN sec. 4.2, STFN sec. 4.2.
#include <array>
#include <cmath>

#include "core/error.h"
#include "net/zoo/backbone.h"

namespace actio::net {
namespace {

struct ResNetShape {
  std::array<int, 4> blocks;
  bool bottleneck;
};

ResNetShape shape_of(BackboneKind kind) {
  if (kind == BackboneKind::kResnet18) return {{2, 2, 2, 2}, false};
  if (kind == BackboneKind::kResnet34) return {{3, 4, 6, 3}, false};
  if (kind == BackboneKind::kResnet101) return {{3, 4, 23, 3}, true};
  return {{3, 4, 6, 3}, true};
}

class ResNet final : public Backbone {
 public:
  explicit ResNet(const BackboneOptions& options) : options_(options), shape_(shape_of(options.kind)) {
    base_ = static_cast<std::int64_t>(std::lround(64 * options.width));
    if (base_ < 1) fail_usage("{}: width {} leaves no channels", name_of(options.kind), options.width);
  }

  Value stage(Builder& b, const std::string& prefix, int stage, const Value& x, const Injection& inject) const override {
    if (stage == 1) return stem(b, prefix, x);
    const int layer = stage - 1;
    const std::int64_t channels = base_ << (layer - 1);
    Value y = x;
    for (int i = 0; i < shape_.blocks[static_cast<std::size_t>(layer - 1)]; ++i) {
      const std::string name = fmt::format("{}layer{}.{}.", prefix, layer, i);
      const std::int64_t stride = i == 0 && layer > 1 ? 2 : 1;
      const Value branch = inject && i == 1 ? inject(y) : y;
      y = shape_.bottleneck ? bottleneck(b, name, {branch, y}, channels, stride) : basic(b, name, {branch, y}, channels, stride);
    }
    return y;
  }

  std::string classifier() const override { return "fc"; }

 private:
  // What a unit reads, the same but for an injection.
  struct UnitInput {
    Value branch, skip;
  };

  Value stem(Builder& b, const std::string& prefix, const Value& x) const {
    Value y = b.conv2d(prefix + "conv1", x, {base_, 7, 2, 1, false, conv_padding(options_.padding, 7, 2, b.shape_of(x))});
    y = b.relu(prefix + "relu", b.batch_norm(prefix + "bn1", y));
    return b.max_pool2d(prefix + "maxpool", y, 3, 2, same_padding(1));
  }

  Value conv_bn(Builder& b, const std::string& name, const std::string& index, const Value& x, Conv conv) const {
    conv.padding = conv_padding(options_.padding, conv.kernel, conv.stride, b.shape_of(x));
    return b.batch_norm(name + "bn" + index, b.conv2d(name + "conv" + index, x, conv));
  }

  Value basic(Builder& b, const std::string& name, const UnitInput& x, std::int64_t channels, std::int64_t stride) const {
    Value y = b.relu(name + "relu1", conv_bn(b, name, "1", x.branch, {channels, 3, stride}));
    y = conv_bn(b, name, "2", y, {channels, 3, 1});
    return join(b, name, y, x.skip, channels, stride);
  }

  Value bottleneck(Builder& b, const std::string& name, const UnitInput& x, std::int64_t channels, std::int64_t stride) const {
    Value y = b.relu(name + "relu1", conv_bn(b, name, "1", x.branch, {channels, 1, 1}));
    y = b.relu(name + "relu2", conv_bn(b, name, "2", y, {channels, 3, stride}));
    y = conv_bn(b, name, "3", y, {4 * channels, 1, 1});
    return join(b, name, y, x.skip, 4 * channels, stride);
  }

  static Value join(Builder& b, const std::string& name, const Value& y, const Value& x, std::int64_t channels,
                    std::int64_t stride) {
    Value skip = x;
    if (stride != 1 || b.shape_of(x)[0] != channels) {
      skip = b.batch_norm(name + "downsample.1", b.conv2d(name + "downsample.0", x, {channels, 1, stride}));
    }
    return b.relu(name + "relu", b.apply(Op::kAdd, name + "add", {y, skip}));
  }

  BackboneOptions options_;
  ResNetShape shape_;
  std::int64_t base_;
};

}  // namespace

std::unique_ptr<Backbone> make_resnet(const BackboneOptions& options) { return std::make_unique<ResNet>(options); }

}  // namespace actio::net
