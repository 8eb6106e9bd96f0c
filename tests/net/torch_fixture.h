// Writes files as torch.save does, and files as it never would: a zip writer and the opcodes of a pickle.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"

namespace actio::net::torch_fixture {

template <typename T>
std::string le(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}
inline std::string u16(std::uint64_t value) { return le(static_cast<std::uint16_t>(value)); }
inline std::string u32(std::uint64_t value) { return le(static_cast<std::uint32_t>(value)); }

template <typename T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

struct ZipFile {
  std::string name;
  std::string content;
  bool deflate = false;
};

inline std::string deflated(const std::string& content) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// With `zip64` every size and offset of the directory is in zip64 records.
inline std::string zip(const std::vector<ZipFile>& files, bool zip64 = false) {
  std::string out;
  std::string directory;
  constexpr std::uint64_t kElsewhere = 0xFFFFFFFF;
  for (const ZipFile& file : files) {
    const std::string packed = file.deflate ? deflated(file.content) : file.content;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(file.content.data()), static_cast<uInt>(file.content.size()));
    const std::string common = u16(0) + u16(file.deflate ? 8 : 0) + u32(0) + u32(crc);
    const std::string extra = zip64
                                  ? u16(0x7777) + u16(2) + "xx" + u16(1) + u16(24) + le<std::uint64_t>(file.content.size()) +
                                        le<std::uint64_t>(packed.size()) + le<std::uint64_t>(out.size())
                                  : "";
    const std::string sizes = zip64 ? u32(kElsewhere) + u32(kElsewhere) : u32(packed.size()) + u32(file.content.size());
    directory += "PK\x01\x02" + u16(45) + u16(45) + common + sizes + u16(file.name.size()) + u16(extra.size()) + u16(0) +
                 u16(0) + u16(0) + u32(0) + u32(zip64 ? kElsewhere : out.size()) + file.name + extra;
    out += "PK\x03\x04" + u16(45) + common + u32(packed.size()) + u32(file.content.size()) + u16(file.name.size()) + u16(3) +
           file.name + "pad" + packed;
  }
  const std::uint64_t start = out.size();
  out += directory;
  if (zip64) {
    const std::uint64_t record = out.size();
    out += "PK\x06\x06" + le<std::uint64_t>(44) + u16(45) + u16(45) + u32(0) + u32(0) + le<std::uint64_t>(files.size()) +
           le<std::uint64_t>(files.size()) + le<std::uint64_t>(directory.size()) + le(start);
    out += "PK\x06\x07" + u32(0) + le(record) + u32(1);
  }
  const std::uint64_t count = zip64 ? 0xFFFF : files.size();
  return out + "PK\x05\x06" + u16(0) + u16(0) + u16(count) + u16(count) + u32(zip64 ? kElsewhere : directory.size()) +
         u32(zip64 ? kElsewhere : start) + u16(0);
}

// Protocol 2.
inline std::string text(const std::string& value) { return "X" + u32(value.size()) + value; }
inline std::string integer(std::int64_t value) { return "\x8a\x08" + le(value); }
inline std::string global(const std::string& module, const std::string& name) { return "c" + module + "\n" + name + "\n"; }

inline std::string tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const std::string& item : items) out += item;
  return out + "t";
}

inline std::string counts(const std::vector<std::int64_t>& values) {
  std::string out = "(";
  for (const std::int64_t value : values) out += integer(value);
  return out + "t";
}

inline std::string ordered_dict() { return global("collections", "OrderedDict") + ")R"; }

struct FakeTensor {
  std::string type = "FloatStorage";
  std::string key = "0";
  std::int64_t count = 0;  // elements of the storage
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes = {};
  std::vector<std::int64_t> strides = {};
};

inline std::string tensor(const FakeTensor& t) {
  const std::string storage =
      tuple({text("storage"), global("torch", t.type), text(t.key), text("cpu"), integer(t.count)}) + "Q";
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage, integer(t.offset), counts(t.sizes), counts(t.strides), "\x89", ordered_dict()}) + "R";
}

// Keys and values alternate and are opcodes already.
inline std::string dict(const std::vector<std::string>& items) {
  std::string out = "}(";
  for (const std::string& item : items) out += item;
  return out + "u";
}

inline std::string pickle(const std::string& body) { return "\x80\x02" + body + "."; }

inline std::string checkpoint(const std::string& body, std::vector<ZipFile> storages, bool zip64 = false) {
  for (ZipFile& storage : storages) storage.name = "archive/data/" + storage.name;
  storages.insert(storages.begin(), {"archive/data.pkl", pickle(body)});
  storages.push_back({"archive/version", "3\n"});
  return zip(storages, zip64);
}

}  // namespace actio::net::torch_fixture
