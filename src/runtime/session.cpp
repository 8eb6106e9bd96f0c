#include "runtime/session.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "runtime/segments.h"

namespace actio::runtime {

using net::Granularity;
using net::Op;

namespace {

bool is_tensor_of(const Tensor& tensor, std::int64_t rows, const Shape& row) {
  const Shape& shape = tensor.shape();
  return tensor.defined() && tensor.dtype() == DType::kF32 && shape.size() == row.size() + 1 && shape[0] == rows &&
         std::equal(row.begin(), row.end(), shape.begin() + 1);
}

// Leaves exactly the tensors of the routes in `results`.
template <typename Rows>
void arrange(const std::vector<Route>& routes, const Rows& rows, TensorMap& results) {
  std::erase_if(results,
                [&](const auto& entry) { return std::ranges::find(routes, entry.first, &Route::name) == routes.end(); });
  for (const Route& route : routes) {
    Tensor& tensor = results[route.name];
    const std::int64_t count = rows[index_of(route.granularity)];
    if (is_tensor_of(tensor, count, route.shape)) continue;
    Shape shape = route.shape;
    shape.insert(shape.begin(), count);
    tensor = Tensor(std::move(shape));
  }
}

float* rows_of(const Route& route, TensorMap& results, std::int64_t first) {
  Tensor& tensor = results.find(route.name)->second;
  return tensor.data<float>() + first * (tensor.numel() / std::max<std::int64_t>(tensor.dim(0), 1));
}

void check_apart(const TensorMap& inputs, const TensorMap& results) {
  if (&inputs == &results) fail_usage("a network's results cannot go into the map of its inputs");
}

}  // namespace

float* Session::Values::at_least(std::size_t wanted) {
  if (count < wanted) {
    block = allocate_block(wanted * sizeof(float));
    count = wanted;
  }
  return reinterpret_cast<float*>(block.get());
}

Session::Part::Part(const PiecePlans& plans, std::byte* memory)
    : runner(plans, memory),
      inputs(plans.graph().inputs.size()),
      outputs(plans.graph().outputs.size()),
      input_values(inputs.size()),
      output_values(outputs.size()),
      input_rows(row_sizes(plans.graph().inputs)),
      output_rows(row_sizes(plans.graph().outputs)) {}

Session::Session(std::shared_ptr<const NetworkPlans> plans)
    : plans_(std::move(plans)), memory_(allocate_block(plans_->memory_bytes())) {
  for (const PiecePlans& piece : plans_->pieces) parts_.emplace_back(piece, memory_.get());
}

std::size_t Session::bytes_of(const NetworkPlans& plans) {
  std::size_t elements = 0;
  for (const Granularity each : kGranularities) {
    const auto rows = static_cast<std::size_t>(net::row_count(each, 1, plans.spec.segments));
    const auto add = [&](const Port& port) { elements += rows * static_cast<std::size_t>(shape_numel(port.shape)); };
    if (each != Granularity::kSnippet) std::ranges::for_each(plans.piece(each).graph().inputs, add);
    if (each != Granularity::kClip) std::ranges::for_each(plans.piece(each).graph().outputs, add);
  }
  return plans.memory_bytes() + elements * sizeof(float);
}

void Session::bind_inputs(const TensorMap& inputs, std::int64_t first_row) {
  const std::vector<Port>& ports = plans_->parts.snippet.inputs;
  Part& snippet = part(Granularity::kSnippet);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const Tensor& tensor = inputs.find(ports[i].name)->second;
    snippet.inputs[i] = tensor.data<float>() + first_row * snippet.input_rows[i];
  }
}

void Session::bind_outputs(const std::vector<Route>& routes, TensorMap& results, const Rows& first, const Rows& rows) {
  for (Part& each : parts_) std::ranges::fill(each.outputs, nullptr);
  for (const Route& route : routes) {
    if (!route.again)
      part(route.granularity).outputs[route.output] = rows_of(route, results, first[index_of(route.granularity)]);
  }
  for (std::size_t g = 0; g < parts_.size(); ++g) {
    for (std::size_t i = 0; i < parts_[g].outputs.size(); ++i) {
      float*& output = parts_[g].outputs[i];
      if (!output)
        output = parts_[g].output_values[i].at_least(static_cast<std::size_t>(rows[g] * parts_[g].output_rows[i]));
    }
  }
}

// A value that was asked for under two names is computed once.
void Session::finish(const std::vector<Route>& routes, TensorMap& results, const Rows& first, const Rows& rows) {
  for (const Route& route : routes) {
    if (!route.again) continue;
    const std::size_t g = index_of(route.granularity);
    const auto elements = static_cast<std::size_t>(rows[g] * parts_[g].output_rows[route.output]);
    std::memcpy(rows_of(route, results, first[g]), parts_[g].outputs[route.output], elements * sizeof(float));
  }
}

float* Session::input_of(const Connection& connection, std::int64_t rows) {
  Part& to = part(connection.to);
  const auto elements = static_cast<std::size_t>(rows * to.input_rows[connection.input]);
  float* values = to.input_values[connection.input].at_least(elements);
  to.inputs[connection.input] = values;
  return values;
}

