#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "core/error.h"
#include "net/byte_cursor.h"
#include "net/file_bytes.h"
#include "net/pickle_reader.h"
#include "net/weights.h"
#include "net/zip_reader.h"

namespace actio::net {
namespace {

constexpr std::size_t kLargestPickle = std::size_t{16} << 20;  // bytes; a state dict of 1000 tensors takes 0.2 MB
constexpr std::size_t kMostEntries = 1'000'000;
constexpr std::size_t kLongestName = 1024;
constexpr int kDeepestDict = 16;
constexpr std::size_t kMostDimensions = 16;

struct StorageType {
  std::string_view global;
  DType dtype;
};

constexpr std::array<StorageType, 10> kStorageTypes = {{{"torch.FloatStorage", DType::kF32},
                                                        {"torch.DoubleStorage", DType::kF64},
                                                        {"torch.HalfStorage", DType::kF16},
                                                        {"torch.BFloat16Storage", DType::kBf16},
                                                        {"torch.LongStorage", DType::kI64},
                                                        {"torch.IntStorage", DType::kI32},
                                                        {"torch.ShortStorage", DType::kI16},
                                                        {"torch.CharStorage", DType::kI8},
                                                        {"torch.ByteStorage", DType::kU8},
                                                        {"torch.BoolStorage", DType::kU8}}};

constexpr std::array<std::string_view, 2> kTensorCalls = {"torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"};
constexpr std::array<std::string_view, 2> kParameterCalls = {"torch._utils._rebuild_parameter",
                                                             "torch._utils._rebuild_parameter_with_state"};
// Keys below which training checkpoints keep a state dict.
constexpr std::array<std::string_view, 14> kWrappers = {"state_dict",
                                                        "model_state_dict",
                                                        "model_state",
                                                        "model",
                                                        "net",
                                                        "network",
                                                        "module",
                                                        "ema",
                                                        "model_ema",
                                                        "ema_model",
                                                        "state_dict_ema",
                                                        "ema_state_dict",
                                                        "ema_state",
                                                        "model_ema_state_dict"};
// What training checkpoints hold beside the state dict. It is never interpreted.
constexpr std::array<std::string_view, 9> kIgnored = {"collections.OrderedDict",
                                                      "collections.defaultdict",
                                                      "argparse.Namespace",
                                                      "numpy.core.multiarray.scalar",
                                                      "numpy._core.multiarray.scalar",
                                                      "numpy.dtype",
                                                      "_codecs.encode",
                                                      "torch.Size",
                                                      "torch.device"};

bool allowed_global(std::string_view name) {
  const auto is_in = [&](const auto& names) { return std::ranges::find(names, name) != names.end(); };
  return is_in(kTensorCalls) || is_in(kParameterCalls) || is_in(kIgnored) ||
         std::ranges::find(kStorageTypes, name, &StorageType::global) != kStorageTypes.end();
}

struct View {
  std::int64_t offset = 0;  // elements
  Shape sizes;
  Shape strides;  // elements
};

// One past the last element that the view touches. Absent on overflow.
std::optional<std::int64_t> reach(const View& view) {
  std::int64_t last = view.offset;
  for (std::size_t axis = 0; axis < view.sizes.size(); ++axis) {
    std::int64_t step = 0;
    if (__builtin_mul_overflow(view.sizes[axis] - 1, view.strides[axis], &step) ||
        __builtin_add_overflow(last, step, &last)) {
      return std::nullopt;
    }
  }
  std::int64_t end = 0;
  return __builtin_add_overflow(last, 1, &end) ? std::nullopt : std::optional(end);
}

bool is_contiguous(const View& view) {
  std::int64_t expected = 1;
  for (std::size_t axis = view.sizes.size(); axis-- > 0;) {
    if (view.sizes[axis] != 1 && view.strides[axis] != expected) return false;
    expected *= view.sizes[axis];
  }
  return true;
}

// `storage` holds at least reach(view) elements.
Tensor copy_view(const View& view, DType dtype, std::span<const std::byte> storage) {
  Tensor tensor(view.sizes, dtype);
  if (tensor.numel() == 0) return tensor;
  const auto size = static_cast<std::int64_t>(dtype_size(dtype));
  const std::byte* first = storage.data() + view.offset * size;
  if (is_contiguous(view)) {
    std::memcpy(tensor.raw(), first, tensor.bytes());
    return tensor;
  }
  // The stride of an axis of one element is never used and may be any number.
  Shape strides = view.strides;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    if (view.sizes[axis] == 1) strides[axis] = 0;
  }
  Shape index(view.sizes.size(), 0);
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    std::memcpy(tensor.raw() + i * size, first + at * size, static_cast<std::size_t>(size));
    for (std::size_t axis = index.size(); axis-- > 0;) {
      at += strides[axis];
      if (++index[axis] < view.sizes[axis]) break;
      at -= strides[axis] * view.sizes[axis];
      index[axis] = 0;
    }
  }
  return tensor;
}

