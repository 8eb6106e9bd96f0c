#include "torch/trainer/gather.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>

#include "core/json.h"
#include "eval/metrics.h"
#include "net/safetensors.h"

namespace actio::torch_train {
namespace {

constexpr const char* kWhere = "the answers of another rank";
constexpr const char* kStopped = "stopped";

std::string packed(const Answers& answers) {
  Tensor labels({static_cast<std::int64_t>(answers.labels.size())}, DType::kI64);
  std::ranges::copy(answers.labels, labels.values<std::int64_t>().begin());
  const Json rest = {{"paths", answers.paths}, {"loss", answers.loss}};
  return net::safetensors_content({{"labels", labels}, {"probabilities", answers.probabilities}, {"scores", answers.scores}},
                                  {{"rest", rest.dump(-1, ' ', false, Json::error_handler_t::replace)}}, kWhere);
}

Answers unpacked(std::string& bytes) {
  const std::span<const std::byte> file = std::as_bytes(std::span(bytes));
  const net::SafetensorsHeader header = net::parse_safetensors_header(file, kWhere);
  const TensorMap tensors = net::copy_tensors(header, file);
  const Json rest = parse_json(header.metadata.at("rest"), kWhere);
  Answers answers;
  const auto labels = tensors.at("labels").values<std::int64_t>();
  answers.labels.assign(labels.begin(), labels.end());
  answers.paths = rest.at("paths").get<std::vector<std::string>>();
  answers.loss = rest.at("loss").get<double>();
  answers.probabilities = tensors.at("probabilities");
  answers.scores = tensors.at("scores");
  return answers;
}

void append(const Answers& part, Answers& all, std::vector<float>& probabilities, std::vector<float>& scores) {
  all.paths.insert(all.paths.end(), part.paths.begin(), part.paths.end());
  all.labels.insert(all.labels.end(), part.labels.begin(), part.labels.end());
  const auto p = part.probabilities.values<float>(), s = part.scores.values<float>();
  probabilities.insert(probabilities.end(), p.begin(), p.end());
  scores.insert(scores.end(), s.begin(), s.end());
  all.loss += part.loss * static_cast<double>(part.labels.size());
}

template <typename T>
std::vector<T> rows_in_order(const std::vector<T>& values, const std::vector<std::size_t>& order) {
  const std::size_t width = values.size() / order.size();
  std::vector<T> sorted;
  for (const std::size_t i : order) {
    sorted.insert(sorted.end(), values.begin() + static_cast<std::ptrdiff_t>(i * width),
                  values.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
  }
  return sorted;
}

}  // namespace

std::optional<Answers> gather_answers(distributed::Group& group, const std::vector<data::Item>& items, const std::optional<Answers>& own,
                                      bool stopped) {
  std::vector<std::string> parts = group.all_gather(stopped ? kStopped : own ? packed(*own) : "");
  if (std::ranges::find(parts, kStopped) != parts.end()) return std::nullopt;
  Answers all;
  std::vector<float> probabilities, scores;
  for (std::string& part : parts) {
    if (!part.empty()) append(unpacked(part), all, probabilities, scores);
  }
  if (all.labels.empty()) return std::nullopt;
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < items.size(); ++i) place.emplace(items[i].path, i);
  std::vector<std::size_t> order(all.paths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return place.contains(all.paths[i]) ? place.at(all.paths[i]) : items.size(); });
  all.paths = rows_in_order(all.paths, order);
  all.labels = rows_in_order(all.labels, order);
  const auto clips = static_cast<std::int64_t>(all.labels.size());
  const Shape shape = {clips, static_cast<std::int64_t>(probabilities.size()) / clips};
  all.probabilities = Tensor::of(shape, rows_in_order(probabilities, order));
  all.scores = Tensor::of(shape, rows_in_order(scores, order));
  all.loss /= static_cast<double>(clips);
  all.top1 = eval::compute_metrics(all.probabilities, all.labels).top1;
  return all;
}

}  // namespace actio::torch_train
