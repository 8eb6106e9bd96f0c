#include "core/error.h"
#include "data/scan.h"

namespace actio::data {
namespace {

std::string json_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json clip_json(const ClipScan& clip, const Item& item) {
  Json json = {{"path", item.path},
               {"label", item.label},
               {"part", part_name(clip.part)},
               {"scanned", clip.scanned},
               {"bytes", clip.bytes},
               {"hash", clip.hash},
               {"codec", clip.codec},
               {"width", clip.width},
               {"height", clip.height},
               {"frames", clip.frames},
               {"frames_claimed", clip.frames_claimed},
               {"damaged_frames", clip.damaged_frames},
               {"refused_packets", clip.refused_packets},
               {"seconds", clip.seconds},
               {"seconds_claimed", clip.seconds_claimed},
               {"findings", Json::array()}};
  for (const Finding& finding : clip.findings) {
    json["findings"].push_back(
        {{"kind", finding_name(finding.kind)}, {"bad", is_bad(finding.kind)}, {"text", finding.text}});
  }
  return json;
}

}  // namespace

void write_json(std::ostream& stream, const ScanReport& report, const Dataset& dataset) {
  Json head = {{"dataset", dataset.source},   {"layout", name_of(dataset.layout)},     {"protocol", dataset.protocol},
               {"classes", dataset.classes},  {"clips", report.clips.size()}, {"scanned", report.scanned()},
               {"stopped", report.stopped},   {"bad", report.bad()},          {"counts", Json::object()},
               {"warnings", dataset.warnings}};
  for (const FindingKind kind : kFindingKinds) head["counts"][finding_name(kind)] = report.count(kind);
  stream << "{\n";
  for (const auto& [key, value] : head.items()) stream << fmt::format(" {}: {},\n", json_line(key), json_line(value));
  stream << " \"items\": [";
  for (std::size_t i = 0; i < report.clips.size(); ++i) {
    const ClipScan& clip = report.clips[i];
    stream << (i == 0 ? "\n  " : ",\n  ") << json_line(clip_json(clip, dataset.items[clip.item]));
  }
  stream << "\n ]\n}\n";
}

}  // namespace actio::data
