#include "core/inputs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace actio {
namespace {

constexpr std::string_view kInputs = "inputs";

InputKind kind_of(Motion motion) {
  switch (motion) {
    case Motion::kVectors: return InputKind::kVectors;
    case Motion::kRgbDifference: return InputKind::kRgbDifference;
    case Motion::kFlow: return InputKind::kFlow;
    case Motion::kNone: break;
  }
  fail_usage("the network has a motion stream, but motion is 'none'; choose mv, rgbdiff or flow");
}

Motion motion_of(InputKind kind) {
  switch (kind) {
    case InputKind::kVectors: return Motion::kVectors;
    case InputKind::kRgbDifference: return Motion::kRgbDifference;
    case InputKind::kFlow: return Motion::kFlow;
    case InputKind::kFrame: break;
  }
  return Motion::kNone;
}

InputKind kind_named(const std::string& name, const Preprocess& preprocess) {
  if (name == "rgb") return InputKind::kFrame;
  if (name == "motion") return kind_of(preprocess.motion);
  InputKind kind{};
  if (name != "frame" && set_by_name(name, kind)) return kind;
  if (name.empty()) fail_usage("streams: a name is missing; known: rgb, motion, rgbdiff, flow, mv");
  fail_unknown_name("stream", name, {"rgb", "motion", "rgbdiff", "flow", "mv"});
}

InputSpec input_of(const std::string& name, const Preprocess& preprocess) {
  InputSpec input;
  input.name = name;
  input.kind = kind_named(name, preprocess);
  input.size = preprocess.input_size;
  input.length = input.kind == InputKind::kFrame ? 1 : preprocess.motion_length;
  input.mean = preprocess.rgb_mean;
  input.std = preprocess.rgb_std;
  if (!has_colours(input.kind)) {
    input.mean = {preprocess.motion_mean};
    input.std = {preprocess.motion_std};
    input.bound = preprocess.motion_bound;
  }
  if (input.kind != InputKind::kFrame) input.window = preprocess.motion_window;
  if (input.kind == InputKind::kVectors) {
    input.key_frames = preprocess.key_frames;
    input.vectors = preprocess.vectors;
  }
  if (input.kind == InputKind::kFlow) {
    input.flow_quality = preprocess.flow_quality;
    input.flow_short_side = preprocess.flow_short_side;
  }
  return input;
}

void check_count(const InputSpec& input, std::string_view what, const std::vector<double>& values, std::size_t wanted) {
  if (values.size() == wanted) return;
  fail_usage("the input '{}' of kind {} has {} values of its {}, {} were expected", input.name, name_of(input.kind), values.size(), what, wanted);
}

void check_input(const InputSpec& input) {
  const std::size_t parts = has_colours(input.kind) ? 3 : 1;
  if (input.name.empty()) fail_usage("an input of kind {} has no name", name_of(input.kind));
  check_count(input, "mean", input.mean, parts);
  check_count(input, "deviation", input.std, parts);
  if (input.length < 1 || input.length > 64) fail_usage("the input '{}' has length {}, 1 to 64 were expected", input.name, input.length);
  if (input.size < 16 || input.size > 4096) fail_usage("the input '{}' has {} pixels, 16 to 4096 were expected", input.name, input.size);
  for (const double mean : input.mean) {
    if (!std::isfinite(mean)) fail_usage("the input '{}' has a mean of {}", input.name, mean);
  }
  for (const double deviation : input.std) {
    if (!(deviation >= 1e-6) || !std::isfinite(deviation)) fail_usage("the input '{}' has a deviation of {}, 1e-6 at least was expected", input.name, deviation);
  }
  if (!has_colours(input.kind) && !(input.bound >= 1e-3 && input.bound <= 1e4)) {
    fail_usage("the input '{}' has a bound of {} pixels, 0.001 to 10000 were expected", input.name, input.bound);
  }
}

// A video is read once for all inputs.
void check_together(const InputSpec& a, const InputSpec& b) {
  if (a.name == b.name) fail_usage("two inputs are named '{}'", a.name);
  if (a.kind != b.kind) return;
  const bool flow = a.kind == InputKind::kFlow, vectors = a.kind == InputKind::kVectors;
  if (flow && (a.flow_quality != b.flow_quality || a.flow_short_side != b.flow_short_side || a.bound != b.bound)) {
    fail_usage("the inputs '{}' and '{}' need flow of two settings: {} at {} px up to {}, and {} at {} px up to {}", a.name, b.name,
               a.flow_quality, a.flow_short_side, a.bound, b.flow_quality, b.flow_short_side, b.bound);
  }
  if (vectors && a.vectors != b.vectors) {
    fail_usage("the inputs '{}' and '{}' take vectors from two sources: {} and {}", a.name, b.name, name_of(a.vectors), name_of(b.vectors));
  }
  if (vectors && a.key_frames != b.key_frames) {
    fail_usage("the inputs '{}' and '{}' take the vectors of key frames in two ways: {} and {}", a.name, b.name, name_of(a.key_frames),
               name_of(b.key_frames));
  }
}

const Json& member(const Json& json, const char* key, std::string_view where) {
  if (!json.is_object() || !json.contains(key)) fail_usage("{}: has no '{}'", where, key);
  return json.at(key);
}

}  // namespace

Fields fields_of(Framing& framing) {
  return {
      {"size", &framing.size, "side of a crop of the scaled frame, pixels", {}, 16, 4096},
      {"short_side", &framing.short_side, "short side of the frame that crops are cut from, pixels", {}, 16, 8192},
      choice_field("resize", &framing.resize, "crop: scale the short side, then crop; stretch: the whole frame to the input size"),
  };
}

