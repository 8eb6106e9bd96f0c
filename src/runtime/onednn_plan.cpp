#include <algorithm>
#include <limits>
#include <optional>

#include "core/error.h"
#include "runtime/arena.h"
#include "runtime/onednn_program.h"
#include "runtime/pages.h"
#include "runtime/reference_ops.h"
#include "runtime/timing.h"

namespace actio::runtime {
namespace {

constexpr std::size_t kMaxArena = std::size_t{1} << 36;  // 64 GiB

// Intermediate values and scratchpads, from the first step that touches them to the last.
std::vector<Lifetime> lifetimes_of(const Program& program) {
  constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  std::vector<Lifetime> lifetimes(program.buffers.size(), {0, kNever, 0});
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    for (const Argument& argument : program.steps[i].arguments) {
      Lifetime& lifetime = lifetimes[argument.buffer];
      lifetime.first = std::min(lifetime.first, i);
      lifetime.last = i;
    }
  }
  for (std::size_t b = 0; b < lifetimes.size(); ++b) {
    if (program.buffers[b].kind == BufferKind::kArena && lifetimes[b].first != kNever)
      lifetimes[b].bytes = program.buffers[b].bytes;
  }
  return lifetimes;
}

class OnednnPlan : public Plan {
 public:
  OnednnPlan(Program program, const dnnl::engine& engine, int threads)
      : program_(std::move(program)),
        engine_(engine),
        threads_(threads),
        layout_(plan_arena(lifetimes_of(program_), kBlockAlignment)) {
    if (layout_.bytes > kMaxArena)
      fail("the network needs {} bytes for its values, at most {} are allowed", layout_.bytes, kMaxArena);
  }

  std::size_t memory_bytes() const override { return layout_.bytes; }
  std::unique_ptr<Executor> executor(std::byte* memory) const override;

 private:
  friend class OnednnExecutor;

  Program program_;
  dnnl::engine engine_;
  int threads_;
  ArenaPlan layout_;
};

// The primitives are those of the plan, because with scratchpads of the caller's they keep no state; the handles on memory,
// which they are executed with, are its own.
class OnednnExecutor : public Executor {
 public:
  OnednnExecutor(const OnednnPlan& plan, std::byte* memory)
      : program_(plan.program_), threads_(plan.threads_), stream_(plan.engine_), pointers_(program_.buffers.size()) {
    for (std::size_t b = 0; b < pointers_.size(); ++b) {
      const Buffer& buffer = program_.buffers[b];
      if (buffer.kind == BufferKind::kArena) pointers_[b] = memory + plan.layout_.offsets[b];
      if (buffer.kind == BufferKind::kConstant) pointers_[b] = buffer.constant.get_data_handle();
    }
    for (const Step& step : program_.steps) {
      prepare(step, plan.engine_);
      prepare_plain(step);
      prepare_depthwise(step);
    }
  }

  void run(std::span<const float* const> inputs, std::span<float* const> outputs) override {
    bind(inputs, outputs);
    const ThreadScope scope(threads_);
    for (std::size_t i = 0; i < program_.steps.size(); ++i) execute(i);
  }

  std::vector<StepTime> time_steps(std::span<const float* const> inputs, std::span<float* const> outputs, int repeats) override {
    bind(inputs, outputs);
    const ThreadScope scope(threads_);
    std::vector<StepTime> times;
    for (std::size_t i = 0; i < program_.steps.size(); ++i) {
      const Step& step = program_.steps[i];
      times.push_back({step.node, kind_of(step), median_seconds(repeats, [&] { execute(i); })});
    }
    return times;
  }

 private:
  static std::string kind_of(const Step& step) {
    return step.plain ? "plain loops" : step.depthwise ? "depthwise convolution" : kind_text(step.primitive);
  }

  void bind(std::span<const float* const> inputs, std::span<float* const> outputs) {
    for (std::size_t b = 0; b < pointers_.size(); ++b) {
      const Buffer& buffer = program_.buffers[b];
      // oneDNN takes every handle as writable; nothing writes to an input.
      if (buffer.kind == BufferKind::kInput) pointers_[b] = const_cast<float*>(inputs[buffer.port]);
      if (buffer.kind == BufferKind::kOutput) pointers_[b] = outputs[buffer.port];
    }
    for (auto& [memory, buffer] : external_) memory.set_data_handle(pointers_[buffer]);
  }

