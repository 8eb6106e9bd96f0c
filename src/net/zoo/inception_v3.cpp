// Inception-V3 with torchvision's names, the auxiliary classifier on demand. Its stages end where the resolution is about to halve,
// like ResNet's.
// Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, table 1; STFN sec. 4.2.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "net/zoo/backbone.h"

namespace actio::net {
namespace {

struct Extent {
  std::int64_t height = 1, width = 1;
};

class InceptionV3 final : public Backbone {
 public:
  explicit InceptionV3(const BackboneOptions& options) : width_(options.width) {}

  Value stage(Builder& b, const std::string& prefix, int stage, const Value& x, const Injection& inject) const override {
    if (inject) fail_usage("inception_v3 has no residual units, which st_fusion needs; choose a ResNet or mobilenet_v2");
    switch (stage) {
      case 1: return stem(b, prefix, x);
      case 2: return widening(b, prefix, x);
      case 3: return mixed_5(b, prefix, x);
      case 4: return mixed_6(b, prefix, x);
      default: return mixed_7(b, prefix, x);
    }
  }

  std::string classifier() const override { return "fc"; }

  Value auxiliary(Builder& b, const std::string& prefix, const Value& stage4, std::int64_t classes) const override {
    const std::string n = prefix + "AuxLogits.";
    const Shape& shape = b.shape_of(stage4);
    constexpr std::int64_t kLeast = 17;  // pooled to 5, which the 5x5 convolution takes
    if (std::min(shape[1], shape[2]) < kLeast) {
      fail_usage("aux_head: {} gives {} x {} there, the auxiliary classifier needs {} x {}: choose an input_size of 299 or more",
                 prefix + "stage4", shape[1], shape[2], kLeast, kLeast);
    }
    Value y = b.avg_pool2d(n + "pool", stage4, 5, 3, {});
    y = unit(b, n + "conv0", y, 128, {1, 1});
    y = unit(b, n + "conv1", y, 768, {5, 5}, 1, false);
    y = b.apply(Op::kGlobalAvgPool, n + "avgpool", {y});
    return b.linear(n + "fc", y, classes);
  }

 private:
  std::int64_t scaled(std::int64_t channels) const {
    return std::max<std::int64_t>(1, std::lround(static_cast<double>(channels) * width_));
  }

  // Keeps the size where `stride` is 1 and `pad` is set.
  Value unit(Builder& b, const std::string& name, const Value& x, std::int64_t channels, Extent kernel, std::int64_t stride = 1,
             bool pad = true) const {
    Conv conv{scaled(channels), kernel.height, stride};
    conv.kernel_width = kernel.width;
    if (pad) conv.padding = {kernel.height / 2, kernel.height / 2, kernel.width / 2, kernel.width / 2};
    const Value y = b.batch_norm(name + ".bn", b.conv2d(name + ".conv", x, conv), 0.001);
    return b.relu(name + ".relu", y);
  }
  Value shrink(Builder& b, const std::string& name, const Value& x, std::int64_t channels) const {
    return unit(b, name, x, channels, {3, 3}, 2, false);
  }
  static Value halve(Builder& b, const std::string& name, const Value& x) { return b.max_pool2d(name, x, 3, 2, {}); }
  static Value concat(Builder& b, const std::string& name, const std::vector<Value>& xs) {
    return b.apply(Op::kConcat, name, xs);
  }
  Value pooled(Builder& b, const std::string& name, const Value& x, std::int64_t channels) const {
    const Value y = b.avg_pool2d(name + ".pool", x, 3, 1, same_padding(1));
    return unit(b, name + ".branch_pool", y, channels, {1, 1});
  }

  Value stem(Builder& b, const std::string& p, const Value& x) const {
    Value y = shrink(b, p + "Conv2d_1a_3x3", x, 32);
    y = unit(b, p + "Conv2d_2a_3x3", y, 32, {3, 3}, 1, false);
    return unit(b, p + "Conv2d_2b_3x3", y, 64, {3, 3});
  }

  Value widening(Builder& b, const std::string& p, const Value& x) const {
    Value y = halve(b, p + "maxpool1", x);
    y = unit(b, p + "Conv2d_3b_1x1", y, 80, {1, 1});
    return unit(b, p + "Conv2d_4a_3x3", y, 192, {3, 3}, 1, false);
  }

  Value mixed_5(Builder& b, const std::string& p, const Value& x) const {
    Value y = halve(b, p + "maxpool2", x);
    y = block_a(b, p + "Mixed_5b", y, 32);
    y = block_a(b, p + "Mixed_5c", y, 64);
    return block_a(b, p + "Mixed_5d", y, 64);
  }

