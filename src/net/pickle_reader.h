// net: the part of Python's pickle language that state dicts are written in. In: the bytes of a pickle. Out: a tree of plain
// values. Nothing is executed: a call of a Python function stays a record of its name and arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace actio::net {

enum class PickleKind {
  kNone,
  kBool,       // integer
  kInt,        // integer
  kFloat,      // the value is not kept
  kText,       // text; also byte strings
  kTuple,      // items
  kList,       // items; also sets
  kDict,       // items: key, value, key, value; a later key replaces an earlier equal one
  kGlobal,     // text: "module.name"
  kCall,       // text: "module.name" of what is called; items[0]: the tuple of arguments
  kPersistent  // items[0]: a reference to something outside of the pickle
};

struct PickleObject {
  PickleKind kind = PickleKind::kNone;
  std::int64_t integer = 0;
  std::string text;
  std::vector<const PickleObject*> items;
};

// A list or dict may contain itself: whoever walks the tree must bound the walk.
struct Pickle {
  std::deque<PickleObject> objects;
  const PickleObject* root = nullptr;
};

// Whether a pickle may name the Python global "module.name".
using GlobalFilter = std::function<bool(std::string_view)>;

// Throws: Error(kBadData) naming `where` and the opcode or the global that is not allowed. Memory: proportional to `bytes`.
Pickle read_pickle(std::span<const std::byte> bytes, const GlobalFilter& allowed, const std::string& where);

}  // namespace actio::net
