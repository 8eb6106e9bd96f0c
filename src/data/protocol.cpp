#include "data/protocol.h"

#include "core/error.h"

namespace actio::data {
namespace {

// The middles of `count` equal parts of a segment.
std::vector<double> even_places(int count) {
  std::vector<double> places;
  for (int i = 0; i < count; ++i) places.push_back((i + 0.5) / count);
  return places;
}

void check_place(double place) {
  if (!(place >= 0 && place <= 1)) fail_usage("a place must be between 0 and 1, got {}", place);
}

// Their number does not depend on the frame.
std::int64_t crop_count(ViewCrops crops, const Framing& framing) {
  return static_cast<std::int64_t>(view_crops(crops, 2, 2, framing).size());
}

}  // namespace

Fields Protocol::fields() {
  return {
      {"test_segments", &segments, "snippets per view of a test clip; 0: as many as the network was trained with", {}, 0, 1000},
      {"test_places", &places, "where each view looks in its segments, 0..1; scores are averaged over them", {}, 0, 1},
      choice_field("test_crops", &crops, "boxes that each place is looked at through; scores are averaged over them"),
  };
}

void check_protocol(const Protocol& protocol) {
  if (protocol.segments < 0) fail_usage("protocol: segments must be 0 or more, got {}", protocol.segments);
  if (protocol.places.empty()) fail_usage("protocol: one place at least is needed, got none");
  for (const double place : protocol.places) check_place(place);
}

void check_views(const std::vector<View>& views, ViewCrops crops, const Framing& framing) {
  const std::int64_t count = crop_count(crops, framing);
  if (views.empty()) fail_usage("one view at least is needed, got none");
  for (const View& view : views) {
    check_place(view.place);
    if (view.crop < 0 || view.crop >= count) {
      fail_usage("crop {} of a view is not among the {} of '{}'", view.crop, count, name_of(crops));
    }
  }
}

std::vector<View> Protocol::views(const Framing& framing) const {
  check_protocol(*this);
  std::vector<View> views;
  for (const double place : places) {
    for (std::int64_t crop = 0; crop < crop_count(crops, framing); ++crop) views.push_back({place, crop});
  }
  return views;
}

Protocol named_protocol(ProtocolName name) {
  switch (name) {
    case ProtocolName::kCentre: break;
    case ProtocolName::kTsn: return {25, {0.5}, ViewCrops::kTen};
    case ProtocolName::kStfn: return {0, even_places(5), ViewCrops::kCentre};
    case ProtocolName::kSlowfast: return {0, even_places(10), ViewCrops::kThree};
  }
  return {};
}

}  // namespace actio::data
