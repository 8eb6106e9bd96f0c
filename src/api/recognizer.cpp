#include <actio/recognizer.h>

#include <utility>

#include "api/model_impl.h"
#include "api/video_impl.h"
#include "core/json_text.h"
#include "recognize/answer_json.h"
#include "recognize/recognize_all.h"
#include "recognize/recognizer.h"

namespace actio {
namespace {

recognize::RecognizeOptions own_options(const RecognizeOptions& options) {
  recognize::RecognizeOptions own;
  if (!options.run.backend.empty()) own.run.backend = options.run.backend;
  own.run.device = options.run.device;
  own.run.threads = options.run.threads;
  own.run.precision = value_named<runtime::Precision>("precision", options.run.precision);
  own.read.flow_cache = options.read.flow_cache.string();
  own.read.flow_threads = options.read.flow_threads;
  own.read.memory = options.read.memory;
  own.read.limits = {options.read.max_pixels, options.read.max_seconds};
  own.protocol.segments = options.protocol.segments;
  own.protocol.places = options.protocol.places;
  own.protocol.crops = value_named<data::ViewCrops>("crops", options.protocol.crops);
  own.head = options.head;
  own.keep = options.keep;
  own.at_once = options.at_once;
  data::check_protocol(own.protocol);
  return own;
}

Recognition public_one(recognize::Recognition own) {
  Recognition result;
  result.probabilities = std::move(own.probabilities);
  result.scores = std::move(own.scores);
  result.frames = own.frames;
  result.damaged = own.damaged;
  result.sampled = std::move(own.sampled);
  result.warnings = std::move(own.warnings);
  result.timings = {own.timings.read_seconds, own.timings.network_seconds};
  result.kept = std::move(own.kept);
  return result;
}

// What names of classes and texts are made of.
recognize::Recognition own_one(const Recognition& recognition) {
  recognize::Recognition own;
  own.probabilities = recognition.probabilities;
  own.scores = recognition.scores;
  own.frames = recognition.frames;
  own.damaged = recognition.damaged;
  own.sampled = recognition.sampled;
  own.warnings = recognition.warnings;
  return own;
}

}  // namespace

Protocol Protocol::named(std::string_view name) {
  data::Protocol own = data::named_protocol(value_named<data::ProtocolName>("protocol", name));
  return {own.segments, std::move(own.places), std::string(name_of(own.crops))};
}

struct Recognizer::Impl {
  recognize::Recognizer recognizer;
};

Recognizer::Recognizer(const Model& model, const RecognizeOptions& options)
    : impl_(new Impl{recognize::Recognizer(model.impl_->model, model.impl_->name, own_options(options))}) {}

Recognizer::~Recognizer() = default;
Recognizer::Recognizer(Recognizer&&) noexcept = default;
Recognizer& Recognizer::operator=(Recognizer&&) noexcept = default;

Model Recognizer::model() const {
  return Model(std::make_shared<Model::Impl>(impl_->recognizer.model(), impl_->recognizer.name()));
}

const std::vector<std::string>& Recognizer::warnings() const { return impl_->recognizer.warnings(); }

Recognition Recognizer::recognize(const VideoSource& video, const std::stop_token& stop) const {
  return public_one(impl_->recognizer.recognize(video.impl_->source, stop));
}

Recognition Recognizer::recognize(const TensorMap& inputs, const std::stop_token& stop) const {
  return public_one(impl_->recognizer.recognize(inputs, stop));
}

void Recognizer::recognize_all(std::span<const VideoSource> videos, const AnswerFn& answer, std::int64_t workers,
                               const Hooks& hooks) const {
  std::vector<video::Source> sources;
  for (const VideoSource& video : videos) sources.push_back(video.impl_->source);
  const auto take = [&](std::size_t i, recognize::Answer own) {
    if (auto* recognition = std::get_if<recognize::Recognition>(&own)) answer(i, public_one(std::move(*recognition)));
    else answer(i, std::get<Error>(std::move(own)));
  };
  recognize::recognize_all(impl_->recognizer, sources, take, workers, hooks);
}

double Recognizer::reject_below() const { return impl_->recognizer.reject_below(); }

std::vector<ClassScore> Recognizer::top(const Recognition& recognition, std::int64_t count) const {
  std::vector<ClassScore> best;
  for (const recognize::ClassScore& own : impl_->recognizer.top(own_one(recognition), count)) {
    best.push_back({own.index, std::string(own.label), own.probability, own.score});
  }
  return best;
}

std::string Recognizer::to_json(const Answer& answer, const std::string& video, std::int64_t top) const {
  const auto* recognition = std::get_if<Recognition>(&answer);
  const recognize::Answer own = recognition ? recognize::Answer(own_one(*recognition)) : recognize::Answer(std::get<Error>(answer));
  return json_text(recognize::to_json(own, impl_->recognizer, video, top));
}

}  // namespace actio
