#include "fake_cuda.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/as_strided_native.h>
#include <c10/core/Allocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <sys/mman.h>
#include <torch/library.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "core/error.h"

namespace actio::testing {
namespace {

const at::Device kDevice(at::kCUDA, 0);

std::atomic<std::int64_t> operations{0}, copies_in{0}, pinned_copies_in{0}, copies_out{0};
std::mutex mutex;

// Each block of memory is mapped twice: where tensors say it is, which faults, and where the operations find it.
struct Block {
  std::size_t size;
  char* real;
};
std::map<const char*, Block>& blocks() {
  static auto* const all = new std::map<const char*, Block>;
  return *all;
}

void free_block(void* address) {
  const std::lock_guard lock(mutex);
  const auto found = blocks().find(static_cast<char*>(address));
  munmap(found->second.real, found->second.size);
  munmap(address, found->second.size);
  blocks().erase(found);
}

at::DataPtr allocate_block(std::size_t bytes) {
  if (bytes == 0) return {nullptr, kDevice};
  const std::size_t size = (bytes + 4095) / 4096 * 4096;
  const int file = memfd_create("fake_cuda", 0);
  if (file < 0 || ftruncate(file, static_cast<off_t>(size)) != 0) fail("no memory for the fake device");
  void* real = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  void* shown = mmap(nullptr, size, PROT_NONE, MAP_SHARED, file, 0);
  close(file);
  if (real == MAP_FAILED || shown == MAP_FAILED) fail("no memory for the fake device");
  const std::lock_guard lock(mutex);
  blocks()[static_cast<char*>(shown)] = {size, static_cast<char*>(real)};
  return {shown, shown, &free_block, kDevice};
}

class DeviceAllocator final : public c10::Allocator {
 public:
  at::DataPtr allocate(std::size_t bytes) const override { return allocate_block(bytes); }
  c10::DeleterFnPtr raw_deleter() const override { return &free_block; }
};
DeviceAllocator allocator;

char* real_address(const void* shown) {
  if (shown == nullptr) return nullptr;
  const std::lock_guard lock(mutex);
  auto found = blocks().upper_bound(static_cast<const char*>(shown));
  --found;
  return found->second.real + (static_cast<const char*>(shown) - found->first);
}

class Generator final : public c10::GeneratorImpl {
 public:
  explicit Generator(at::Device device = kDevice) : GeneratorImpl(device, c10::DispatchKeySet(c10::DispatchKey::CUDA)) {}
  void set_current_seed(std::uint64_t seed) override { on_cpu.set_current_seed(seed); }
  std::uint64_t current_seed() const override { return on_cpu.current_seed(); }
  std::uint64_t seed() override { return on_cpu.seed(); }
  void set_state(const c10::TensorImpl&) override { fail("the fake device's generator has no state"); }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override { fail("the fake device's generator has no state"); }

  at::Generator on_cpu = at::make_generator<at::CPUGeneratorImpl>();

