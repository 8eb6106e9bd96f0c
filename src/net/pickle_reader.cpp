#include "net/pickle_reader.h"

#include <unordered_map>

#include "core/error.h"
#include "net/byte_cursor.h"

namespace actio::net {
namespace {

// Named as in Python's pickletools; protocols 2 to 5 without what state dicts never hold.
enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kEmptyDict = '}',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kList = 'l',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

using Items = std::vector<const PickleObject*>;

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const GlobalFilter& allowed, const std::string& where)
      : cursor_(bytes, where), allowed_(allowed), where_(where) {}

  Pickle run() {
    while (true) {
      const std::size_t position = cursor_.position();
      const auto opcode = cursor_.number<std::uint8_t>();
      if (opcode == kStop) break;
      if (!push_constant(opcode) && !push_text(opcode) && !push_container(opcode) && !fill_container(opcode) &&
          !remember(opcode) && !call(opcode)) {
        fail_data("{}: unknown pickle opcode 0x{:02x} at byte {}", where_, opcode, position);
      }
    }
    pickle_.root = pop();
    return std::move(pickle_);
  }

 private:
  bool push_constant(std::uint8_t opcode) {
    switch (opcode) {
      case kNone: push({}); return true;
      case kNewTrue: push({PickleKind::kBool, 1, {}, {}}); return true;
      case kNewFalse: push({PickleKind::kBool, 0, {}, {}}); return true;
      case kBinInt: push_integer(cursor_.number<std::int32_t>()); return true;
      case kBinInt1: push_integer(cursor_.number<std::uint8_t>()); return true;
      case kBinInt2: push_integer(cursor_.number<std::uint16_t>()); return true;
      case kLong1: push_long(cursor_.number<std::uint8_t>()); return true;
      case kLong4: push_long(cursor_.number<std::uint32_t>()); return true;
      case kBinFloat:
        cursor_.take(8);
        push({PickleKind::kFloat, 0, {}, {}});
        return true;
      default: return false;
    }
  }

  bool push_text(std::uint8_t opcode) {
    std::uint64_t length = 0;
    switch (opcode) {
      case kShortBinString:
      case kShortBinBytes:
      case kShortBinUnicode: length = cursor_.number<std::uint8_t>(); break;
      case kBinString:
      case kBinBytes:
      case kBinUnicode: length = cursor_.number<std::uint32_t>(); break;
      case kBinBytes8:
      case kBinUnicode8: length = cursor_.number<std::uint64_t>(); break;
      default: return false;
    }
    push({PickleKind::kText, 0, std::string(cursor_.text(length)), {}});
    return true;
  }

  bool push_container(std::uint8_t opcode) {
    switch (opcode) {
      case kEmptyTuple: push({PickleKind::kTuple, 0, {}, {}}); return true;
      case kEmptySet:
      case kEmptyList: push({PickleKind::kList, 0, {}, {}}); return true;
      case kEmptyDict: push({PickleKind::kDict, 0, {}, {}}); return true;
      case kTuple: push({PickleKind::kTuple, 0, {}, pop_to_mark()}); return true;
      case kFrozenSet:
      case kList: push({PickleKind::kList, 0, {}, pop_to_mark()}); return true;
      case kDict: push({PickleKind::kDict, 0, {}, pairs(pop_to_mark())}); return true;
      case kTuple1: push({PickleKind::kTuple, 0, {}, pop_many(1)}); return true;
      case kTuple2: push({PickleKind::kTuple, 0, {}, pop_many(2)}); return true;
      case kTuple3: push({PickleKind::kTuple, 0, {}, pop_many(3)}); return true;
      default: return false;
    }
  }

  bool fill_container(std::uint8_t opcode) {
    switch (opcode) {
      case kAppend: add_to(PickleKind::kList, pop_many(1)); return true;
      case kAddItems:
      case kAppends: add_to(PickleKind::kList, pop_to_mark()); return true;
      case kSetItem: add_to(PickleKind::kDict, pop_many(2)); return true;
      case kSetItems: add_to(PickleKind::kDict, pairs(pop_to_mark())); return true;
      default: return false;
    }
  }

  // Marks, the memo, and what leaves no value.
  bool remember(std::uint8_t opcode) {
    switch (opcode) {
      case kProto:
        if (const auto version = cursor_.number<std::uint8_t>(); version < 2 || version > 5) {
          fail_data("{}: pickle protocol {}, 2 to 5 were expected", where_, version);
        }
        return true;
      case kFrame: cursor_.number<std::uint64_t>(); return true;
      case kMark: marks_.push_back(stack_.size()); return true;
      case kPop: pop(); return true;
      case kPopMark: pop_to_mark(); return true;
      case kDup: stack_.push_back(top()); return true;
      case kMemoize: memo_[memo_.size()] = top(); return true;
      case kBinPut: memo_[cursor_.number<std::uint8_t>()] = top(); return true;
      case kLongBinPut: memo_[cursor_.number<std::uint32_t>()] = top(); return true;
      case kBinGet: get(cursor_.number<std::uint8_t>()); return true;
      case kLongBinGet: get(cursor_.number<std::uint32_t>()); return true;
      default: return false;
    }
  }

