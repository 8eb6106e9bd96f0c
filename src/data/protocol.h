// data: the views of a clip that a test protocol averages its scores over. In: a protocol's name, or its parts. Out: places in
// time and crops.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "core/inputs.h"
#include "data/crop.h"

namespace actio {
namespace data {

// kCentre: one view. kTsn: 25 snippets, ten crops (Wang et al., Temporal Segment Networks, sec. 4.1). kStfn: five sequences, one from
// each fifth of every segment, averaged (STFN sec. 4.2). kSlowfast: ten places, three crops.
enum class ProtocolName { kCentre, kTsn, kStfn, kSlowfast };

}  // namespace data

template <>
inline constexpr auto kNames<data::ProtocolName> = NameTable<data::ProtocolName, 4>{
    {{data::ProtocolName::kCentre, "centre"}, {data::ProtocolName::kTsn, "tsn"}, {data::ProtocolName::kStfn, "stfn"},
     {data::ProtocolName::kSlowfast, "slowfast"}}};

}  // namespace actio

namespace actio::data {

struct View {
  double place = 0.5;     // where it looks in its segments, 0..1
  std::int64_t crop = 0;  // which of view_crops
};

struct Protocol {
  static constexpr std::string_view kTable = "test";

  std::int64_t segments = 0;          // snippets per view; 0: as many as the network was trained with
  std::vector<double> places = {0.5}; // where each view looks in its segments, 0..1
  ViewCrops crops = ViewCrops::kCentre;

  Fields fields();

  // The crops of the first place, then those of the second, and so on; whole frames that are stretched have fewer. Throws: as
  // check_protocol.
  std::vector<View> views(const Framing& framing) const;
};

Protocol named_protocol(ProtocolName name);

// Throws: Error(kUsage) for no place, one outside of [0, 1] or a negative number of segments.
void check_protocol(const Protocol& protocol);

// Throws: Error(kUsage) for no view, a place outside of [0, 1], or a crop that is not among `crops`.
void check_views(const std::vector<View>& views, ViewCrops crops, const Framing& framing);

}  // namespace actio::data
