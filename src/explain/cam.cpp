#include "explain/cam.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "net/model_file.h"

namespace actio::explain {
namespace {

// Sums over the channels, cell by cell.
void weigh(std::span<const float> features, std::span<const float> weights, std::span<float> map) {
  std::vector<double> sums(map.size());
  for (std::size_t c = 0; c < weights.size(); ++c) {
    const double weight = weights[c];
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += weight * features[c * sums.size() + i];
  }
  std::ranges::transform(sums, map.begin(), [](double sum) { return static_cast<float>(sum); });
}

double weight_in_scores(const net::Model& model, const std::string& node) {
  const net::Node& scores = model.spec.node(model.spec.scores);
  const auto found = std::ranges::find(scores.inputs, node);
  if (scores.op != net::Op::kWeightedSum || found == scores.inputs.end()) return 1;
  return model.weights.at(scores.name + ".weight").values<float>()[static_cast<std::size_t>(found - scores.inputs.begin())];
}

std::int64_t class_of(const net::Model& model, const std::string& name, const std::string& label) {
  const auto found = std::ranges::find(model.classes, label);
  if (found == model.classes.end()) fail_usage("{}: {}", name, unknown_name_text("class", label, model.classes));
  return found - model.classes.begin();
}

Json rows_json(const Tensor& maps) {
  Json rows = Json::array();
  const auto values = maps.values<float>();
  const std::int64_t height = maps.dim(1), width = maps.dim(2);
  for (std::int64_t r = 0; r < maps.dim(0); ++r) {
    Json lines = Json::array();
    for (std::int64_t y = 0; y < height; ++y) {
      const auto line = values.subspan(static_cast<std::size_t>((r * height + y) * width), static_cast<std::size_t>(width));
      lines.push_back(std::vector<float>(line.begin(), line.end()));
    }
    rows.push_back(std::move(lines));
  }
  return rows;
}

}  // namespace

CamMaker::CamMaker(const std::string& model_path, recognize::RecognizeOptions options) {
  net::Model model = net::read_model(model_path);
  pooled_ = pooled_heads(model.spec);
  if (pooled_.heads.empty()) fail_usage("{}: no head has an exact map: {}", model_path, fmt::join(pooled_.others, "; "));
  for (const PooledHead& head : pooled_.heads) {
    fusion_.push_back(weight_in_scores(model, head.node));
    for (const char* part : {".weight", ".bias"}) {
      const auto found = model.weights.find(head.linear + part);
      if (found != model.weights.end()) weights_.emplace(found->first, found->second.clone());
    }
    options.keep.push_back(head.features);
    options.keep.push_back(head.node);
  }
  std::ranges::sort(options.keep);
  options.keep.erase(std::unique(options.keep.begin(), options.keep.end()), options.keep.end());
  recognizer_ = std::make_unique<recognize::Recognizer>(std::move(model), model_path, options);
}

HeadMaps CamMaker::maps_of(std::size_t index, const TensorMap& kept, std::int64_t class_index) const {
  const PooledHead& head = pooled_.heads[index];
  const Tensor& features = kept.at(head.features);
  const std::int64_t rows = features.dim(0), channels = features.dim(1), cells = features.dim(2) * features.dim(3);
  HeadMaps result{.head = head.name, .granularity = head.granularity, .maps = Tensor({rows, features.dim(2), features.dim(3)}), .weight = fusion_[index]};
  const auto values = features.values<float>();
  const auto weight = weights_.at(head.linear + ".weight").values<float>().subspan(static_cast<std::size_t>(class_index * channels), static_cast<std::size_t>(channels));
  for (std::int64_t r = 0; r < rows; ++r) {
    weigh(values.subspan(static_cast<std::size_t>(r * channels * cells), static_cast<std::size_t>(channels * cells)), weight,
          result.maps.values<float>().subspan(static_cast<std::size_t>(r * cells), static_cast<std::size_t>(cells)));
  }
  const auto bias = weights_.find(head.linear + ".bias");
  if (bias != weights_.end()) result.bias = bias->second.values<float>()[static_cast<std::size_t>(class_index)];
  result.logit = kept.at(head.node).values<float>()[static_cast<std::size_t>(class_index)];
  return result;
}

Cam CamMaker::make(const video::Source& video, const std::string& label, const std::stop_token& stop) const {
  const net::Model& model = recognizer_->model();
  const std::int64_t wanted = label.empty() ? -1 : class_of(model, recognizer_->name(), label);
  Cam cam;
  cam.video = video.name();
  data::ClipInput clip = recognizer_->read(video, 0, stop);
  cam.answer = recognizer_->recognize(clip.inputs, stop);
  cam.answer.frames = clip.frames;
  cam.answer.damaged = clip.damaged;
  cam.answer.sampled = clip.sampled;
  cam.answer.warnings = clip.warnings;
  cam.inputs = std::move(clip.inputs);
  cam.class_index = wanted >= 0 ? wanted : recognizer_->top(cam.answer, 1).front().index;
  cam.label = model.classes[static_cast<std::size_t>(cam.class_index)];
  for (std::size_t i = 0; i < pooled_.heads.size(); ++i) cam.heads.push_back(maps_of(i, cam.answer.kept.front(), cam.class_index));
  cam.without = pooled_.others;
  return cam;
}

Json to_json(const Cam& cam) {
  Json heads = Json::array();
  for (const HeadMaps& head : cam.heads) {
    heads.push_back({{"head", head.head}, {"of", net::granularity_name(head.granularity)}, {"logit", head.logit}, {"bias", head.bias}, {"weight", head.weight}, {"maps", rows_json(head.maps)}});
  }
  return {{"video", cam.video},
          {"class", cam.class_index},
          {"label", cam.label},
          {"probability", cam.answer.probabilities.values<float>()[static_cast<std::size_t>(cam.class_index)]},
          {"sampled_frames", cam.answer.sampled},
          {"heads", std::move(heads)},
          {"without", cam.without}};
}

std::string text_of(const Cam& cam) {
  const float probability = cam.answer.probabilities.values<float>()[static_cast<std::size_t>(cam.class_index)];
  std::string text = fmt::format("{}: '{}', {:.1f} %\n", cam.video, cam.label, 100 * probability);
  for (const HeadMaps& head : cam.heads) {
    text += fmt::format("  {:8} logit {:7.3f}, from {} {}s of {} x {} cells\n", head.head, head.logit, head.maps.dim(0), net::granularity_name(head.granularity),
                        head.maps.dim(2), head.maps.dim(1));
  }
  for (const std::string& line : cam.without) text += "  no map: " + line + "\n";
  return text;
}

}  // namespace actio::explain
