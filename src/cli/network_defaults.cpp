#include "cli/network_defaults.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"

namespace actio::cli {
namespace {

void check_options(net::NetworkOptions& network, const OptionFlags& flags) {
  for (const Field& field : network.fields()) {
    const std::vector<std::string> networks = net::networks_with(field.name);
    if (networks.empty() || !flags.was_set("network." + field.name)) continue;
    if (std::ranges::find(networks, network.network) == networks.end()) {
      fail_usage("{} belongs to {}; the network is {}", flag_name(field.name), fmt::join(networks, ", "), network.network);
    }
  }
}

}  // namespace

void apply_network_defaults(net::NetworkOptions& network, Preprocess& preprocess, const OptionFlags& flags) {
  check_options(network, flags);
  const std::vector<std::string> choosable = net::networks_with("streams");
  const bool may_lack_motion = std::ranges::find(choosable, network.network) != choosable.end();
  const bool needs_motion = !may_lack_motion || network.streams != "rgb";
  if (!flags.was_set("preprocess.motion")) preprocess.motion = needs_motion ? "mv" : "none";
  if (network.backbone == "inception_v3") {
    if (!flags.was_set("preprocess.rgb_mean")) preprocess.rgb_mean = {127.5, 127.5, 127.5};
    if (!flags.was_set("preprocess.rgb_std")) preprocess.rgb_std = {127.5, 127.5, 127.5};
  }
  if (network.network != "stfn") return;
  if (!flags.was_set("network.segments")) network.segments = 5;
  if (!flags.was_set("preprocess.motion_length")) preprocess.motion_length = 10;
  if (!flags.was_set("preprocess.motion_window")) preprocess.motion_window = "centred";
}

}  // namespace actio::cli
