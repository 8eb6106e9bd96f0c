// exporter: what a reader of an ONNX file needs to know beside the network. In: a model. Out: sentences and metadata.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/model_file.h"

namespace actio::exporter {

std::string model_text(const net::Model& model);
std::string input_text(const net::Model& model, const std::string& input);
std::string scores_text(const net::Model& model);
std::string probabilities_text();

// Keys and values: actio.format, network, segments, classes, inputs, the options that make them (preprocess) and, where the model came from a file, its hash.
std::vector<std::pair<std::string, std::string>> metadata(const net::Model& model);

}  // namespace actio::exporter
