#include "exporter/onnx_text.h"

#include <fmt/ranges.h>

#include "core/error.h"

namespace actio::exporter {
namespace {

constexpr const char* kFormat = "1";

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string colours_text(const InputSpec& input) {
  const std::string values = fmt::format("(level - mean) / std of levels 0..255, mean [{}], std [{}]", fmt::join(input.mean, ", "),
                                         fmt::join(input.std, ", "));
  if (input.kind == InputKind::kRgbDifference) {
    return fmt::format("planes R G B of {} differences of neighbouring frames, of values {}", input.length, values);
  }
  return input.length == 1 ? "planes R G B; " + values : fmt::format("planes R G B of {} frames; {}", input.length, values);
}

std::string fields_text(const InputSpec& input) {
  return fmt::format(
      "planes x y of {} motion fields; (level - {}) / {}, level = round(128 + 127 v / {}), v pixels per frame at a short side of 256, "
      "clipped to +-{}",
      input.length, input.mean.at(0), input.std.at(0), input.bound, input.bound);
}

}  // namespace

std::string model_text(const net::Model& model) {
  return fmt::format("Recognises the action of a clip of {} snippets out of {} classes: {}.", model.spec.segments,
                     model.classes.size(), model.spec.name);
}

std::string input_text(const net::Model& model, const std::string& input) {
  const InputSpec* spec = model.inputs.find(input);
  std::string planes = "values of each snippet";
  if (spec != nullptr) planes = has_colours(spec->kind) ? colours_text(*spec) : fields_text(*spec);
  return "[clip, snippet in time order, plane, row, column]: " + planes;
}

std::string scores_text(const net::Model& model) {
  return model.spec.scores == model.spec.output ? "[clip, class]: the probabilities; the network has no other scores"
                                                : "[clip, class]: before the softmax";
}

std::string probabilities_text() { return "[clip, class]: they add up to 1"; }

std::vector<std::pair<std::string, std::string>> metadata(const net::Model& model) {
  Preprocess preprocess = preprocess_of(model.inputs);
  std::vector<std::pair<std::string, std::string>> entries = {
      {"actio.format", kFormat},
      {"actio.network", model.spec.name},
      {"actio.segments", std::to_string(model.spec.segments)},
      {"actio.classes", text_of(Json(model.classes))},
      {"actio.inputs", text_of(to_json(model.inputs))},
      {"actio.preprocess", text_of(fields_to_json(preprocess.fields()))},
  };
  if (!model.hash.empty()) entries.emplace_back("actio.hash", model.hash);
  return entries;
}

}  // namespace actio::exporter
