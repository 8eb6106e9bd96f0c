// cli: the first weights of a training, and the settings that come with them. In: files. Out: a network with its weights.
#pragma once

#include <string>
#include <vector>

#include "cli/train_arguments.h"
#include "net/model_file.h"

namespace actio::cli {

// The network that a training would begin with: as initialise_model, with the settings of the files and without their weights, and
// it prints nothing.
net::NetSpec first_network(const std::vector<std::string>& files, const OptionFlags& flags, TrainTables& tables);

// Fills the model's network, preprocessing and weights from `files`, of which an earlier one goes before a later one where both
// have a tensor, and prints what came from where. What the user left open in `tables` follows from the files.
// Throws: Error naming the file where nothing of it fits, or, unless `partial`, anything of it does not.
void initialise_model(const std::vector<std::string>& files, bool partial, const OptionFlags& flags, TrainTables& tables,
                      net::Model& model);

}  // namespace actio::cli
