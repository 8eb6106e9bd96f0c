#include "data/protocol.h"

#include "core/error.h"
#include "data/crop.h"

namespace actio::data {
namespace {

// The middles of `count` equal parts of a segment.
std::vector<double> even_places(int count) {
  std::vector<double> places;
  for (int i = 0; i < count; ++i) places.push_back((i + 0.5) / count);
  return places;
}

}  // namespace

Fields Protocol::fields() {
  return {
      {"test_segments", &segments, "snippets per view of a test clip; 0: as many as the network was trained with", {}, 0, 1000},
      {"test_places", &places, "where each view looks in its segments, 0..1; scores are averaged over them", {}, 0, 1},
      {"test_crops", &crops, "boxes that each place is looked at through; scores are averaged over them", view_crop_names()},
  };
}

void check_protocol(const Protocol& protocol) {
  if (protocol.segments < 0) fail_usage("protocol: segments must be 0 or more, got {}", protocol.segments);
  if (protocol.places.empty()) fail_usage("protocol: one place at least is needed, got none");
  for (const double place : protocol.places) {
    if (!(place >= 0 && place <= 1)) fail_usage("protocol: a place must be between 0 and 1, got {}", place);
  }
  view_crops(protocol.crops, 2, 2, Preprocess{});
}

std::int64_t Protocol::views() const {
  check_protocol(*this);
  return static_cast<std::int64_t>(places.size() * view_crops(crops, 2, 2, Preprocess{}).size());
}

std::vector<std::string> protocol_names() { return {"centre", "tsn", "stfn", "slowfast"}; }

Protocol named_protocol(std::string_view name) {
  if (name == "centre") return {};
  if (name == "tsn") return {25, {0.5}, "ten"};
  if (name == "stfn") return {0, even_places(5), "centre"};
  if (name == "slowfast") return {0, even_places(10), "three"};
  fail_usage("{}", unknown_name_text("protocol", name, protocol_names()));
}

}  // namespace actio::data
