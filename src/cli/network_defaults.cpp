#include "cli/network_defaults.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"

namespace actio::cli {
namespace {

void check_options(net::NetworkOptions& network, const OptionFlags& flags, const std::vector<std::string>& others) {
  for (const Field& field : network.fields()) {
    const std::vector<std::string> networks = net::networks_with(field.name);
    if (networks.empty() || !flags.was_set("network." + field.name)) continue;
    const auto has_it = [&](const std::string& name) { return std::ranges::find(networks, name) != networks.end(); };
    if (!has_it(network.network) && std::ranges::none_of(others, has_it)) {
      fail_usage("{} belongs to {}; the network is {}", flag_name(field.name), fmt::join(networks, ", "), network.network);
    }
  }
}

}  // namespace

void apply_network_defaults(net::NetworkOptions& network, Preprocess& preprocess, const OptionFlags& flags,
                            const std::vector<std::string>& other_networks) {
  check_options(network, flags, other_networks);
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