class Checkpoint {
 public:
  Checkpoint(std::span<const std::byte> file, std::string where) : where_(std::move(where)), zip_(file, where_) {}

  TensorMap tensors() {
    find_prefix();
    const std::string entry = prefix_ + "data.pkl";
    const ZipContent content = zip_.read(entry);
    if (content.bytes().size() > kLargestPickle) {
      fail_data("{}: {} has {} bytes, at most {} were expected", where_, shown_name(entry), content.bytes().size(),
                kLargestPickle);
    }
    const Pickle pickle = read_pickle(content.bytes(), allowed_global, where_ + ": " + shown_name(entry));
    add_dict(unwrapped(*pickle.root), "", 0);
    if (tensors_.empty()) fail_data("{}: holds no tensors; save model.state_dict() with torch.save", where_);
    return std::move(tensors_);
  }

 private:
  void find_prefix() {
    constexpr std::string_view kPickle = "/data.pkl";
    for (const auto& [name, entry] : zip_.entries()) {
      if (!name.ends_with(kPickle)) continue;
      prefix_ = name.substr(0, name.size() - kPickle.size() + 1);
      break;
    }
    if (prefix_.empty()) fail_data("{}: is a zip archive without data.pkl, so no file of torch.save", where_);
    if (zip_.entries().contains(prefix_ + "constants.pkl")) {
      fail_data("{}: is a TorchScript archive; save model.state_dict() with torch.save instead", where_);
    }
    if (zip_.entries().contains(prefix_ + "byteorder")) {
      const ZipContent order = zip_.read(prefix_ + "byteorder");
      if (as_text(order.bytes()) != "little") {
        fail_data("{}: byte order is '{}', 'little' was expected", where_, shown_name(as_text(order.bytes())));
      }
    }
  }

  // The state dict of a training checkpoint, beside which lie an optimiser's values. Where several dicts could be it, they
  // stay apart, each with its key before its names.
  const PickleObject& unwrapped(const PickleObject& root) {
    const PickleObject* object = &root;
    for (int depth = 0; depth < kDeepestDict; ++depth) {
      std::vector<const PickleObject*> found;
      for (const std::string_view key : kWrappers) {
        const PickleObject* inner = inner_dict(*object, key);
        if (inner != nullptr && holds_tensor(*inner, 0)) found.push_back(inner);
      }
      if (found.size() != 1) break;
      object = found.front();
    }
    return *object;
  }

  bool holds_tensor(const PickleObject& value, int depth) {
    const auto is_in = [&](const auto& names) { return std::ranges::find(names, value.text) != names.end(); };
    if (value.kind == PickleKind::kCall) return is_in(kTensorCalls) || is_in(kParameterCalls);
    if (value.kind != PickleKind::kDict || depth > kDeepestDict) return false;
    for (std::size_t i = 0; i + 1 < value.items.size(); i += 2) {
      count_entry();
      if (holds_tensor(*value.items[i + 1], depth + 1)) return true;
    }
    return false;
  }

