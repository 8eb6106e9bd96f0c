// Models with weights from a seed: they know nothing, but they run.
#pragma once

#include <string>

#include "net/initialise.h"
#include "net/model_file.h"
#include "net/zoo.h"

namespace actio::testing {

inline void write_tiny_model(const std::string& path, const std::string& network, const std::string& motion) {
  net::NetworkOptions options;
  options.network = value_named<net::NetworkKind>("network", network);
  options.streams = motion == "none" ? "rgb" : "both";
  options.backbone = net::BackboneKind::kResnet18;
  options.width = 0.125;
  options.segments = 3;
  options.classes = 3;
  net::Model model;
  Preprocess preprocess;
  preprocess.input_size = 32;
  preprocess.short_side = 36;
  preprocess.motion = value_named<Motion>("motion", motion);
  preprocess.motion_length = 2;
  preprocess.flow_quality = "fast";
  preprocess.flow_short_side = 48;
  model.spec = net::build_network(options, preprocess);
  model.inputs = net::network_inputs(options, preprocess);
  model.classes = {"clap", "jump", "wave"};
  net::initialise(model.spec, nullptr, 1, model.weights);
  net::write_model(path, model);
}

}  // namespace actio::testing
