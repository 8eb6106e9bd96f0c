#include "recognize/recognizer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/cores.h"
#include "core/error.h"
#include "core/hooks.h"
#include "core/time_limit.h"
#include "data/flow_cache.h"
#include "eval/metrics.h"
#include "net/infer.h"
#include "recognize/kept_source.h"
#include "recognize/parts.h"
#include "recognize/segments.h"

namespace actio::recognize {
namespace {

constexpr std::size_t kPartsAhead = 4;  // of full size

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

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

// The session's own values change with its next run.
TensorMap kept_of(const TensorMap& values, const std::vector<std::string>& names) {
  TensorMap kept;
  for (const std::string& name : names) kept.emplace(name, values.at(name).clone());
  return kept;
}

std::string text_of(const Tensor& tensor) {
  return tensor.defined() ? fmt::format("{} {}", dtype_name(tensor.dtype()), shape_text(tensor.shape())) : "nothing";
}

std::string motion_text(const Inputs& inputs) {
  std::string text;
  for (const InputSpec& input : inputs.list) {
    if (input.kind != InputKind::kFrame) text += fmt::format("{}{}", text.empty() ? "" : ", ", name_of(input.kind));
  }
  return text.empty() ? "none" : text;
}

// Whole views of each of the network's inputs, and nothing else.
void require_views(const net::NetSpec& spec, const std::string& name, const TensorMap& inputs) {
  const std::vector<std::string> known = net::input_names(spec);
  for (const auto& [input, tensor] : inputs) {
    if (std::ranges::find(known, input) == known.end()) fail_usage("{}: {}", name, unknown_name_text("input", input, known));
  }
  std::int64_t rows = 0;
  for (const std::string& input : known) {
    const auto found = inputs.find(input);
    const Tensor given = found == inputs.end() ? Tensor() : found->second;
    Shape wanted = spec.node(input).attrs.shape;
    if (rows == 0 && !given.shape().empty()) rows = given.dim(0);
    wanted.insert(wanted.begin(), std::max(rows, spec.segments));
    if (given.defined() && given.dtype() == DType::kF32 && given.shape() == wanted && rows % spec.segments == 0) continue;
    fail_usage("{}: the input '{}' must be f32 {}, or a multiple of {} rows for several views, got {}", name, input,
               shape_text(wanted), spec.segments, text_of(given));
  }
}

}  // namespace

Recognizer::Recognizer(const std::string& model_path, const RecognizeOptions& options)
    : Recognizer(net::read_model(model_path, net::WeightPlace::kMapped), model_path, options) {}

Recognizer::Recognizer(net::Model model, std::string name, const RecognizeOptions& options) : name_(std::move(name)), options_(options) {
  model = with_segments(std::move(model), options.protocol.segments, name_, warnings_);
  views_ = options.protocol.views(model.inputs.framing);
  views_of_part_ = std::clamp<std::size_t>(options.read.memory / view_bytes(model.spec), 1, views_.size());
  head_ = head_of(model.spec, options.head);
  // Each session takes its weights from the compiled network: a second copy of them would lie about unused.
  runtime::RunOptions run = options.run;
  run.check();
  const std::int64_t threads = run.threads > 0 ? run.threads : core_count();
  at_once_ = std::clamp<std::int64_t>(options.at_once, 1, threads);
  run.threads = threads / at_once_;
  run.precision = runtime::chosen_precision(run.precision, model.quantization, run.backend);
  runtime::require_ranges(run.precision, model.quantization, name_);
  network_ = runtime::CompiledNetwork::compile(model.spec, std::exchange(model.weights, {}), run, options.keep, model.quantization.ranges);
  if (network_->attributes().precision != run.precision) {
    warnings_.push_back(fmt::format("precision {}: this processor has no instructions for it; f32 is computed", name_of(run.precision)));
  }
  model_ = std::make_shared<net::Model>(std::move(model));
  sessions_ = std::make_unique<SessionPool>([network = network_] { return network->session(); });
  const std::string& cache = options_.read.flow_cache;
  const bool flow = model_->inputs.has(InputKind::kFlow);
  // Flow that is not kept would be computed anew for each part, which costs far more than memory.
  if (flow && cache.empty()) views_of_part_ = views_.size();
  if (cache.empty()) return;
  if (flow)
    data::make_cache_folder(cache);
  else
    warnings_.push_back(fmt::format("{}: reads motion '{}', so --flow-cache has no use", name_, motion_text(model_->inputs)));
}

std::size_t Recognizer::parts_at_once() const {
  return std::max<std::size_t>(1, kPartsAhead * options_.read.memory / (views_of_part_ * view_bytes(model_->spec)));
}

double Recognizer::reject_below() const {
  const Json& record = model_->training;
  if (head_ || !record.is_object() || !record.contains("heads") || !record.at("heads").is_object()) return 0;
  const Json& below = record.at("heads").value("reject_below", Json());
  return below.is_number() ? below.get<double>() : 0;
}

bool Recognizer::has_logits() const {
  // Networks that average probabilities inside have no logits: their scores are their output.
  return head_ ? head_->loss == net::HeadLoss::kCrossEntropy : model_->spec.scores != model_->spec.output;
}

data::ClipInput Recognizer::read(const video::Source& video, std::size_t part, const std::stop_token& stop) const {
  const auto begin = static_cast<std::ptrdiff_t>(part * views_of_part_);
  const auto end = static_cast<std::ptrdiff_t>(std::min(views_.size(), (part + 1) * views_of_part_));
  data::ClipRequest request = data::request_for(model_->inputs, model_->spec.segments);
  request.path = video.name();
  if (!std::holds_alternative<video::Source::File>(video.from())) request.source = video;
  request.sampling = data::Sampling::kCentre;
  request.views.assign(views_.begin() + begin, views_.begin() + end);
  request.crops = options_.protocol.crops;
  request.flow_cache = options_.read.flow_cache;
  request.flow_threads = options_.read.flow_threads;
  request.limits.max_pixels = options_.read.limits.max_pixels;
  const auto read_once = [](const data::ClipRequest& wanted, data::ClipMemory& memory, const std::stop_token& token) {
    return data::read_clip(wanted, memory, token);
  };
  return data::read_patiently(read_once, data::usual_patience(), request, *memory_, stop);
}

VideoScores Recognizer::answer_in(const TensorMap& values) const {
  const Tensor& answer = values.at(head_ ? head_->node : model_->spec.scores);
  const Tensor scores = answer.reshaped({answer.numel()});
  if (head_) return {has_logits() ? softmax_of(scores) : scores, scores};
  return {values.at(model_->spec.output).reshaped({answer.numel()}), scores};
}

std::vector<TensorMap> Recognizer::add(const TensorMap& inputs, ViewMean& mean, const std::stop_token& stop) const {
  if (inputs.empty()) fail_usage("{}: there is no input to recognise", name_);
  const std::int64_t segments = model_->spec.segments;
  const std::int64_t rows = inputs.begin()->second.dim(0);
  const SessionPool::Loan session = sessions_->take();
  std::vector<TensorMap> kept;
  for (std::int64_t row = 0; row < rows; row += segments) {
    throw_if_stopped(stop);
    TensorMap view;
    for (const auto& [input, tensor] : inputs) view[input] = tensor.rows(row, segments);
    const TensorMap values = session->run(view);
    if (!options_.keep.empty()) kept.push_back(kept_of(values, options_.keep));
    const VideoScores answer = answer_in(values);
    mean.add(answer.probabilities, answer.scores);
  }
  return kept;
}

Recognition Recognizer::recognize(const video::Source& video, const std::stop_token& stop) const {
  TimeLimit limit(limits().max_seconds, stop);
  const auto keep = [&](const std::stop_token& token) { return kept_in_memory(video, token); };
  const video::Source source = can_be_read_again(video) ? video : limit.run(video.name(), keep);
  PartsMean mean(*this);
  for (std::size_t part = 0; part < parts(); ++part) {
    const Clock::time_point start = Clock::now();
    data::ClipInput clip = limit.run(video.name(), [&](const std::stop_token& token) { return read(source, part, token); });
    mean.add(std::move(clip), seconds_since(start), stop);
  }
  return mean.recognition();
}

Recognition Recognizer::recognize(const TensorMap& inputs, const std::stop_token& stop) const {
  require_views(model_->spec, name_, inputs);
  PartsMean mean(*this);
  data::ClipInput clip;
  clip.inputs = inputs;
  mean.add(std::move(clip), 0, stop);
  return mean.recognition();
}

std::vector<ClassScore> Recognizer::top(const Recognition& recognition, std::int64_t count) const {
  const auto probabilities = recognition.probabilities.values<float>(), scores = recognition.scores.values<float>();
  if (probabilities.size() != model_->classes.size()) {
    fail_usage("{}: has {} classes, the recognition is of {}", name_, model_->classes.size(), probabilities.size());
  }
  std::vector<ClassScore> best;
  for (const std::int64_t c : eval::top_classes(recognition.probabilities, count)) {
    const auto i = static_cast<std::size_t>(c);
    best.push_back({c, model_->classes[i], probabilities[i], scores[i]});
  }
  return best;
}

}  // namespace actio::recognize
