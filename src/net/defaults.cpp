#include "net/defaults.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"

namespace actio::net {
namespace {

void check_options(NetworkOptions& network, const Chosen& chosen, const OtherStages& others) {
  for (const Field& field : network.fields()) {
    const std::vector<std::string> networks = networks_with(field.name);
    const std::string name = fmt::format("{}.{}", NetworkOptions::kTable, field.name);
    if (networks.empty() || !chosen.has_name(name)) continue;
    const auto has_it = [&](NetworkKind kind) { return std::ranges::find(networks, name_of(kind)) != networks.end(); };
    const bool may_be_of_others = others.for_all.has_name(name);
    if (!has_it(network.network) && !(may_be_of_others && std::ranges::any_of(others.networks, has_it))) {
      fail_usage("{} belongs to {}; the network is {}", flag_name(field.name), fmt::join(networks, ", "), name_of(network.network));
    }
  }
}

}  // namespace

void reset_foreign_options(NetworkOptions& network) {
  NetworkOptions defaults;
  const Fields standard = defaults.fields();
  const Fields fields = network.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::vector<std::string> networks = networks_with(fields[i].name);
    if (networks.empty() || std::ranges::find(networks, name_of(network.network)) != networks.end()) continue;
    set_field(fields[i], field_text(standard[i]), fields[i].name);
  }
}

void apply_defaults(NetworkOptions& network, Preprocess& preprocess, const Chosen& chosen, const OtherStages& others) {
  check_options(network, chosen, others);
  const std::vector<std::string> streams = stream_names(network);
  const bool needs_motion = std::ranges::find(streams, "motion") != streams.end();
  if (!chosen.has(&Preprocess::motion)) preprocess.motion = needs_motion ? Motion::kVectors : Motion::kNone;
  if (network.backbone == BackboneKind::kInceptionV3) {
    if (!chosen.has(&Preprocess::rgb_mean)) preprocess.rgb_mean = {127.5, 127.5, 127.5};
    if (!chosen.has(&Preprocess::rgb_std)) preprocess.rgb_std = {127.5, 127.5, 127.5};
  }
  if (network.network != NetworkKind::kStfn) return;
  if (!chosen.has(&NetworkOptions::segments)) network.segments = 5;
  if (!chosen.has(&Preprocess::motion_length)) preprocess.motion_length = 10;
  if (!chosen.has(&Preprocess::motion_window)) preprocess.motion_window = MotionWindow::kCentred;
}

}  // namespace actio::net
