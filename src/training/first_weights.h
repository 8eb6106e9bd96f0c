// training: the first weights of a training, and the settings that come with them. In: files. Out: a network with its weights.
#pragma once

#include <string>
#include <vector>

#include "net/model_file.h"
#include "training/spec.h"

namespace actio::training {

// What first weights demand of what the user left open: the backbone, and how pixels and motion reach it. `source` is named in
// errors.
struct ParentSettings {
  net::NetworkOptions network;
  Preprocess preprocess;
  bool moves = false;  // whether it has an input that shows motion
};
void adopt_settings(ParentSettings parent, const std::string& source, TrainSpec& spec);

// What the settings of a file (a model; others have none) decide of what the user left open, as in initialise_model.
void adopt_settings_of(const std::string& file, TrainSpec& spec);

// Fills the model's network, preprocessing and weights from `files`, of which an earlier one goes before a later one where both
// have a tensor. What the user left open in `spec` follows from the files.
// Returns: what came from where, in four lines; empty without files.
// Throws: Error naming the file where nothing of it fits, or, unless `partial`, anything of it does not.
std::string initialise_model(const std::vector<std::string>& files, bool partial, TrainSpec& spec, net::Model& model);

}  // namespace actio::training
