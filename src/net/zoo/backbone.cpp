#include "net/zoo/backbone.h"

#include <algorithm>

#include "core/error.h"

namespace actio::net {
namespace {

std::pair<std::int64_t, std::int64_t> same_pads(std::int64_t size, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t outputs = (size + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>(0, (outputs - 1) * stride + kernel - size);
  return {total / 2, total - total / 2};
}

}  // namespace

std::unique_ptr<Backbone> make_backbone(const BackboneOptions& options) {
  if (options.kind == BackboneKind::kMobilenetV2) return make_mobilenet_v2(options);
  if (options.kind == BackboneKind::kInceptionV3) return make_inception_v3(options);
  return make_resnet(options);
}

Value Backbone::auxiliary(Builder&, const std::string&, const Value&, std::int64_t) const {
  fail_usage("aux_head: only inception_v3 has an auxiliary classifier");
}

Padding conv_padding(PaddingKind padding, std::int64_t kernel, std::int64_t stride, const Shape& input) {
  if (padding != PaddingKind::kSame) return same_padding(kernel / 2);
  const auto [top, bottom] = same_pads(input.at(1), kernel, stride);
  const auto [left, right] = same_pads(input.at(2), kernel, stride);
  return {top, bottom, left, right};
}

}  // namespace actio::net
