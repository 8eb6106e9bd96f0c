// MobileNetV2 with torchvision's names. Its stages end where the resolution is about to halve, like ResNet's.
// Source: Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, table 2.
#include <algorithm>
#include <array>

#include "core/error.h"
#include "net/zoo/backbone.h"

namespace actio::net {
namespace {

struct BlockShape {
  std::int64_t expansion, channels, stride;
};

// features.1 to features.17.
constexpr std::array<BlockShape, 17> kBlocks = {{{1, 16, 1},
                                                 {6, 24, 2}, {6, 24, 1},
                                                 {6, 32, 2}, {6, 32, 1}, {6, 32, 1},
                                                 {6, 64, 2}, {6, 64, 1}, {6, 64, 1}, {6, 64, 1},
                                                 {6, 96, 1}, {6, 96, 1}, {6, 96, 1},
                                                 {6, 160, 2}, {6, 160, 1}, {6, 160, 1},
                                                 {6, 320, 1}}};

// The blocks features.FIRST to features.LAST of each stage.
struct Range {
  int first, last;
};
constexpr std::array<Range, 5> kStageBlocks = {{{1, 1}, {2, 3}, {4, 6}, {7, 13}, {14, 17}}};

std::int64_t divisible_by_8(double channels) {
  const auto rounded = std::max<std::int64_t>(8, static_cast<std::int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + 8 : rounded;
}

class MobileNetV2 final : public Backbone {
 public:
  explicit MobileNetV2(const BackboneOptions& options) : options_(options) {}

  Value stage(Builder& b, const std::string& prefix, int stage, const Value& x, const Injection& inject) const override {
    Value y = x;
    if (stage == 1) y = conv_bn_relu(b, prefix + "features.0.", y, {channels(32), 3, 2});
    const Range range = kStageBlocks.at(static_cast<std::size_t>(stage - 1));
    for (int i = range.first; i <= range.last; ++i) {
      const Value branch = inject && i == range.first + 1 ? inject(y) : y;
      y = inverted_residual(b, fmt::format("{}features.{}.", prefix, i), {branch, y}, kBlocks[static_cast<std::size_t>(i - 1)]);
    }
    if (stage == kStages) {
      y = conv_bn_relu(b, prefix + "features.18.", y, {divisible_by_8(1280 * std::max(1.0, options_.width)), 1, 1});
    }
    return y;
  }

  std::string classifier() const override { return "classifier.1"; }

 private:
  std::int64_t channels(std::int64_t full) const { return divisible_by_8(static_cast<double>(full) * options_.width); }

  Value conv_bn_relu(Builder& b, const std::string& name, const Value& x, Conv conv) const {
    conv.padding = conv_padding(options_.padding, conv.kernel, conv.stride, b.shape_of(x));
    return b.relu6(name + "2", b.batch_norm(name + "1", b.conv2d(name + "0", x, conv)));
  }

  // What a unit reads, the same but for an injection.
  struct UnitInput {
    Value branch, skip;
  };

  Value inverted_residual(Builder& b, const std::string& name, const UnitInput& x, const BlockShape& block) const {
    const std::int64_t in = b.shape_of(x.skip)[0];
    const std::int64_t hidden = in * block.expansion;
    const std::int64_t out = channels(block.channels);
    int part = 0;
    Value y = x.branch;
    if (block.expansion != 1) y = conv_bn_relu(b, fmt::format("{}conv.{}.", name, part++), y, {hidden, 1, 1});
    y = conv_bn_relu(b, fmt::format("{}conv.{}.", name, part++), y, {hidden, 3, block.stride, hidden});
    y = b.conv2d(fmt::format("{}conv.{}", name, part++), y, {out, 1, 1});
    y = b.batch_norm(fmt::format("{}conv.{}", name, part), y);
    if (block.stride == 1 && in == out) y = b.apply(Op::kAdd, name + "add", {x.skip, y});
    return y;
  }

  BackboneOptions options_;
};

}  // namespace

std::unique_ptr<Backbone> make_mobilenet_v2(const BackboneOptions& options) { return std::make_unique<MobileNetV2>(options); }

}  // namespace actio::net
