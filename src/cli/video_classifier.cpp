#include "cli/video_classifier.h"

#include <algorithm>

#include "cli/interrupt.h"
#include "cli/terminal_progress.h"
#include "data/flow_cache.h"

namespace actio::cli {
namespace {

bool has_input(const net::NetSpec& spec, const std::string& name) {
  return std::ranges::any_of(spec.nodes, [&](const net::Node& node) { return node.op == net::Op::kInput && node.name == name; });
}

}  // namespace

VideoClassifier::VideoClassifier(const std::string& model_path, const runtime::RuntimeOptions& options,
                                 const ReadingOptions& reading)
    : model_(net::read_model(model_path)),
      reading_(reading),
      classifier_(runtime::compile(model_.spec, model_.weights, options)) {
  if (reading_.flow_cache.empty()) return;
  if (model_.preprocess.motion == "flow") data::make_cache_folder(reading_.flow_cache);
  else print_warning(fmt::format("{}: reads motion '{}', so --flow-cache has no use", model_path, model_.preprocess.motion));
}

data::ClipInput VideoClassifier::read(const std::string& video) const {
  data::ClipRequest request;
  request.path = video;
  request.segments = model_.spec.segments;
  request.preprocess = model_.preprocess;
  request.rgb = has_input(model_.spec, "rgb");
  request.motion = has_input(model_.spec, "motion");
  request.sampling = data::Sampling::kCentre;
  request.flow_cache = reading_.flow_cache;
  request.flow_threads = reading_.flow_threads;
  return data::read_clip(request, interrupt_token());
}

VideoScores VideoClassifier::classify(const data::ClipInput& clip) {
  TensorMap values = classifier_->run(clip.inputs);
  const std::int64_t classes = values.at(model_.spec.output).numel();
  return {values.at(model_.spec.output).reshaped({classes}), values.at(model_.spec.scores).reshaped({classes})};
}

}  // namespace actio::cli
