#include "cli/video_classifier.h"

#include <algorithm>
#include <cmath>

#include "cli/interrupt.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "data/flow_cache.h"
#include "net/infer.h"

namespace actio::cli {
namespace {

constexpr std::size_t kPartsAhead = 4;  // of full size

bool has_op(const net::NetSpec& spec, net::Op op) {
  return std::ranges::any_of(spec.nodes, [&](const net::Node& node) { return node.op == op; });
}

// The model with another number of segments, where its network has one meaning for both.
net::Model with_segments(net::Model model, std::int64_t segments, const std::string& path) {
  const std::int64_t trained = model.spec.segments;
  if (segments == 0 || segments == trained) return model;
  const auto refuse = [&](const std::string& why) {
    fail_usage("{}: {} has {} segments and cannot be tested on {}: {}; '--test-segments 0' keeps its own", path,
               model.spec.name, trained, segments, why);
  };
  // Tuples name segments by number: with fewer they point outside, with more some would never be looked at.
  if (has_op(model.spec, net::Op::kTimeTuples)) refuse("its relations are between numbered segments");
  const std::vector<net::ParamInfo> before = net::parameters(model.spec);
  std::vector<net::ParamInfo> after;
  model.spec.segments = segments;
  try {
    after = net::parameters(model.spec);
  } catch (const Error& error) {
    refuse(error.what());
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].shape == after[i].shape) continue;
    refuse(
        fmt::format("'{}' would be {} and not {}", before[i].name, shape_text(after[i].shape), shape_text(before[i].shape)));
  }
  if (has_op(model.spec, net::Op::kSegmentDiff) || has_op(model.spec, net::Op::kSegmentStack)) {
    print_warning(fmt::format("{}: {} learnt how {} segments follow each other; on {} they lie closer or farther apart",
                              path, model.spec.name, trained, segments));
  }
  return model;
}

std::size_t view_bytes(const net::NetSpec& spec) {
  std::size_t bytes = 0;
  for (const net::Node& node : spec.nodes) {
    if (node.op == net::Op::kInput)
      bytes += static_cast<std::size_t>(spec.segments * shape_numel(node.attrs.shape)) * sizeof(float);
  }
  return std::max<std::size_t>(bytes, 1);
}

std::optional<net::Head> head_of(const net::NetSpec& spec, const std::string& name) {
  if (name.empty()) return std::nullopt;
  std::vector<std::string> known;
  for (const net::Head& head : spec.heads) {
    if (head.training_only) continue;
    if (head.name == name) return head;
    known.push_back(head.name);
  }
  fail_usage("{}: {}", spec.name, unknown_name_text("head", name, known));
}

Tensor softmax_of(const Tensor& logits) {
  const auto values = logits.values<float>();
  const double highest = *std::ranges::max_element(values);
  double sum = 0;
  for (const float x : values) sum += std::exp(x - highest);
  Tensor result(logits.shape());
  for (std::size_t c = 0; c < values.size(); ++c)
    result.data<float>()[c] = static_cast<float>(std::exp(values[c] - highest) / sum);
  return result;
}

std::vector<double> sum_of(std::vector<double> sum, const Tensor& more) {
  const auto values = more.values<float>();
  sum.resize(values.size());
  for (std::size_t c = 0; c < values.size(); ++c) sum[c] += values[c];
  return sum;
}

Tensor mean_of(const std::vector<double>& sum, std::size_t count) {
  Tensor mean({static_cast<std::int64_t>(sum.size())});
  for (std::size_t c = 0; c < sum.size(); ++c)
    mean.data<float>()[c] = static_cast<float>(sum[c] / static_cast<double>(count));
  return mean;
}

}  // namespace

void ViewMean::add(const Tensor& probabilities, const Tensor& scores) {
  probabilities_ = sum_of(std::move(probabilities_), probabilities);
  scores_ = sum_of(std::move(scores_), scores);
  ++views_;
}

VideoScores ViewMean::mean() const {
  if (views_ == 0) fail("the mean of no view is not defined");
  return {mean_of(probabilities_, views_), mean_of(scores_, views_)};
}

VideoClassifier::VideoClassifier(const std::string& model_path, const runtime::RuntimeOptions& options,
                                 const ReadingOptions& reading)
    : model_(with_segments(net::read_model(model_path), reading.protocol.segments, model_path)),
      reading_(reading),
      views_(reading.protocol.views(model_.preprocess)),
      views_of_part_(std::clamp<std::size_t>(reading.part_bytes / view_bytes(model_.spec), 1, views_.size())),
      head_(head_of(model_.spec, reading.head)),
      classifier_(runtime::compile(model_.spec, model_.weights, options)) {
  const bool flow = model_.preprocess.motion == "flow" && model_.spec.has_input("motion");
  // Flow that is not kept would be computed anew for each part, which costs far more than memory.
  if (flow && reading_.flow_cache.empty()) views_of_part_ = views_.size();
  if (reading_.flow_cache.empty()) return;
  if (model_.preprocess.motion == "flow")
    data::make_cache_folder(reading_.flow_cache);
  else
    print_warning(fmt::format("{}: reads motion '{}', so --flow-cache has no use", model_path, model_.preprocess.motion));
}

std::size_t VideoClassifier::parts_at_once() const {
  return std::max<std::size_t>(1, kPartsAhead * reading_.part_bytes / (views_of_part_ * view_bytes(model_.spec)));
}

bool VideoClassifier::has_logits() const {
  // Networks that average probabilities inside have no logits: their scores are their output.
  return head_ ? head_->loss == "cross_entropy" : model_.spec.scores != model_.spec.output;
}

data::ClipInput VideoClassifier::read(const std::string& video, std::size_t part) const {
  const auto begin = static_cast<std::ptrdiff_t>(part * views_of_part_);
  const auto end = static_cast<std::ptrdiff_t>(std::min(views_.size(), (part + 1) * views_of_part_));
  data::ClipRequest request;
  request.path = video;
  request.segments = model_.spec.segments;
  request.preprocess = model_.preprocess;
  request.rgb = model_.spec.has_input("rgb");
  request.motion = model_.spec.has_input("motion");
  request.sampling = data::Sampling::kCentre;
  request.views.assign(views_.begin() + begin, views_.begin() + end);
  request.crops = reading_.protocol.crops;
  request.flow_cache = reading_.flow_cache;
  request.flow_threads = reading_.flow_threads;
  const auto read = [](const data::ClipRequest& wanted, data::ClipMemory& memory, const std::stop_token& stop) {
    return data::read_clip(wanted, memory, stop);
  };
  return data::read_patiently(read, data::usual_patience(), request, *memory_, interrupt_token());
}

void VideoClassifier::add(const data::ClipInput& clip, ViewMean& mean) {
  const std::int64_t segments = model_.spec.segments;
  const std::int64_t rows = clip.inputs.begin()->second.dim(0);
  for (std::int64_t row = 0; row < rows; row += segments) {
    throw_if_interrupted();
    TensorMap view;
    for (const auto& [name, tensor] : clip.inputs) view[name] = tensor.rows(row, segments);
    const TensorMap values = classifier_->run(view);
    const Tensor& answer = values.at(head_ ? head_->node : model_.spec.scores);
    const Tensor scores = answer.reshaped({answer.numel()});
    if (head_)
      mean.add(has_logits() ? softmax_of(scores) : scores, scores);
    else
      mean.add(values.at(model_.spec.output).reshaped({answer.numel()}), scores);
  }
}

VideoScores VideoClassifier::classify(const data::ClipInput& clip) {
  ViewMean mean;
  add(clip, mean);
  return mean.mean();
}

}  // namespace actio::cli
