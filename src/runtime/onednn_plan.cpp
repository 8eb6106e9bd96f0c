#include <algorithm>
#include <limits>

#include "core/error.h"
#include "runtime/arena.h"
#include "runtime/onednn_program.h"
#include "runtime/pages.h"
#include "runtime/reference_ops.h"

namespace actio::runtime {
namespace {

constexpr std::size_t kAlignment = 64;
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
      : program_(std::move(program)), stream_(engine), threads_(threads) {
    const ArenaPlan layout = plan_arena(lifetimes_of(program_), kAlignment);
    if (layout.bytes > kMaxArena)
      fail("the network needs {} bytes for its values, at most {} are allowed", layout.bytes, kMaxArena);
    arena_ = allocate_block(layout.bytes);
    pointers_.resize(program_.buffers.size());
    for (std::size_t b = 0; b < pointers_.size(); ++b) {
      const Buffer& buffer = program_.buffers[b];
      if (buffer.kind == BufferKind::kArena) pointers_[b] = arena_.get() + layout.offsets[b];
      if (buffer.kind == BufferKind::kConstant) pointers_[b] = buffer.constant.get_data_handle();
    }
    for (const Step& step : program_.steps) prepare(step, engine);
  }

  void run(const TensorMap& inputs, TensorMap& outputs) override {
    for (std::size_t b = 0; b < pointers_.size(); ++b) {
      const Buffer& buffer = program_.buffers[b];
      if (buffer.kind == BufferKind::kInput) {
        // oneDNN takes every handle as writable; nothing writes to an input.
        pointers_[b] = const_cast<std::byte*>(inputs.at(program_.inputs[buffer.port].name).raw());
      } else if (buffer.kind == BufferKind::kOutput) {
        pointers_[b] = outputs.at(program_.outputs[buffer.port].name).raw();
      }
    }
    for (auto& [memory, buffer] : external_) memory.set_data_handle(pointers_[buffer]);
    const ThreadScope scope(threads_);
    for (std::size_t i = 0; i < program_.steps.size(); ++i) execute(i);
  }

 private:
  void prepare(const Step& step, const dnnl::engine& engine) {
    std::vector<dnnl_exec_arg_t>& arguments = arguments_.emplace_back();
    if (step.plain) return;
    for (const Argument& argument : step.arguments) {
      const BufferKind kind = program_.buffers[argument.buffer].kind;
      const bool external = kind == BufferKind::kInput || kind == BufferKind::kOutput;
      memories_.push_back(kind == BufferKind::kConstant ? program_.buffers[argument.buffer].constant
                                                        : dnnl::memory(argument.desc, engine, pointers_[argument.buffer]));
      if (external) external_.emplace_back(memories_.back(), argument.buffer);
      arguments.push_back({argument.role, memories_.back().get()});
    }
  }

  // The C interface, because the C++ one allocates at every call.
  void execute(std::size_t i) {
    const Step& step = program_.steps[i];
    if (step.plain) return execute_plain(step);
    const dnnl_status_t status = dnnl_primitive_execute(step.primitive.get(), stream_.get(),
                                                        static_cast<int>(arguments_[i].size()), arguments_[i].data());
    if (status != dnnl_success)
      fail("oneDNN could not execute step {} of {}: status {}", i, program_.steps.size(), static_cast<int>(status));
  }

  void execute_plain(const Step& step) const {
    static const TensorMap kNoWeights;
    OpCall call{step.plain->node, program_.rows, {}, kNoWeights, nullptr, step.plain->shapes.back(), threads_};
    for (std::size_t k = 0; k + 1 < step.arguments.size(); ++k) {
      call.inputs.push_back({static_cast<const float*>(pointers_[step.arguments[k].buffer]), step.plain->shapes[k]});
    }
    call.out = static_cast<float*>(pointers_[step.arguments.back().buffer]);
    run_reference_op(call);
  }

  Program program_;
  dnnl::stream stream_;
  int threads_;
  Block arena_;
  std::vector<void*> pointers_;  // by buffer
  std::vector<dnnl::memory> memories_;
  std::vector<std::pair<dnnl::memory, std::size_t>> external_;  // what moves between runs, and its buffer
  std::vector<std::vector<dnnl_exec_arg_t>> arguments_;         // by step
};

}  // namespace

std::unique_ptr<Plan> make_onednn_plan(Program program, const dnnl::engine& engine, int threads) {
  return std::make_unique<OnednnPlan>(std::move(program), engine, threads);
}

}  // namespace actio::runtime