 private:
  GeneratorImpl* clone_impl() const override { return new Generator(device()); }
};

struct Guard final : c10::impl::DeviceGuardImplInterface {
  at::DeviceType type() const override { return at::kCUDA; }
  at::Device exchangeDevice(at::Device) const override { return kDevice; }
  at::Device getDevice() const override { return kDevice; }
  void setDevice(at::Device) const override {}
  void uncheckedSetDevice(at::Device) const noexcept override {}
  c10::Stream getStream(at::Device) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
  c10::Stream getDefaultStream(at::Device) const override { return c10::Stream(c10::Stream::DEFAULT, kDevice); }
  c10::Stream exchangeStream(c10::Stream stream) const noexcept override { return stream; }
  at::DeviceIndex deviceCount() const noexcept override { return 1; }
  void record(void**, const c10::Stream&, const at::DeviceIndex, const c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
};

struct Hooks final : at::CUDAHooksInterface {
  explicit Hooks(at::CUDAHooksArgs) {}
  void initCUDA() const override {}
  bool hasCUDA() const override { return true; }
  int getNumGPUs() const override { return 1; }
  bool hasPrimaryContext(std::int64_t) const override { return true; }
  const at::Generator& getDefaultCUDAGenerator(at::DeviceIndex index) const override {
    static const std::array generators{at::make_generator<Generator>(kDevice), at::make_generator<Generator>(at::Device(at::kCUDA, 1))};
    return generators.at(static_cast<std::size_t>(std::max<at::DeviceIndex>(index, 0)));
  }
};

// The same elements as a tensor of the CPU.
at::Tensor on_cpu(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_cuda()) return tensor;
  if (tensor.storage().nbytes() == 0) return at::empty(tensor.sizes(), at::TensorOptions(tensor.scalar_type()));  // may grow
  const auto elements = static_cast<std::int64_t>(tensor.storage().nbytes() / tensor.element_size());
  const at::Tensor all = at::from_blob(real_address(tensor.storage().data()), {elements}, at::TensorOptions(tensor.scalar_type()));
  return at::native::as_strided_tensorimpl(all, tensor.sizes(), tensor.strides(), tensor.storage_offset());
}

using Tensors = std::vector<at::Tensor>;

Tensors tensors_of(const c10::IValue& value) {
  if (value.isTensor()) return {value.toTensor()};
  if (value.isTensorList()) return value.toTensorVector();
  Tensors all;
  if (!value.isList()) return all;
  for (const c10::IValue& element : value.toListRef()) {
    if (element.isTensor()) all.push_back(element.toTensor());
  }
  return all;
}

// Values may lie on the CPU only as single numbers, and where they are copied from or to it.
void check_devices(const std::string& name, const Tensors& tensors) {
  if (name == "aten::copy_") return;
  for (const at::Tensor& tensor : tensors) {
    if (tensor.defined() && !tensor.is_cuda() && tensor.dim() > 0) fail("{}: operands on the CPU and on CUDA", name);
  }
}

c10::IValue value_on_cpu(const c10::IValue& value) {
  if (value.isTensor()) return on_cpu(value.toTensor());
  if (value.isGenerator()) return static_cast<Generator*>(value.toGenerator().unsafeGetGeneratorImpl())->on_cpu;
  if (value.isTensorList()) {
    Tensors all = value.toTensorVector();
    for (at::Tensor& tensor : all) tensor = on_cpu(tensor);
    return all;
  }
  if (!value.isList()) return value;
  c10::impl::GenericList list = value.toList().copy();
  for (std::size_t i = 0; i < list.size(); ++i) list.set(i, value_on_cpu(list.get(i)));
  return list;
}

// An operand, and what stands for it on the CPU.
struct Operand {
  at::Tensor here, there;
};

at::Tensor new_on_device(const at::Tensor& result) {
  const at::Tensor copy = at::detail::empty_strided_generic(result.sizes(), result.strides(), &allocator,
                                                            c10::DispatchKeySet(c10::DispatchKey::CUDA), result.scalar_type());
  on_cpu(copy).copy_(result);
  return copy;
}

// Operands that an operation has made larger.
void resize(const std::vector<Operand>& operands) {
  for (const auto& [here, there] : operands) {
    if (!there.defined() || !there.is_cuda() || here.sizes() == there.sizes()) continue;
    const at::Tensor copy = new_on_device(here);
    there.unsafeGetTensorImpl()->set_storage_keep_dtype(copy.storage());
    there.unsafeGetTensorImpl()->set_sizes_and_strides(copy.sizes(), copy.strides());
  }
}

// A result as a tensor of the device: one of the operands, a view of one, or new.
at::Tensor on_device(const at::Tensor& result, const std::vector<Operand>& operands) {
  if (!result.defined()) return result;
  for (const auto& [here, there] : operands) {
    if (here.is_same(result)) return there;
  }
  for (const auto& [here, there] : operands) {
    if (!there.defined() || !there.is_cuda() || there.numel() == 0 || result.numel() == 0) continue;
    const char* begin = real_address(there.storage().data());
    const char* address = static_cast<const char*>(result.data_ptr());
    if (address < begin || address >= begin + there.storage().nbytes()) continue;
    return at::native::as_strided_tensorimpl(there, result.sizes(), result.strides(),
                                             (address - begin) / static_cast<std::int64_t>(result.element_size()));
  }
  return new_on_device(result);
}

std::set<const void*>& pinned() {
  static auto* const all = new std::set<const void*>;
  return *all;
}

void count(const std::string& name, const Tensors& tensors) {
  ++operations;
  if (name == "aten::_local_scalar_dense") ++copies_out;
  if (name != "aten::copy_" || tensors[0].is_cuda() == tensors[1].is_cuda()) return;
  if (!tensors[0].is_cuda()) ++copies_out;
  else if (tensors[1].dim() > 0) {
    ++copies_in;
    const std::lock_guard lock(mutex);
    if (pinned().contains(tensors[1].storage().data())) ++pinned_copies_in;
  }
}

void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const std::string name = op.schema().name();
  Tensors before;
  std::vector<Operand> operands;
  for (std::size_t i = stack->size() - op.schema().arguments().size(); i < stack->size(); ++i) {
    c10::IValue& value = (*stack)[i];
    const Tensors there = tensors_of(value);
    value = value_on_cpu(value);
    const Tensors here = tensors_of(value);
    for (std::size_t k = 0; k < there.size(); ++k) operands.push_back({here[k], there[k]});
    before.insert(before.end(), there.begin(), there.end());
  }
  check_devices(name, before);
  count(name, before);
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  resize(operands);
  for (c10::IValue& value : *stack) {
    if (value.isTensor()) value = on_device(value.toTensor(), operands);
    if (!value.isTensorList()) continue;
    Tensors all = value.toTensorVector();
    for (at::Tensor& tensor : all) tensor = on_device(tensor, operands);
    value = all;
  }
}

at::Tensor empty(at::IntArrayRef size, c10::optional<at::ScalarType> type, c10::optional<at::Layout>, c10::optional<at::Device>,
                 c10::optional<bool>, c10::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &allocator, c10::DispatchKeySet(c10::DispatchKey::CUDA), type.value_or(at::kFloat), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride, c10::optional<at::ScalarType> type,
                         c10::optional<at::Layout>, c10::optional<at::Device>, c10::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &allocator, c10::DispatchKeySet(c10::DispatchKey::CUDA),
                                           type.value_or(at::kFloat));
}