  void prepare(const Step& step, const dnnl::engine& engine) {
    std::vector<dnnl_exec_arg_t>& arguments = arguments_.emplace_back();
    if (step.plain || step.depthwise) return;
    for (const Argument& argument : step.arguments) {
      const BufferKind kind = program_.buffers[argument.buffer].kind;
      memories_.emplace_back(argument.desc, engine, pointers_[argument.buffer]);
      if (kind == BufferKind::kInput || kind == BufferKind::kOutput)
        external_.emplace_back(memories_.back(), argument.buffer);
      arguments.push_back({argument.role, memories_.back().get()});
    }
  }

  void prepare_plain(const Step& step) {
    static const TensorMap kNoWeights;
    std::optional<OpCall>& call = plain_.emplace_back();
    if (!step.plain) return;
    call.emplace(OpCall{step.plain->node, program_.rows, {}, kNoWeights, nullptr, step.plain->shapes.back(), threads_});
    for (std::size_t k = 0; k + 1 < step.arguments.size(); ++k) call->inputs.push_back({nullptr, step.plain->shapes[k]});
  }

  void prepare_depthwise(const Step& step) {
    DepthwiseRows& rows = depthwise_.emplace_back();
    if (!step.depthwise) return;
    const auto numbers = [&](std::size_t i) {
      return std::span(static_cast<const float*>(pointers_[step.arguments[i].buffer]), static_cast<std::size_t>(step.depthwise->shape.channels));
    };
    rows = depthwise_fits(numbers(2), numbers(3)) ? step.depthwise->rows : depthwise_rows_plainly;
  }

  // The C interface, because the C++ one allocates at every call.
  void execute(std::size_t i) {
    const Step& step = program_.steps[i];
    if (step.plain) return execute_plain(step, *plain_[i]);
    if (step.depthwise) return execute_depthwise(step, depthwise_[i]);
    const dnnl_status_t status = dnnl_primitive_execute(step.primitive.get(), stream_.get(),
                                                        static_cast<int>(arguments_[i].size()), arguments_[i].data());
    if (status != dnnl_success)
      fail("oneDNN could not execute step {} of {}: status {}", i, program_.steps.size(), static_cast<int>(status));
  }

  void execute_plain(const Step& step, OpCall& call) {
    for (std::size_t k = 0; k < call.inputs.size(); ++k) {
      call.inputs[k].data = static_cast<const float*>(pointers_[step.arguments[k].buffer]);
    }
    call.out = static_cast<float*>(pointers_[step.arguments.back().buffer]);
    run_reference_op(call);
  }

  void execute_depthwise(const Step& step, DepthwiseRows rows) const {
    const auto at = [&](std::size_t i) { return pointers_[step.arguments[i].buffer]; };
    const DepthwiseBuffers buffers{static_cast<const std::uint8_t*>(at(0)), static_cast<const std::int8_t*>(at(1)), static_cast<const float*>(at(2)),
                                   static_cast<const float*>(at(3)), at(4)};
    run_depthwise(rows, step.depthwise->shape, buffers, threads_);
  }

  const Program& program_;
  int threads_;
  dnnl::stream stream_;
  std::vector<void*> pointers_;  // by buffer
  std::vector<dnnl::memory> memories_;
  std::vector<std::pair<dnnl::memory, std::size_t>> external_;  // what moves between runs, and its buffer
  std::vector<std::vector<dnnl_exec_arg_t>> arguments_;         // by step
  std::vector<std::optional<OpCall>> plain_;                    // by step
  std::vector<DepthwiseRows> depthwise_;                        // by step
};

std::unique_ptr<Executor> OnednnPlan::executor(std::byte* memory) const {
  try {
    return std::make_unique<OnednnExecutor>(*this, memory);
  } catch (const dnnl::error& error) {
    fail("oneDNN: {} (status {})", error.what(), static_cast<int>(error.status));
  }
}

}  // namespace

std::unique_ptr<Plan> make_onednn_plan(Program program, const dnnl::engine& engine, int threads) {
  return std::make_unique<OnednnPlan>(std::move(program), engine, threads);
}

}  // namespace actio::runtime
