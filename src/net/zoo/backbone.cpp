#include "net/zoo/backbone.h"

#include <algorithm>

#include "core/error.h"
#include "net/zoo.h"

namespace actio::net {
namespace {

std::pair<std::int64_t, std::int64_t> same_pads(std::int64_t size, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t outputs = (size + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>(0, (outputs - 1) * stride + kernel - size);
  return {total / 2, total - total / 2};
}

}  // namespace

std::vector<std::string> backbone_names() { return {"resnet18", "resnet34", "resnet50", "resnet101", "mobilenet_v2", "inception_v3"}; }

std::unique_ptr<Backbone> make_backbone(const BackboneOptions& options) {
  if (options.name == "mobilenet_v2") return make_mobilenet_v2(options);
  if (options.name == "inception_v3") return make_inception_v3(options);
  const std::vector<std::string> known = backbone_names();
  if (std::ranges::find(known, options.name) != known.end()) return make_resnet(options);
  fail_usage("{}", unknown_name_text("backbone", options.name, known));
}

Value Backbone::auxiliary(Builder&, const std::string&, const Value&, std::int64_t) const {
  fail_usage("aux_head: only inception_v3 has an auxiliary classifier");
}

Padding conv_padding(const std::string& padding, std::int64_t kernel, std::int64_t stride, const Shape& input) {
  if (padding != "same") return same_padding(kernel / 2);
  const auto [top, bottom] = same_pads(input.at(1), kernel, stride);
  const auto [left, right] = same_pads(input.at(2), kernel, stride);
  return {top, bottom, left, right};
}

}  // namespace actio::net
