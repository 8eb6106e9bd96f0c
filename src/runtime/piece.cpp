#include "runtime/piece.h"

#include <algorithm>

#include "core/error.h"

namespace actio::runtime {
namespace {

constexpr std::size_t kMaxPlans = 4;

std::string wanted_text(const Port& port, std::int64_t per_clip, std::int64_t rows) {
  const std::string count = rows > 0 ? fmt::format("{}", rows) : per_clip == 1 ? "N" : fmt::format("N*{}", per_clip);
  return port.shape.empty() ? fmt::format("[{}]", count) : fmt::format("[{}, {}]", count, fmt::join(port.shape, ", "));
}

}  // namespace

std::int64_t checked_rows(const std::vector<Port>& ports, const TensorMap& inputs, std::int64_t per_clip) {
  std::int64_t rows = 0;
  for (const Port& port : ports) {
    const std::string wanted = wanted_text(port, per_clip, rows);
    const auto found = inputs.find(port.name);
    if (found == inputs.end() || !found->second.defined()) {
      std::vector<std::string> given;
      for (const auto& [name, tensor] : inputs) given.push_back(name);
      fail("input '{}' {} is missing; given: {}", port.name, wanted,
           given.empty() ? "nothing" : fmt::format("{}", fmt::join(given, ", ")));
    }
    const Tensor& tensor = found->second;
    if (tensor.dtype() != DType::kF32) fail("input '{}': expected f32, got {}", port.name, dtype_name(tensor.dtype()));
    const Shape& shape = tensor.shape();
    const bool same_row =
        shape.size() == port.shape.size() + 1 && std::equal(port.shape.begin(), port.shape.end(), shape.begin() + 1);
    if (!same_row || shape[0] == 0 || shape[0] % per_clip != 0 || (rows != 0 && shape[0] != rows)) {
      fail("input '{}': expected {}, got {}", port.name, wanted, shape_text(shape));
    }
    rows = shape[0];
  }
  return rows;
}

Piece::Piece(Subgraph graph, Backend& backend, const TensorMap& weights, std::int64_t rows_at_once)
    : graph_(std::move(graph)), backend_(backend), weights_(weights), rows_at_once_(rows_at_once) {}

Plan& Piece::plan_for(std::int64_t rows) {
  const auto found = std::ranges::find_if(plans_, [&](const auto& entry) { return entry.first == rows; });
  if (found != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, found);
  } else {
    if (plans_.size() == kMaxPlans) plans_.pop_back();
    plans_.emplace_front(rows, backend_.compile(graph_, weights_, rows));
  }
  return *plans_.front().second;
}

TensorMap Piece::run(const TensorMap& inputs, std::int64_t rows) {
  TensorMap outputs;
  for (const Port& port : graph_.outputs) {
    Shape shape = port.shape;
    shape.insert(shape.begin(), rows);
    outputs[port.name] = Tensor(shape);
  }
  for (std::int64_t done = 0; done < rows;) {
    const std::int64_t chunk = std::min(rows_at_once_, rows - done);
    TensorMap chunk_inputs, chunk_outputs;
    for (const Port& port : graph_.inputs) chunk_inputs[port.name] = inputs.at(port.name).rows(done, chunk);
    for (const Port& port : graph_.outputs) chunk_outputs[port.name] = outputs.at(port.name).rows(done, chunk);
    plan_for(chunk).run(chunk_inputs, chunk_outputs);
    done += chunk;
  }
  return outputs;
}

}  // namespace actio::runtime
