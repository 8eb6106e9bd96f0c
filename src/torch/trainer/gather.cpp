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

std::string head_name(std::size_t head) { return fmt::format("head{}", head); }

std::string packed(const Answers& answers) {
  Tensor labels({static_cast<std::int64_t>(answers.labels.size())}, DType::kI64);
  std::ranges::copy(answers.labels, labels.values<std::int64_t>().begin());
  const Json rest = {{"paths", answers.paths}, {"loss", answers.loss}};
  TensorMap tensors = {{"labels", labels}, {"probabilities", answers.probabilities}, {"scores", answers.scores}};
  for (std::size_t i = 0; i < answers.heads.size(); ++i) tensors[head_name(i)] = answers.heads[i];
  return net::safetensors_content(tensors, {{"rest", rest.dump(-1, ' ', false, Json::error_handler_t::replace)}}, kWhere);
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
  for (std::size_t i = 0; tensors.contains(head_name(i)); ++i) answers.heads.push_back(tensors.at(head_name(i)));
  return answers;
}

// Rows of all ranks, one after the other.
struct Values {
  std::vector<float> probabilities, scores;
  std::vector<std::vector<float>> heads;
};

void append(const Tensor& rows, std::vector<float>& all) {
  const auto values = rows.values<float>();
  all.insert(all.end(), values.begin(), values.end());
}

void append(const Answers& part, Answers& all, Values& values) {
  all.paths.insert(all.paths.end(), part.paths.begin(), part.paths.end());
  all.labels.insert(all.labels.end(), part.labels.begin(), part.labels.end());
  append(part.probabilities, values.probabilities);
  append(part.scores, values.scores);
  values.heads.resize(part.heads.size());
  for (std::size_t i = 0; i < part.heads.size(); ++i) append(part.heads[i], values.heads[i]);
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
  Values values;
  for (std::string& part : parts) {
    if (!part.empty()) append(unpacked(part), all, values);
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
  const Shape shape = {clips, static_cast<std::int64_t>(values.probabilities.size()) / clips};
  all.probabilities = Tensor::of(shape, rows_in_order(values.probabilities, order));
  all.scores = Tensor::of(shape, rows_in_order(values.scores, order));
  for (const std::vector<float>& head : values.heads) all.heads.push_back(Tensor::of(shape, rows_in_order(head, order)));
  all.loss /= static_cast<double>(clips);
  all.top1 = eval::compute_metrics(all.probabilities, all.labels).top1;
  return all;
}

}  // namespace actio::torch_train