// What `clips` clips make of the values of their snippets or pairs.
void Session::join(const Connection& connection, const float* values, std::int64_t clips) {
  const ClipRows rows{clips, net::row_count(connection.from, 1, plans_->spec.segments), connection.row};
  float* out = input_of(connection, net::row_count(connection.to, clips, plans_->spec.segments));
  if (connection.op == Op::kSegmentDiff)
    segment_diff_of_clips(values, rows, out);
  else if (connection.op == Op::kSegmentMean)
    segment_mean(values, rows, out);
  else
    segment_stack(values, rows, out);
}

void Session::run(const TensorMap& inputs, TensorMap& results) {
  check_apart(inputs, results);
  const std::int64_t segments = plans_->spec.segments;
  const std::int64_t clips = checked_rows(plans_->parts.snippet.inputs, inputs, segments) / segments;
  arrange(plans_->of_run, Rows{clips * segments, clips * (segments - 1), clips}, results);
  const std::int64_t at_once = plans_->clips_at_once();
  for (std::int64_t first = 0; first < clips; first += at_once)
    run_clips(inputs, results, first, std::min(at_once, clips - first));
}

void Session::run_clips(const TensorMap& inputs, TensorMap& results, std::int64_t first, std::int64_t clips) {
  const std::int64_t segments = plans_->spec.segments;
  const Rows begin{first * segments, first * (segments - 1), first}, rows{clips * segments, clips * (segments - 1), clips};
  bind_inputs(inputs, begin[0]);
  bind_outputs(plans_->of_run, results, begin, rows);
  for (const Granularity each : kGranularities) {
    for (const Connection& connection : plans_->connections) {
      if (connection.to == each) join(connection, part(connection.from).outputs[connection.output], clips);
    }
    part(each).runner.run(part(each).inputs, part(each).outputs, rows[index_of(each)]);
  }
  finish(plans_->of_run, results, begin, rows);
}

void Session::run_snippets(const TensorMap& inputs, TensorMap& results) {
  check_apart(inputs, results);
  const Rows rows{checked_rows(plans_->parts.snippet.inputs, inputs, 1), 0, 0};
  arrange(plans_->of_snippets, rows, results);
  bind_inputs(inputs, 0);
  bind_outputs(plans_->of_snippets, results, {}, rows);
  Part& snippet = part(Granularity::kSnippet);
  snippet.runner.run(snippet.inputs, snippet.outputs, rows[0]);
  finish(plans_->of_snippets, results, {}, rows);
}

void Session::run_pairs(const TensorMap& earlier, const TensorMap& later, TensorMap& results) {
  check_apart(earlier, results);
  check_apart(later, results);
  const std::vector<Port>& ports = plans_->snippets_of_pairs;
  const std::int64_t all = checked_rows(ports, earlier, 1);
  if (const std::int64_t others = checked_rows(ports, later, 1); others != all) {
    fail("pairs need as many earlier as later snippets, got {} and {}", all, others);
  }
  arrange(plans_->of_pairs, Rows{0, all, 0}, results);
  const std::int64_t at_once = plans_->clips_at_once() * std::max<std::int64_t>(1, plans_->spec.segments - 1);
  Part& pair = part(Granularity::kPair);
  for (std::int64_t first = 0; first < all; first += at_once) {
    const Rows begin{0, first, 0}, rows{0, std::min(at_once, all - first), 0};
    bind_outputs(plans_->of_pairs, results, begin, rows);
    for (const Connection& connection : plans_->connections) {
      if (connection.to != Granularity::kPair) continue;
      const std::string& name = plans_->parts.snippet.outputs[connection.output].name;
      const std::int64_t offset = first * connection.row;
      segment_diff(earlier.find(name)->second.data<float>() + offset, later.find(name)->second.data<float>() + offset,
                   rows[1] * connection.row, input_of(connection, rows[1]));
    }
    pair.runner.run(pair.inputs, pair.outputs, rows[1]);
    finish(plans_->of_pairs, results, begin, rows);
  }
}

void Session::run_clip(const TensorMap& snippets, const TensorMap& pairs, TensorMap& results) {
  check_apart(snippets, results);
  check_apart(pairs, results);
  const std::int64_t segments = plans_->spec.segments;
  const auto check = [&](Granularity from, const std::vector<Port>& ports, const TensorMap& values, std::int64_t rows) {
    const std::int64_t given = checked_rows(ports, values, rows);
    if (!ports.empty() && given != rows) {
      fail("a clip has {} {}s, got {} rows of '{}'", rows, net::granularity_name(from), given, ports[0].name);
    }
  };
  check(Granularity::kSnippet, plans_->snippets_of_clip, snippets, segments);
  if (segments > 1) check(Granularity::kPair, plans_->pairs_of_clip, pairs, segments - 1);
  const Rows rows{0, 0, 1};
  arrange(plans_->of_clip, rows, results);
  bind_outputs(plans_->of_clip, results, {}, rows);
  for (const Connection& connection : plans_->connections) {
    if (connection.to != Granularity::kClip) continue;
    const TensorMap& values = connection.from == Granularity::kPair ? pairs : snippets;
    const std::string& name = plans_->parts.piece(connection.from).outputs[connection.output].name;
    join(connection, values.find(name)->second.data<float>(), 1);
  }
  Part& clip = part(Granularity::kClip);
  clip.runner.run(clip.inputs, clip.outputs, 1);
  finish(plans_->of_clip, results, {}, rows);
}

}  // namespace actio::runtime
