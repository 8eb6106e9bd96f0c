// net: what a model knows of its arithmetic in other precisions: how far its values reach, and what was measured with it. In: clips that ran through
// the network (recognize/quantize.h). Out: a record of the model file; the runtime makes scales of it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "net/netspec.h"

namespace actio::net {

// Of a value that is to be represented by 8 bits; what lies outside is moved to the nearer end.
struct Range {
  float low = 0, high = 0;
  std::vector<float> means = {};  // of each channel: what rounded weights are off by on these is taken off the bias; may be empty
  bool operator==(const Range&) const = default;
};

using Ranges = std::map<std::string, Range, std::less<>>;  // by node

struct Quantization {
  Ranges ranges;                   // empty: not measured
  std::vector<std::string> borne;  // precisions in which the model answers as well as in f32: what "auto" may take
  Json record;                     // what was measured, for people; may be null

  bool empty() const { return ranges.empty(); }
  bool operator==(const Quantization&) const = default;
};

Json to_json(const Quantization& quantization);
// Throws: Error(kBadData) naming `where`: for another structure, a range that is not one, and a node that the network does not have.
Quantization quantization_from_json(const Json& json, const NetSpec& spec, std::string_view where);

}  // namespace actio::net
