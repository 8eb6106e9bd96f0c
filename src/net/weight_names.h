// net: published weights under the names that their authors' wrappers gave them ("module.base_model.conv1.weight"). In:
// tensors of a file. Out: the same under torchvision's names, and what was done.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "net/netspec.h"
#include "net/zoo.h"

namespace actio::net {

struct NamedWeights {
  TensorMap tensors;
  std::vector<std::string> notes;  // what was done, for a reader: "names without 'module.'"
  std::string remark;              // of the names, to stand behind an error: " (names without 'module.')"; may be empty
};

// Takes off what stands before the names of the backbone's parameters, or of the network's own (null: none), where behind it
// as many as half of the backbone's parameters are found, and fewer without. A linear layer over the backbone's features
// becomes its classifier where there is one alone and none by that name. Names that fit stay as they are, and so do those
// that fit in no way. Throws: Error(kBadData) naming `where` and both prefixes where the backbone's weights lie below two,
// or the name that two tensors would have.
NamedWeights fit_names(TensorMap source, const NetworkOptions& options, const NetSpec* network, const std::string& where);

// The tensors whose names begin so, under their names without it. Throws: Error(kUsage) naming how names do begin.
TensorMap weights_below(TensorMap source, std::string_view prefix, const std::string& where);

}  // namespace actio::net
