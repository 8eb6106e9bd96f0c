// net: a model of published image weights. In: a file of tensors with torchvision's names. Out: a model, and what is to be said of it.
#pragma once

#include <string>
#include <vector>

#include "core/chosen.h"
#include "net/model_file.h"
#include "net/zoo.h"

namespace actio::net {

struct ImportRequest {
  std::string source;
  std::string labels;    // a text file with one class name per line; empty: "class 0" and so on
  std::string prefix;    // of the names that are read; empty: all
  bool partial = false;  // what fits into the chosen network; else the whole source, as a network of pictures
  NetworkOptions options;
  Preprocess preprocess;
  Chosen chosen;         // of these options
};

struct Imported {
  Model model;
  std::vector<std::string> notes;  // for people, in order
};

// Throws: Error(kUsage) for options that a network of pictures does not have; Error(kBadData) naming the file for a tensor that is missing or has no
// place, and for another number of labels than classes; as read_weights.
Imported import_model(ImportRequest request);

}  // namespace actio::net
