// training: the network that a configuration ends with, untrained. In: a staged TOML file as JSON. Out: a model that runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/model_file.h"
#include "training/reproduce/row_config.h"

namespace actio::training {

// Of the last stage, with fresh weights and `classes` numbered classes. `where` is the file's name.
// Throws: as changed_config, read_stages and build_network.
net::Model untrained_model(const Json& config, const std::vector<ConfigChange>& changes, const std::vector<std::string>& keep, std::int64_t classes,
                           const std::string& where);

}  // namespace actio::training