  Value mixed_6(Builder& b, const std::string& p, const Value& x) const {
    Value y = block_b(b, p + "Mixed_6a", x);
    y = block_c(b, p + "Mixed_6b", y, 128);
    y = block_c(b, p + "Mixed_6c", y, 160);
    y = block_c(b, p + "Mixed_6d", y, 160);
    return block_c(b, p + "Mixed_6e", y, 192);
  }

  Value mixed_7(Builder& b, const std::string& p, const Value& x) const {
    Value y = block_d(b, p + "Mixed_7a", x);
    y = block_e(b, p + "Mixed_7b", y);
    return block_e(b, p + "Mixed_7c", y);
  }

  Value block_a(Builder& b, const std::string& n, const Value& x, std::int64_t pool_channels) const {
    const Value one = unit(b, n + ".branch1x1", x, 64, {1, 1});
    const Value five = unit(b, n + ".branch5x5_2", unit(b, n + ".branch5x5_1", x, 48, {1, 1}), 64, {5, 5});
    Value twice = unit(b, n + ".branch3x3dbl_1", x, 64, {1, 1});
    twice = unit(b, n + ".branch3x3dbl_2", twice, 96, {3, 3});
    twice = unit(b, n + ".branch3x3dbl_3", twice, 96, {3, 3});
    return concat(b, n, {one, five, twice, pooled(b, n, x, pool_channels)});
  }

  Value block_b(Builder& b, const std::string& n, const Value& x) const {
    const Value three = shrink(b, n + ".branch3x3", x, 384);
    Value twice = unit(b, n + ".branch3x3dbl_1", x, 64, {1, 1});
    twice = unit(b, n + ".branch3x3dbl_2", twice, 96, {3, 3});
    twice = shrink(b, n + ".branch3x3dbl_3", twice, 96);
    return concat(b, n, {three, twice, halve(b, n + ".pool", x)});
  }

  Value block_c(Builder& b, const std::string& n, const Value& x, std::int64_t inner) const {
    const Value one = unit(b, n + ".branch1x1", x, 192, {1, 1});
    Value seven = unit(b, n + ".branch7x7_1", x, inner, {1, 1});
    seven = unit(b, n + ".branch7x7_2", seven, inner, {1, 7});
    seven = unit(b, n + ".branch7x7_3", seven, 192, {7, 1});
    Value twice = unit(b, n + ".branch7x7dbl_1", x, inner, {1, 1});
    twice = unit(b, n + ".branch7x7dbl_2", twice, inner, {7, 1});
    twice = unit(b, n + ".branch7x7dbl_3", twice, inner, {1, 7});
    twice = unit(b, n + ".branch7x7dbl_4", twice, inner, {7, 1});
    twice = unit(b, n + ".branch7x7dbl_5", twice, 192, {1, 7});
    return concat(b, n, {one, seven, twice, pooled(b, n, x, 192)});
  }

  Value block_d(Builder& b, const std::string& n, const Value& x) const {
    const Value three = shrink(b, n + ".branch3x3_2", unit(b, n + ".branch3x3_1", x, 192, {1, 1}), 320);
    Value seven = unit(b, n + ".branch7x7x3_1", x, 192, {1, 1});
    seven = unit(b, n + ".branch7x7x3_2", seven, 192, {1, 7});
    seven = unit(b, n + ".branch7x7x3_3", seven, 192, {7, 1});
    seven = shrink(b, n + ".branch7x7x3_4", seven, 192);
    return concat(b, n, {three, seven, halve(b, n + ".pool", x)});
  }

  // A 3x3 convolution as a 1x3 and a 3x1 beside each other.
  Value split(Builder& b, const std::string& n, const std::string& branch, const Value& x) const {
    return concat(b, n + branch, {unit(b, n + branch + "a", x, 384, {1, 3}), unit(b, n + branch + "b", x, 384, {3, 1})});
  }

  Value block_e(Builder& b, const std::string& n, const Value& x) const {
    const Value one = unit(b, n + ".branch1x1", x, 320, {1, 1});
    const Value three = split(b, n, ".branch3x3_2", unit(b, n + ".branch3x3_1", x, 384, {1, 1}));
    Value twice = unit(b, n + ".branch3x3dbl_1", x, 448, {1, 1});
    twice = split(b, n, ".branch3x3dbl_3", unit(b, n + ".branch3x3dbl_2", twice, 384, {3, 3}));
    return concat(b, n, {one, three, twice, pooled(b, n, x, 192)});
  }

  double width_;
};

}  // namespace

std::unique_ptr<Backbone> make_inception_v3(const BackboneOptions& options) { return std::make_unique<InceptionV3>(options); }

}  // namespace actio::net
