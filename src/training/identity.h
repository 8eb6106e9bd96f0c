// training: what a training depends on, as its model and its state keep it, and whether what lies at its output is of the same training.
// In: options and clips. Out: JSON and texts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "net/model_file.h"
#include "training/spec.h"

namespace actio::training {

// What the network is, by its options or, for one of one's own, by what it is made of. Options that the training fills in are changed by it.
Json network_record(TrainSpec& spec);

// The same of what the user chose alone; the rest may follow from the first weights.
Json chosen_record(const TrainSpec& spec);

// How the network was trained, without the folders of this machine.
Json train_record(TrainOptions options);

// What divided the data, without the folders of this machine.
Json data_record(data::DatasetOptions options);

// "40+8 clips, 0123456789abcdef": to train on and to choose by, and a hash of their paths, labels and sizes. The folders that all
// have in common do not count.
std::string clips_record(const data::Split& split);

// The files' names.
std::string init_text(const std::vector<std::string>& files);

// Of the files' contents; empty without files.
std::string init_record(const std::vector<std::string>& files);

// 16 hexadecimal digits.
std::string short_hash(const std::string& text);

// By which a model of the cache is found again.
std::string cache_key(const Json& config, const data::Split& split);

// What a model says of its training, without how it went.
Json config_of(const net::Model& model);

// The state that goes with a model file.
std::string state_path(const std::string& model);

// What differs in the finished model at `path` from this configuration; none where there is no finished model.
std::optional<std::string> finished_difference(const std::string& path, const Json& config);

// Throws: Error(kUsage): the finished model at `path` is another training's.
[[noreturn]] void refuse_finished(const std::string& path, const std::string& difference);

}  // namespace actio::training