  void count_entry() {
    if (++entries_seen_ > kMostEntries) fail_data("{}: the dicts have more than {} entries", where_, kMostEntries);
  }

  static const PickleObject* inner_dict(const PickleObject& dict, std::string_view key) {
    if (dict.kind != PickleKind::kDict) return nullptr;
    const PickleObject* found = nullptr;
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      if (dict.items[i]->kind == PickleKind::kText && dict.items[i]->text == key) found = dict.items[i + 1];
    }
    return found != nullptr && found->kind == PickleKind::kDict ? found : nullptr;
  }

  // Values that are neither tensors nor dicts (an epoch, a list of options) are no weights and are passed over.
  void add_dict(const PickleObject& dict, const std::string& prefix, int depth) {
    if (dict.kind != PickleKind::kDict) {
      fail_data("{}: holds no dict of tensors; save model.state_dict() with torch.save", where_);
    }
    if (depth > kDeepestDict) fail_data("{}: dicts are nested deeper than {}", where_, kDeepestDict);
    std::map<std::string_view, const PickleObject*> last;
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      count_entry();
      if (dict.items[i]->kind == PickleKind::kText) last[dict.items[i]->text] = dict.items[i + 1];
    }
    for (const auto& [key, value] : last) {
      const std::string name = prefix + std::string(key);
      if (name.size() > kLongestName) {
        fail_data("{}: the name '{}' has {} bytes, at most {} were expected", where_, shown_name(name), name.size(),
                  kLongestName);
      }
      if (value->kind == PickleKind::kDict) {
        add_dict(*value, name + ".", depth + 1);
      } else if (value->kind == PickleKind::kCall) {
        add_call(*value, name);
      }
    }
  }

  void add_call(const PickleObject& value, const std::string& name) {
    const PickleObject* call = &value;
    while (std::ranges::find(kParameterCalls, call->text) != kParameterCalls.end()) {
      const PickleObject& data = argument(*call, 0, name);
      if (data.kind != PickleKind::kCall) malformed(name, "a parameter without a tensor");
      call = &data;
    }
    if (std::ranges::find(kTensorCalls, call->text) == kTensorCalls.end()) return;
    if (!tensors_.emplace(name, tensor_of(*call, name)).second) {
      fail_data("{}: two tensors are named '{}'", where_, shown_name(name));
    }
  }

  [[noreturn]] void malformed(const std::string& name, std::string_view what) const {
    fail_data("{}: tensor '{}': {}", where_, shown_name(name), what);
  }

  const PickleObject& argument(const PickleObject& call, std::size_t index, const std::string& name) const {
    const auto& arguments = call.items.at(0)->items;
    if (index >= arguments.size()) malformed(name, fmt::format("{} has {} arguments", call.text, arguments.size()));
    return *arguments[index];
  }

  std::int64_t whole(const PickleObject& value, const std::string& name) const {
    if (value.kind != PickleKind::kInt || value.integer < 0) malformed(name, "a size, stride or offset is no count");
    return value.integer;
  }

  Shape counts(const PickleObject& tuple, const std::string& name) const {
    // torch.Size is a tuple in a call.
    const PickleObject& plain =
        tuple.kind == PickleKind::kCall && tuple.text == "torch.Size" ? argument(tuple, 0, name) : tuple;
    if (plain.kind != PickleKind::kTuple || plain.items.size() > kMostDimensions) {
      malformed(name, "its sizes or strides are no tuple");
    }
    Shape values;
    for (const PickleObject* item : plain.items) values.push_back(whole(*item, name));
    return values;
  }

  // Arguments: storage, offset, sizes, strides, and things that matter to training only.
  Tensor tensor_of(const PickleObject& call, const std::string& name) {
    const PickleObject& reference = argument(call, 0, name);
    if (reference.kind != PickleKind::kPersistent) malformed(name, "has no storage");
    const auto& id = reference.items[0]->items;
    const bool is_storage = reference.items[0]->kind == PickleKind::kTuple && id.size() == 5 &&
                            id[0]->kind == PickleKind::kText && id[0]->text == "storage" && id[2]->kind == PickleKind::kText;
    if (!is_storage) malformed(name, "its storage is not ('storage', type, key, device, size)");
    const auto* type = std::ranges::find(kStorageTypes, id[1]->text, &StorageType::global);
    if (id[1]->kind != PickleKind::kGlobal || type == kStorageTypes.end()) {
      malformed(name, fmt::format("unknown storage type '{}'", shown_name(id[1]->text)));
    }
    const View view{whole(argument(call, 1, name), name), counts(argument(call, 2, name), name),
                    counts(argument(call, 3, name), name)};
    const auto storage = storage_bytes(id[2]->text);
    check_storage(storage.size(), whole(*id[4], name), type->dtype, name);
    check_view(view, static_cast<std::int64_t>(storage.size() / dtype_size(type->dtype)), type->dtype, name);
    return copy_view(view, type->dtype, storage);
  }

  std::span<const std::byte> storage_bytes(const std::string& key) {
    auto found = storages_.find(key);
    if (found == storages_.end()) {
      found = storages_.emplace(key, zip_.read(prefix_ + "data/" + key)).first;
      storage_total_ += found->second.bytes().size();
    }
    return found->second.bytes();
  }

  void check_storage(std::size_t bytes, std::int64_t count, DType dtype, const std::string& name) const {
    if (bytes % dtype_size(dtype) != 0 || static_cast<std::uint64_t>(count) != bytes / dtype_size(dtype)) {
      malformed(name,
                fmt::format("its storage has {} bytes, {} elements of {} were expected", bytes, count, dtype_name(dtype)));
    }
  }

  void check_view(const View& view, std::int64_t storage_count, DType dtype, const std::string& name) {
    if (view.strides.size() != view.sizes.size()) {
      malformed(name, fmt::format("has {} sizes and {} strides", view.sizes.size(), view.strides.size()));
    }
    std::uint64_t bytes = 0;
    try {
      bytes = static_cast<std::uint64_t>(shape_numel(view.sizes)) * dtype_size(dtype);
    } catch (const Error& error) {
      malformed(name, error.what());
    }
    if (bytes > 0) {
      const auto end = reach(view);
      if (!end || *end > storage_count) {
        malformed(name, fmt::format("sizes {} with strides {} from element {} reach outside of its storage of {} elements",
                                    shape_text(view.sizes), shape_text(view.strides), view.offset, storage_count));
      }
    }
    // Views that repeat or share elements could claim far more memory than the file has.
    constexpr std::uint64_t kAlwaysAllowed = std::uint64_t{64} << 20;
    tensor_total_ += bytes;
    if (const std::uint64_t most = kAlwaysAllowed + 4 * storage_total_; tensor_total_ > most) {
      malformed(name, fmt::format("the tensors up to here take {} bytes, at most {} were expected from {} bytes of storage",
                                  tensor_total_, most, storage_total_));
    }
  }

  std::string where_;
  ZipReader zip_;
  std::string prefix_;  // of every entry, with the slash
  std::map<std::string, ZipContent, std::less<>> storages_;
  std::uint64_t storage_total_ = 0;
  std::uint64_t tensor_total_ = 0;
  std::size_t entries_seen_ = 0;
  TensorMap tensors_;
};

}  // namespace

TensorMap read_torch_checkpoint(const std::filesystem::path& path) {
  const FileBytes file(path);
  const std::string_view text = as_text(file.span());
  if (text.size() >= 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5) {
    fail_data(
        "{}: is a PyTorch file of the format before 1.6; load it in Python and re-save it with "
        "torch.save(state_dict, path, _use_new_zipfile_serialization=True)",
        path.string());
  }
  if (!text.starts_with("PK")) {
    fail_data("{}: is no zip archive of torch.save; it starts with '{}'", path.string(), shown_name(text.substr(0, 8)));
  }
  return Checkpoint(file.span(), path.string()).tensors();
}

}  // namespace actio::net