bool is_pinned(const at::Tensor& tensor, c10::optional<at::Device>) {
  const std::lock_guard lock(mutex);
  return pinned().contains(tensor.storage().data());
}

// Kept for good, so that its address is no other tensor's later.
at::Tensor pin_memory(const at::Tensor& tensor, c10::optional<at::Device>) {
  static auto* const kept = new Tensors;
  const at::Tensor copy = tensor.clone();
  const std::lock_guard lock(mutex);
  pinned().insert(copy.storage().data());
  kept->push_back(copy);
  return copy;
}

TORCH_LIBRARY_IMPL(_, CUDA, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>()); }

TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("empty.memory_format", &empty);
  library.impl("empty_strided", &empty_strided);
  library.impl("is_pinned", &is_pinned);
  library.impl("_pin_memory", &pin_memory);
  // These have a kernel for devices in general, which would go before the fallback.
  for (const char* name : {"copy_", "convolution", "convolution_backward"}) {
    library.impl(name, torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
  }
}

}  // namespace

FakeCudaCounts fake_cuda_counts() { return {operations, copies_in, pinned_copies_in, copies_out}; }

}  // namespace actio::testing

namespace c10::impl {
C10_REGISTER_GUARD_IMPL(CUDA, actio::testing::Guard);
}  // namespace c10::impl

namespace at {
using CUDAHooks = actio::testing::Hooks;  // the name that LibTorch looks for
REGISTER_CUDA_HOOKS(CUDAHooks);
}  // namespace at