  bool call(std::uint8_t opcode) {
    switch (opcode) {
      case kGlobal: {
        const std::string_view module = cursor_.line();
        const std::string_view name = cursor_.line();
        push_global(module, name);
        return true;
      }
      case kStackGlobal: {
        const Items names = pop_many(2);
        if (names[0]->kind != PickleKind::kText || names[1]->kind != PickleKind::kText) malformed("a global without a name");
        push_global(names[0]->text, names[1]->text);
        return true;
      }
      case kBinPersId: push({PickleKind::kPersistent, 0, {}, pop_many(1)}); return true;
      case kNewObj:
      case kReduce: {
        const Items call = pop_many(2);
        push_call(*call[0], *call[1]);
        return true;
      }
      // Attributes of an object (an OrderedDict's _metadata) are no weights.
      case kBuild:
        pop();
        top();
        return true;
      default: return false;
    }
  }

  [[noreturn]] void malformed(std::string_view what) const {
    fail_data("{}: the pickle is malformed before byte {}: {}", where_, cursor_.position(), what);
  }

  void push(PickleObject object) { stack_.push_back(&pickle_.objects.emplace_back(std::move(object))); }

  void push_integer(std::int64_t value) { push({PickleKind::kInt, value, {}, {}}); }

  // Little-endian two's complement. Larger ones (random seeds) have no use here and are kept as a value that is no number.
  void push_long(std::uint64_t length) {
    const auto bytes = cursor_.take(length);
    if (length > 8) return push({PickleKind::kFloat, 0, {}, {}});
    const bool negative = length > 0 && (std::to_integer<int>(bytes.back()) & 0x80) != 0;
    std::int64_t value = negative ? -1 : 0;
    if (length > 0) std::memcpy(&value, bytes.data(), bytes.size());
    push_integer(value);
  }

  void push_global(std::string_view module, std::string_view name) {
    std::string global = fmt::format("{}.{}", module, name);
    if (!allowed_(global)) {
      fail_data("{}: holds the Python object '{}', which is no part of a state dict; save model.state_dict() alone", where_,
                shown_name(global));
    }
    push({PickleKind::kGlobal, 0, std::move(global), {}});
  }

  void push_call(const PickleObject& callee, const PickleObject& arguments) {
    if (callee.kind != PickleKind::kGlobal) malformed("a call of something that is no global");
    if (arguments.kind != PickleKind::kTuple) {
      malformed(fmt::format("a call of {} without a tuple", shown_name(callee.text)));
    }
    if (callee.text == "collections.defaultdict") return push({PickleKind::kDict, 0, {}, {}});
    // The arguments are referred to, not copied: a pickle can name the same long tuple in every few bytes.
    if (callee.text != "collections.OrderedDict") return push({PickleKind::kCall, 0, callee.text, {&arguments}});
    if (!arguments.items.empty()) malformed("an OrderedDict with arguments");
    push({PickleKind::kDict, 0, {}, {}});
  }

  const PickleObject* top() const {
    if (stack_.size() <= floor()) malformed("the stack is empty");
    return stack_.back();
  }

  const PickleObject* pop() {
    const PickleObject* object = top();
    stack_.pop_back();
    return object;
  }

  Items pop_many(std::size_t count) {
    if (stack_.size() < floor() + count) malformed("the stack is empty");
    return pop_from(stack_.size() - count);
  }

  Items pop_to_mark() {
    if (marks_.empty()) malformed("there is no mark");
    const std::size_t mark = marks_.back();
    marks_.pop_back();
    return pop_from(mark);
  }

  Items pop_from(std::size_t begin) {
    Items items(stack_.begin() + static_cast<std::ptrdiff_t>(begin), stack_.end());
    stack_.resize(begin);
    return items;
  }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Items pairs(Items items) const {
    if (items.size() % 2 != 0) malformed("a dict with a key and no value");
    return items;
  }

  // Items of an object that only its Python class understands are dropped.
  void add_to(PickleKind kind, const Items& items) {
    const PickleObject* container = top();
    if (container->kind == PickleKind::kCall) return;
    if (container->kind != kind) malformed("items for something that is no list or dict");
    auto& target = const_cast<PickleObject*>(container)->items;
    target.insert(target.end(), items.begin(), items.end());
  }

  void get(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) malformed(fmt::format("the memo has no entry {}", index));
    stack_.push_back(found->second);
  }

  ByteCursor cursor_;
  const GlobalFilter& allowed_;
  const std::string& where_;
  Pickle pickle_;
  Items stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, const PickleObject*> memo_;
};

}  // namespace

Pickle read_pickle(std::span<const std::byte> bytes, const GlobalFilter& allowed, const std::string& where) {
  return Machine(bytes, allowed, where).run();
}

}  // namespace actio::net
