#include "runtime/piece.h"

#include <algorithm>

#include "core/error.h"

namespace actio::runtime {
namespace {

std::string wanted_text(const Port& port, std::int64_t per_clip, std::int64_t rows) {
  const std::string count = rows > 0 ? fmt::format("{}", rows) : per_clip == 1 ? "N" : fmt::format("N*{}", per_clip);
  return port.shape.empty() ? fmt::format("[{}]", count) : fmt::format("[{}, {}]", count, fmt::join(port.shape, ", "));
}

[[noreturn]] void fail_missing(const Port& port, const std::string& wanted, const TensorMap& inputs) {
  std::vector<std::string> given;
  for (const auto& [name, tensor] : inputs) given.push_back(name);
  fail("input '{}' {} is missing; given: {}", port.name, wanted,
       given.empty() ? "nothing" : fmt::format("{}", fmt::join(given, ", ")));
}

}  // namespace

std::vector<std::int64_t> row_sizes(const std::vector<Port>& ports) {
  std::vector<std::int64_t> sizes;
  for (const Port& port : ports) sizes.push_back(shape_numel(port.shape));
  return sizes;
}

std::int64_t checked_rows(const std::vector<Port>& ports, const TensorMap& inputs, std::int64_t per_clip) {
  std::int64_t rows = 0;
  for (const Port& port : ports) {
    const auto found = inputs.find(port.name);
    if (found == inputs.end() || !found->second.defined()) fail_missing(port, wanted_text(port, per_clip, rows), inputs);
    const Tensor& tensor = found->second;
    if (tensor.dtype() != DType::kF32) fail("input '{}': expected f32, got {}", port.name, dtype_name(tensor.dtype()));
    const Shape& shape = tensor.shape();
    const bool same_row =
        shape.size() == port.shape.size() + 1 && std::equal(port.shape.begin(), port.shape.end(), shape.begin() + 1);
    if (!same_row || shape[0] == 0 || shape[0] % per_clip != 0 || (rows != 0 && shape[0] != rows)) {
      fail("input '{}': expected {}, got {}", port.name, wanted_text(port, per_clip, rows), shape_text(shape));
    }
    rows = shape[0];
  }
  return rows;
}

std::size_t PiecePlans::memory_bytes() const {
  std::size_t most = 0;
  for (const auto& plan : plans_) most = std::max(most, plan->memory_bytes());
  return most;
}

PieceRunner::PieceRunner(const PiecePlans& plans, std::byte* memory)
    : sizes_(plans.sizes()),
      input_rows_(row_sizes(plans.graph().inputs)),
      output_rows_(row_sizes(plans.graph().outputs)),
      inputs_(input_rows_.size()),
      outputs_(output_rows_.size()) {
  for (std::size_t size = 0; size < sizes_.size() && !plans.empty(); ++size) {
    executors_.push_back(plans.plan(size).executor(memory));
  }
}

void PieceRunner::run(std::span<const float* const> inputs, std::span<float* const> outputs, std::int64_t rows) {
  if (executors_.empty()) return;
  std::size_t size = 0;
  for (std::int64_t done = 0; done < rows; done += sizes_[size]) {
    while (sizes_[size] > rows - done) ++size;
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs_[i] = inputs[i] + done * input_rows_[i];
    for (std::size_t i = 0; i < outputs.size(); ++i) outputs_[i] = outputs[i] + done * output_rows_[i];
    executors_[size]->run(inputs_, outputs_);
  }
}

}  // namespace actio::runtime
