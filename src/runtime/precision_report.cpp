#include "runtime/precision_report.h"

#include <map>
#include <tuple>

#include "core/error.h"

namespace actio::runtime {

std::string precision_text(const RuntimeAttributes& attributes, Precision asked) {
  std::map<std::tuple<std::string_view, std::string_view, std::string>, std::int64_t> kinds;
  std::string named;
  for (const OpRecord& op : attributes.ops) {
    ++kinds[{name_of(op.precision), net::op_name(op.op), op.reason}];
    if ((op.op == net::Op::kConv2d || op.op == net::Op::kConv1d) && !op.reason.empty()) named += fmt::format("  {}: {}, {}\n", op.node, name_of(op.precision), op.reason);
  }
  std::string text = fmt::format("precision {} on {}{}\n", name_of(attributes.precision), processor_text(),
                                 asked == attributes.precision ? "" : fmt::format(" ({} was asked for)", name_of(asked)));
  for (const auto& [kind, count] : kinds) {
    const auto& [precision, op, reason] = kind;
    text += fmt::format("  {:5} {:4} {}{}\n", precision, count, op, reason.empty() ? "" : ": " + reason);
  }
  if (!named.empty()) text += "convolutions that are not what was asked for:\n" + named;
  text.pop_back();
  return text;
}

Json precision_json(const RuntimeAttributes& attributes, Precision asked) {
  Json ops = Json::array();
  for (const OpRecord& op : attributes.ops) {
    ops.push_back({{"node", op.node}, {"op", net::op_name(op.op)}, {"precision", name_of(op.precision)}, {"reason", op.reason}});
  }
  return {{"asked", name_of(asked)}, {"precision", name_of(attributes.precision)}, {"processor", processor_text()}, {"ops", std::move(ops)}};
}

}  // namespace actio::runtime
