#include "core/error.h"
#include "video/examine.h"
#include "video/orientation.h"

namespace actio::video {
namespace {

Json coverage_json(const VectorCoverage& coverage) {
  return {{"frames", coverage.frames}, {"mean_share", coverage.mean_share}, {"mean_magnitude", coverage.mean_magnitude}};
}

std::string rate_text(const Examination& examination) {
  const double rate = examination.info.frames_per_second;
  std::string text = rate > 0 ? fmt::format("{:.5g} frames/s", rate) : "unknown";
  if (examination.counters.frames > 1) text += examination.constant_rate ? ", constant" : ", variable";
  return text;
}

std::string picture_text(const StreamInfo& info) {
  const std::string text = fmt::format("{} x {}", info.width, info.height);
  const std::string orientation = orientation_text(info.orientation);
  return orientation.empty() ? text : text + ", " + orientation + " for display";
}

std::string coverage_text(const VectorCoverage& coverage) {
  if (coverage.frames == 0) return "no such frames";
  return fmt::format("{:.1f}% covered, {:.2f} pixels/frame on average", 100 * coverage.mean_share, coverage.mean_magnitude);
}

}  // namespace

Json to_json(const Examination& examination) {
  const StreamInfo& info = examination.info;
  const DecodeCounters& counters = examination.counters;
  Json json;
  json["path"] = info.path;
  json["container"] = info.container;
  json["codec"] = info.codec;
  json["codec_long_name"] = info.codec_long_name;
  json["profile"] = info.profile;
  json["pixel_format"] = info.pixel_format;
  json["audio"] = info.has_audio;
  json["width"] = info.width;
  json["height"] = info.height;
  json["mirrored"] = info.orientation.mirrored;
  json["rotation_degrees"] = info.orientation.degrees;
  json["skewed_degrees"] = info.skewed_degrees;
  json["pixel_aspect"] = info.pixel_aspect;
  json["track"] = info.track;
  json["tracks"] = info.tracks;
  json["frames_per_second"] = info.frames_per_second;
  json["duration_seconds"] = info.duration_seconds;
  json["frames_claimed"] = info.frames_claimed;
  json["carries_vectors"] = info.carries_vectors;
  json["packets"] = counters.packets;
  json["frames"] = counters.frames;
  json["key_frames"] = examination.key_frames;
  json["p_frames"] = examination.p_frames;
  json["b_frames"] = examination.b_frames;
  json["damaged"] = counters.damaged;
  json["errors"] = counters.errors;
  json["left_out"] = counters.left_out;
  json["constant_rate"] = examination.constant_rate;
  json["shortest_interval_seconds"] = examination.shortest_interval_seconds;
  json["longest_interval_seconds"] = examination.longest_interval_seconds;
  json["longest_gop"] = examination.longest_gop;
  json["p_coverage"] = coverage_json(examination.p_coverage);
  json["b_coverage"] = coverage_json(examination.b_coverage);
  json["sources"] = Json::array();
  for (const MotionSource& source : examination.sources) {
    json["sources"].push_back({{"name", source.name}, {"works", source.works}, {"remark", source.remark}});
  }
  json["findings"] = examination.findings;
  return json;
}

std::string to_text(const Examination& examination) {
  const StreamInfo& info = examination.info;
  const DecodeCounters& counters = examination.counters;
  std::string text;
  const auto fact = [&](const char* name, const std::string& value) { text += fmt::format("{:<16}{}\n", name, value); };
  fact("file", info.path);
  fact("container", info.container);
  fact("codec", fmt::format("{} ({})", info.codec, info.codec_long_name));
  if (info.tracks > 1) fact("track", fmt::format("{} of {} video tracks", info.track, info.tracks));
  fact("picture", picture_text(info));
  fact("rate", rate_text(examination));
  fact("duration", info.duration_seconds > 0 ? fmt::format("{:.2f} s", info.duration_seconds) : "unknown");
  fact("frames", fmt::format("{}: {} key, {} P, {} B", counters.frames, examination.key_frames, examination.p_frames,
                             examination.b_frames));
  fact("damage", fmt::format("{} frames damaged, {} packets refused, {} frames left out", counters.damaged, counters.errors,
                             counters.left_out));
  fact("longest gop", fmt::format("{} frames", examination.longest_gop));
  if (info.carries_vectors) {
    fact("P vectors", coverage_text(examination.p_coverage));
    fact("B vectors", coverage_text(examination.b_coverage));
  }
  text += "\nmotion sources\n";
  for (const MotionSource& source : examination.sources) {
    text += fmt::format("  {:<14}{}{}{}\n", source.name, source.works ? "works" : "does not work",
                        source.remark.empty() ? "" : ": ", source.remark);
  }
  text += "\nfindings\n";
  for (const std::string& finding : examination.findings) text += "  " + finding + "\n";
  if (examination.findings.empty()) text += "  none\n";
  return text;
}

}  // namespace actio::video
