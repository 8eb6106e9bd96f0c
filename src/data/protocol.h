// data: the views of a clip that a test protocol averages its scores over. In: a protocol's name, or its parts. Out: places in
// time and crops.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "core/inputs.h"

namespace actio::data {

struct View {
  double place = 0.5;     // where it looks in its segments, 0..1
  std::int64_t crop = 0;  // which of view_crops
};

struct Protocol {
  static constexpr std::string_view kTable = "test";

  std::int64_t segments = 0;          // snippets per view; 0: as many as the network was trained with
  std::vector<double> places = {0.5}; // where each view looks in its segments, 0..1
  std::string crops = "centre";       // "centre", "three", "ten" (data::view_crops)

  Fields fields();

  // The crops of the first place, then those of the second, and so on; whole frames that are stretched have fewer. Throws: as
  // check_protocol.
  std::vector<View> views(const Framing& framing) const;
};

std::vector<std::string> protocol_names();

// "centre": one view. "tsn": 25 snippets, ten crops (Wang et al., Temporal Segment Networks, sec. 4.1). "stfn": five sequences, one
// from each fifth of every segment, averaged (STFN sec. 4.2). "slowfast": ten places, three crops.
// Throws: Error(kUsage) naming the nearest protocol.
Protocol named_protocol(std::string_view name);

// Throws: Error(kUsage) for no place, one outside of [0, 1], crops that do not exist or a negative number of segments.
void check_protocol(const Protocol& protocol);

// Throws: Error(kUsage) for no view, a place outside of [0, 1], unknown crops, or a crop that is not among them.
void check_views(const std::vector<View>& views, std::string_view crops, const Framing& framing);

}  // namespace actio::data
