#include "exporter/onnx_text.h"

#include <fmt/ranges.h>

#include "core/error.h"

namespace actio::exporter {
namespace {

constexpr const char* kFormat = "1";

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string motion_text(const Preprocess& p) {
  if (p.motion == Motion::kRgbDifference) {
    return fmt::format("planes R G B of {} differences of neighbouring frames, of values as in the input rgb", p.motion_length);
  }
  return fmt::format(
      "planes x y of {} motion fields; (level - {}) / {}, level = round(128 + 127 v / {}), v pixels per frame at a short side of 256, "
      "clipped to +-{}",
      p.motion_length, p.motion_mean, p.motion_std, p.motion_bound, p.motion_bound);
}

}  // namespace

std::string model_text(const net::Model& model) {
  return fmt::format("Recognises the action of a clip of {} snippets out of {} classes: {}.", model.spec.segments,
                     model.classes.size(), model.spec.name);
}

std::string input_text(const net::Model& model, const std::string& input) {
  const Preprocess& p = model.preprocess;
  std::string planes = "values of each snippet";
  if (input == "rgb") {
    planes = fmt::format("planes R G B; (level - mean) / std of levels 0..255, mean [{}], std [{}]", fmt::join(p.rgb_mean, ", "),
                         fmt::join(p.rgb_std, ", "));
  } else if (input == "motion") {
    planes = motion_text(p);
  }
  return "[clip, snippet in time order, plane, row, column]: " + planes;
}

std::string scores_text(const net::Model& model) {
  return model.spec.scores == model.spec.output ? "[clip, class]: the probabilities; the network has no other scores"
                                                : "[clip, class]: before the softmax";
}

std::string probabilities_text() { return "[clip, class]: they add up to 1"; }

std::vector<std::pair<std::string, std::string>> metadata(const net::Model& model) {
  Preprocess preprocess = model.preprocess;
  std::vector<std::pair<std::string, std::string>> entries = {
      {"actio.format", kFormat},
      {"actio.network", model.spec.name},
      {"actio.segments", std::to_string(model.spec.segments)},
      {"actio.classes", text_of(Json(model.classes))},
      {"actio.preprocess", text_of(fields_to_json(preprocess.fields()))},
  };
  if (!model.hash.empty()) entries.emplace_back("actio.hash", model.hash);
  return entries;
}

}  // namespace actio::exporter
