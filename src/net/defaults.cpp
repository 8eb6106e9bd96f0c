#include "net/defaults.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"

namespace actio::net {
namespace {

void check_options(net::NetworkOptions& network, const OptionFlags& flags, const std::vector<std::string>& others) {
  for (const Field& field : network.fields()) {
    const std::vector<std::string> networks = net::networks_with(field.name);
    if (networks.empty() || !flags.was_set("network." + field.name)) continue;
    const auto has_it = [&](const std::string& name) { return std::ranges::find(networks, name) != networks.end(); };
    const bool may_be_of_others = flags.was_set_before_overlay("network." + field.name);
    if (!has_it(network.network) && !(may_be_of_others && std::ranges::any_of(others, has_it))) {
      fail_usage("{} belongs to {}; the network is {}", flag_name(field.name), fmt::join(networks, ", "), network.network);
    }
  }
}

}  // namespace

void reset_foreign_options(net::NetworkOptions& network) {
  net::NetworkOptions defaults;
  const Fields standard = defaults.fields();
  const Fields fields = network.fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::vector<std::string> networks = net::networks_with(fields[i].name);
    if (networks.empty() || std::ranges::find(networks, network.network) != networks.end()) continue;
    set_field(fields[i], field_text(standard[i]), fields[i].name);
  }
}

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

}  // namespace actio::net
