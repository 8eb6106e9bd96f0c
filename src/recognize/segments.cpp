#include "recognize/segments.h"

#include <algorithm>

#include "core/error.h"
#include "net/infer.h"

namespace actio::recognize {
namespace {

bool has_op(const net::NetSpec& spec, net::Op op) {
  return std::ranges::any_of(spec.nodes, [&](const net::Node& node) { return node.op == op; });
}

}  // namespace

net::Model with_segments(net::Model model, std::int64_t segments, const std::string& path, std::vector<std::string>& warnings) {
  const std::int64_t trained = model.spec.segments;
  if (segments == 0 || segments == trained) return model;
  const auto refuse = [&](const std::string& why) {
    fail_usage("{}: {} has {} segments and cannot be tested on {}: {}; '--test-segments 0' keeps its own", path,
               model.spec.name, trained, segments, why);
  };
  // Tuples name segments by number: with fewer they point outside, with more some would never be looked at.
  if (has_op(model.spec, net::Op::kTimeTuples)) refuse("its relations are between numbered segments");
  const std::vector<net::ParamInfo> before = net::parameters(model.spec);
  std::vector<net::ParamInfo> after;
  model.spec.segments = segments;
  try {
    after = net::parameters(model.spec);
  } catch (const Error& error) {
    refuse(error.what());
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].shape == after[i].shape) continue;
    refuse(
        fmt::format("'{}' would be {} and not {}", before[i].name, shape_text(after[i].shape), shape_text(before[i].shape)));
  }
  if (has_op(model.spec, net::Op::kSegmentDiff) || has_op(model.spec, net::Op::kSegmentStack)) {
    warnings.push_back(fmt::format("{}: {} learnt how {} segments follow each other; on {} they lie closer or farther apart",
                              path, model.spec.name, trained, segments));
  }
  return model;
}

}  // namespace actio::recognize