Fields fields_of(InputSpec& input) {
  Fields fields = {
      {"name", &input.name, "of the network's input"},
      choice_field("kind", &input.kind, "what of the video it shows"),
      {"length", &input.length, "frames, differences or fields in a snippet", {}, 1, 64},
      {"size", &input.size, "height and width, pixels", {}, 16, 4096},
      {"mean", &input.mean, "on the 0..255 scale"},
      {"std", &input.std, "divisor, on the 0..255 scale", {}, 1e-6},
      choice_field("window", &input.window, "neighbours that start at the sampled frame or are centred on it"),
  };
  if (!has_colours(input.kind)) fields.push_back({"bound", &input.bound, "clip for displacements, pixels at a short side of 256", {}, 1e-3, 1e4});
  if (input.kind == InputKind::kVectors) {
    fields.push_back(choice_field("key_frames", &input.key_frames, "vectors of key frames: carry, or zero"));
    fields.push_back(choice_field("vectors", &input.vectors, "the codec's, or estimated ones"));
  }
  if (input.kind == InputKind::kFlow) {
    fields.push_back({"flow_quality", &input.flow_quality, "setting of TV-L1", {"paper", "fast", "realtime"}});
    fields.push_back({"flow_short_side", &input.flow_short_side, "short side of the pictures it is computed on, pixels; 0: as in the video", {}, 0, 4096});
  }
  return fields;
}

InputSpec InputSpec::of(std::string name, InputKind kind, std::int64_t size, std::int64_t length) {
  InputSpec input;
  input.name = std::move(name);
  input.kind = kind;
  input.size = size;
  input.length = length;
  const Preprocess usual;
  input.mean = has_colours(kind) ? usual.rgb_mean : std::vector<double>{usual.motion_mean};
  input.std = has_colours(kind) ? usual.rgb_std : std::vector<double>{usual.motion_std};
  return input;
}

const InputSpec* Inputs::find(std::string_view name) const {
  const auto found = std::ranges::find(list, name, &InputSpec::name);
  return found == list.end() ? nullptr : &*found;
}

const InputSpec* Inputs::find(InputKind kind) const {
  const auto found = std::ranges::find(list, kind, &InputSpec::kind);
  return found == list.end() ? nullptr : &*found;
}

bool Inputs::moves() const {
  return std::ranges::any_of(list, [](const InputSpec& input) { return input.kind != InputKind::kFrame; });
}

std::vector<std::string> Inputs::names() const {
  std::vector<std::string> names;
  for (const InputSpec& input : list) names.push_back(input.name);
  return names;
}

void check_inputs(const Inputs& inputs) {
  for (const InputSpec& input : inputs.list) check_input(input);
  for (std::size_t i = 0; i < inputs.list.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) check_together(inputs.list[j], inputs.list[i]);
  }
}

Inputs inputs_of(const std::vector<std::string>& names, const Preprocess& preprocess) {
  Inputs inputs{{preprocess.input_size, preprocess.short_side, preprocess.resize}, {}};
  for (const std::string& name : names) inputs.list.push_back(input_of(name, preprocess));
  check_inputs(inputs);
  return inputs;
}

Preprocess preprocess_of(const Inputs& inputs) {
  Preprocess preprocess;
  preprocess.input_size = inputs.framing.size;
  preprocess.short_side = inputs.framing.short_side;
  preprocess.resize = inputs.framing.resize;
  const InputSpec* frame = inputs.find(InputKind::kFrame);
  const InputSpec* coloured = frame != nullptr ? frame : inputs.find(InputKind::kRgbDifference);
  if (coloured != nullptr) {
    preprocess.rgb_mean = coloured->mean;
    preprocess.rgb_std = coloured->std;
  }
  for (const InputSpec& input : inputs.list) {
    if (input.kind == InputKind::kFrame) continue;
    preprocess.motion_length = input.length;
    preprocess.motion_window = input.window;
    if (!has_colours(input.kind)) {
      preprocess.motion_bound = input.bound;
      preprocess.motion_mean = input.mean.at(0);
      preprocess.motion_std = input.std.at(0);
    }
    if (input.kind == InputKind::kVectors) {
      preprocess.key_frames = input.key_frames;
      preprocess.vectors = input.vectors;
    }
    if (input.kind == InputKind::kFlow) {
      preprocess.flow_quality = input.flow_quality;
      preprocess.flow_short_side = input.flow_short_side;
    }
    if (input.name == "motion") preprocess.motion = motion_of(input.kind);
  }
  return preprocess;
}

Json to_json(const Inputs& inputs) {
  Framing framing = inputs.framing;
  Json json = fields_to_json(fields_of(framing));
  json[kInputs] = Json::array();
  for (InputSpec input : inputs.list) json[kInputs].push_back(fields_to_json(fields_of(input)));
  return json;
}

Inputs inputs_from_json(const Json& json, std::string_view where) {
  Inputs inputs;
  const Json& list = member(json, kInputs.data(), where);
  if (!list.is_array()) fail_usage("{}: '{}' must be a list", where, kInputs);
  Json framing = json;
  framing.erase(std::string(kInputs));
  fields_from_json(fields_of(inputs.framing), framing, where);
  for (const Json& entry : list) {
    InputSpec& input = inputs.list.emplace_back();
    const Json& kind = member(entry, "kind", where);
    if (!kind.is_string()) fail_usage("{}: the kind of an input must be a name", where);
    input.kind = value_named<InputKind>("kind of input", kind.get<std::string>());
    fields_from_json(fields_of(input), entry, where);
  }
  check_inputs(inputs);
  return inputs;
}

}  // namespace actio
