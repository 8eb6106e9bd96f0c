#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/error.h"
#include "net/weights.h"
#include "support/temp_dir.h"
#include "weights_fixture.h"
#include "support/shared_data.h"

namespace actio::net {
namespace {

using actio::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string file_of(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

template <typename T>
Tensor tensor_of(Shape shape, std::vector<T> values) {
  Tensor tensor(std::move(shape), DTypeOf<T>::value);
  std::copy(values.begin(), values.end(), tensor.template data<T>());
  return tensor;
}

Tensor bits(DType dtype, std::vector<std::uint16_t> values) {
  Tensor tensor({static_cast<std::int64_t>(values.size())}, dtype);
  std::memcpy(tensor.raw(), values.data(), tensor.bytes());
  return tensor;
}

TensorMap every_type() {
  return {{"a.u8", tensor_of<std::uint8_t>({3}, {0, 127, 255})},  {"b.f64", tensor_of<double>({2}, {1e300, -0.5})},
          {"c.i8", tensor_of<std::int8_t>({1, 1}, {-128})},       {"d.f32", counting({2, 3, 1}, -2)},
          {"e.f16", bits(DType::kF16, {0x3C00, 0x7BFF, 0x0001})}, {"f.bf16", bits(DType::kBf16, {0x3F80})},
          {"g.i64", tensor_of<std::int64_t>({}, {-(1LL << 60)})}, {"h.i16", tensor_of<std::int16_t>({1}, {-300})},
          {"i.i32", tensor_of<std::int32_t>({2}, {1 << 30, -1})}, {"j.nothing", Tensor({2, 0, 3})}};
}

TEST(Safetensors, returns_every_element_type_shape_and_the_metadata_as_written) {
  const TempDir dir;
  const Metadata metadata = {{"key \"quoted\"", "line\nbreak"}, {"größe", "42 µm"}};
  const TensorMap tensors = every_type();
  write_safetensors(dir / "w.safetensors", tensors, metadata);
  Metadata read_metadata;
  const TensorMap read = read_safetensors(dir / "w.safetensors", &read_metadata);
  EXPECT_EQ(read_metadata, metadata);
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(same(read.at(name), tensor)) << name;
}

TEST(Safetensors, writes_equal_bytes_for_equal_input_and_an_empty_map) {
  const TempDir dir;
  for (const TensorMap& tensors : {every_type(), TensorMap{}}) {
    write_safetensors(dir / "1", tensors, {{"k", "v"}});
    write_safetensors(dir / "2", tensors, {{"k", "v"}});
    EXPECT_EQ(read_text_file(dir / "1"), read_text_file(dir / "2"));
    EXPECT_EQ(read_safetensors(dir / "1").size(), tensors.size());
  }
}

TEST(Safetensors, aligns_the_data_to_8_bytes_and_every_tensor_to_its_element) {
  const TempDir dir;
  write_safetensors(dir / "w", every_type());
  const std::string content = read_text_file(dir / "w");
  std::uint64_t length = 0;
  std::memcpy(&length, content.data(), 8);
  EXPECT_EQ(length % 8, 0U);
  const Json header = Json::parse(content.substr(8, length));
  for (const auto& [name, tensor] : every_type()) {
    EXPECT_EQ(header.at(name).at("data_offsets").at(0).get<std::size_t>() % dtype_size(tensor.dtype()), 0U) << name;
  }
}

TEST(Safetensors, keeps_the_order_of_the_map_where_the_element_types_are_equal) {
  const TempDir dir;
  write_safetensors(dir / "w", {{"b", counting({1})}, {"a", counting({2})}});
  const std::string content = read_text_file(dir / "w");
  EXPECT_LT(content.find("\"a\""), content.find("\"b\""));
}

struct BadFile {
  const char* name;
  std::string content;
  const char* message;
};

std::vector<BadFile> bad_files() {
  const std::string four(4, '\0');
  const std::string eight(8, '\0');
  const auto one = [](const std::string& fields) { return R"({"w":{)" + fields + "}}"; };
  std::string deep = R"({"w":)";
  deep.append(100000, '[');
  return {
      {"empty file", "", "ends 0 bytes after byte 0, 8 were expected"},
      {"length cut", "\x08", "ends 1 bytes after byte 0, 8 were expected"},
      {"absurd length", std::string(8, '\xff') + "{}",
       "the header has 18446744073709551615 bytes by its first number, 2 are there"},
      {"header past the end", file_of("{}", "").replace(0, 1, "\x03"),
       "the header has 3 bytes by its first number, 2 are there"},
      {"no object", file_of("[]", ""), "must start with '{'"},
      {"zero byte", file_of(std::string("{}\0 ", 4), ""), "hold no zero bytes"},
      {"not JSON", file_of(R"({"w")", ""), "the header is not JSON in UTF-8: error at byte 5"},
      {"text after JSON", file_of("{} x", ""), "the header is not JSON"},
      {"not UTF-8", file_of("{\"\xff\":{}}", ""), "the header is not JSON in UTF-8"},
      {"deep nesting", file_of(deep, ""), "tensor 'w': its value cannot be a list"},
      {"tensor is a number", file_of(R"({"w":3})", ""), "tensor 'w': its value cannot be 3"},
      {"metadata not text", file_of(R"({"__metadata__":{"a":1}})", ""), "tensor '__metadata__': 'a' cannot be 1"},
      {"metadata key twice", file_of(R"({"__metadata__":{"a":"1","a":"1"}})", ""), "has 'a' twice"},
      {"name twice",
       file_of(R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
               R"("w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
               ""),
       "two tensors are named 'w'"},
      {"key twice", file_of(one(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])"), four),
       "has 'dtype' twice"},
      {"unknown key", file_of(one(R"("type":"F32","shape":[1],"data_offsets":[0,4])"), four), "unknown key 'type'"},
      {"no shape", file_of(one(R"("dtype":"F32","data_offsets":[0,4])"), four), "tensor 'w': has no 'shape'"},
      {"one offset", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[4])"), four), "must be 2 numbers, got 1"},
      {"three offsets", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4,8])"), four),
       "'data_offsets' cannot be 8"},
      {"unknown type", file_of(one(R"("dtype":"Q4","shape":[1],"data_offsets":[0,4])"), four), "unknown element type 'Q4'"},
      {"negative size", file_of(one(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), four), "'shape' cannot be -1"},
      {"fractional size", file_of(one(R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])"), four),
       "'shape' cannot be 1.0"},
      {"size above 2^63", file_of(one(R"("dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4])"), four),
       "'shape' cannot be 9223372036854775808"},
      {"overflow", file_of(one(R"("dtype":"F32","shape":[4294967296,4294967296,4294967297],"data_offsets":[0,4])"), four),
       "tensor 'w': shape [4294967296, 4294967296, 4294967297] is too large"},
      {"overflow to zero bytes", file_of(one(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])"), ""),
       "is too large"},
      {"high rank", file_of(one(R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1])"), "x"),
       "has more than 16 dimensions"},
      {"outside", file_of(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), four),
       "tensor 'w': bytes 0 to 8 are outside of the 4 bytes of data"},
      {"reversed", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), four), "bytes 4 to 0 are outside"},
      {"size and bytes differ", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,8])"), eight),
       "tensor 'w': f32 [1] needs 4 bytes, got 8"},
      {"overlap",
       file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
               R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
               four + "xx"),
       "tensor 'b': starts at byte 2 of the data, the tensor before it ends at 4"},
      {"gap", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), eight), "starts at byte 4 of the data"},
      {"bytes left over", file_of(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), eight),
       "the tensors end at byte 4 of the data, which has 8"},
  };
}

TEST(Safetensors, rejects_each_kind_of_damage_naming_file_tensor_and_both_values) {
  const TempDir dir;
  for (const BadFile& bad : bad_files()) {
    SCOPED_TRACE(bad.name);
    write_plain(dir / "bad.safetensors", bad.content);
    EXPECT_THAT(message_of([&] { read_safetensors(dir / "bad.safetensors"); }),
                AllOf(HasSubstr("bad.safetensors: "), HasSubstr(bad.message)));
  }
}

TEST(Safetensors, states_names_with_control_characters_on_one_line_and_cuts_long_ones) {
  const TempDir dir;
  write_plain(dir / "w", file_of(R"({"a\nb\u001b[31m":3})", ""));
  EXPECT_THAT(message_of([&] { read_safetensors(dir / "w"); }), HasSubstr(R"('a\nb\x1b[31m')"));
  write_plain(dir / "w", file_of("{\"" + std::string(5000, 'x') + "\":3}", ""));
  EXPECT_LT(message_of([&] { read_safetensors(dir / "w"); }).size(), 400U);
}

TEST(Safetensors, reads_padding_after_the_header_and_tensors_in_any_order_of_names) {
  const TempDir dir;
  const float values[] = {1, 2};
  write_plain(
      dir / "w",
      file_of(
          R"({"z":{"shape":[1],"data_offsets":[0,4],"dtype":"F32"}, "a":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}   )",
          std::string(reinterpret_cast<const char*>(values), 8)));
  const TensorMap read = read_safetensors(dir / "w");
  EXPECT_EQ(floats(read.at("z")), std::vector<float>{1});
  EXPECT_EQ(floats(read.at("a")), std::vector<float>{2});
}

TEST(Safetensors, refuses_a_missing_file_a_folder_and_a_device) {
  const TempDir dir;
  EXPECT_THAT(message_of([&] { read_safetensors(dir / "none"); }, ErrorCode::kFailed), HasSubstr("none: no such file"));
  EXPECT_THAT(message_of([&] { read_safetensors(dir.path()); }, ErrorCode::kFailed), HasSubstr("is not a regular file"));
  EXPECT_THAT(message_of([&] { read_weights("/dev/zero"); }, ErrorCode::kFailed), HasSubstr("is not a regular file"));
}

TEST(Safetensors, refuses_to_write_what_could_not_be_read_and_keeps_the_old_file) {
  const TempDir dir;
  write_safetensors(dir / "w", {{"a", counting({1})}});
  const std::string before = read_text_file(dir / "w");
  EXPECT_THAT(message_of(
                  [&] {
                    write_safetensors(dir / "w", {{"a", Tensor()}});
                  },
                  ErrorCode::kFailed),
              HasSubstr("tensor 'a' is empty"));
  EXPECT_THAT(message_of(
                  [&] {
                    write_safetensors(dir / "w", {{"\xff", counting({1})}});
                  },
                  ErrorCode::kFailed),
              HasSubstr("not UTF-8"));
  EXPECT_THAT(message_of(
                  [&] {
                    write_safetensors(dir / "w", {{"__metadata__", counting({1})}});
                  },
                  ErrorCode::kFailed),
              HasSubstr("__metadata__"));
  EXPECT_EQ(read_text_file(dir / "w"), before);
}

TEST(Safetensors, rejects_every_truncation) {
  const TempDir dir;
  write_safetensors(dir / "w", every_type(), {{"k", "v"}});
  const std::string content = read_text_file(dir / "w");
  for (std::size_t size = 0; size < content.size(); ++size) {
    write_plain(dir / "cut", content.substr(0, size));
    EXPECT_THROW(read_safetensors(dir / "cut"), Error) << size;
  }
}

TEST(Safetensors, gives_an_error_or_tensors_for_random_damage_and_never_crashes) {
  const TempDir dir;
  write_safetensors(dir / "w", every_type(), {{"k", "v"}});
  const std::string content = read_text_file(dir / "w");
  EXPECT_GT(refused_mutations(content, dir / "bad", 5000, [&] { read_weights(dir / "bad"); }), 2500);
}

TEST(Weights, converts_half_precision_exactly) {
  const Tensor half = to_f32(bits(DType::kF16, {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x83FF, 0x0400, 0x8000, 0x3555}));
  EXPECT_EQ(floats(half), (std::vector<float>{1, -2, 65504, 0x1p-24F, -1023 * 0x1p-24F, 0x1p-14F, -0.0F, 0.333251953125F}));
  EXPECT_TRUE(std::signbit(half.values<float>()[6]));
  const Tensor special = to_f32(bits(DType::kF16, {0x7C00, 0xFC00, 0x7E00}));
  EXPECT_EQ(special.values<float>()[0], HUGE_VALF);
  EXPECT_EQ(special.values<float>()[1], -HUGE_VALF);
  EXPECT_TRUE(std::isnan(special.values<float>()[2]));
  EXPECT_EQ(floats(to_f32(bits(DType::kBf16, {0x3F80, 0xC2F7, 0x0000}))), (std::vector<float>{1, -123.5, 0}));
  EXPECT_EQ(floats(to_f32(tensor_of<double>({2}, {0.1, -3}))), (std::vector<float>{0.1F, -3}));
  EXPECT_THROW(to_f32(tensor_of<std::int32_t>({1}, {1})), Error);
}

TEST(Weights, come_as_f32_without_batch_counters_and_are_told_apart_by_content) {
  const TempDir dir;
  write_safetensors(dir / "misnamed.pth", {{"bn.num_batches_tracked", tensor_of<std::int64_t>({}, {7})},
                                           {"ids", tensor_of<std::int64_t>({1}, {7})},
                                           {"w", bits(DType::kBf16, {0x3F80})}});
  const TensorMap weights = read_weights(dir / "misnamed.pth");
  ASSERT_EQ(weights.size(), 2U);
  EXPECT_EQ(floats(weights.at("w")), std::vector<float>{1});
  EXPECT_EQ(weights.at("ids").dtype(), DType::kI64);
  write_plain(dir / "text.safetensors", "hello weights");
  EXPECT_THAT(message_of([&] { read_weights(dir / "text.safetensors"); }),
              HasSubstr("is neither a .safetensors file nor a file of torch.save; it starts with 'hello wei'"));
}

TEST(Weights, of_the_published_mobilenet_are_read_whole) {
  const std::string path = actio::testing::shared_file("weights/mobilenet_v2_imagenet.safetensors");
  ACTIO_NEEDS_SHARED(path);
  const TensorMap weights = read_weights(path);
  EXPECT_EQ(weights.at("features.0.0.weight").shape(), (Shape{32, 3, 3, 3}));
  EXPECT_EQ(weights.at("classifier.1.weight").shape(), (Shape{1000, 1280}));
  for (const auto& [name, tensor] : weights) {
    for (const float value : tensor.values<float>()) ASSERT_TRUE(std::isfinite(value)) << name;
  }
  const TempDir dir;
  write_safetensors(dir / "copy", weights);
  const TensorMap copy = read_weights(dir / "copy");
  for (const auto& [name, tensor] : weights) EXPECT_TRUE(same(copy.at(name), tensor)) << name;
}

TEST(Safetensors, exchanges_files_with_the_python_library_both_ways) {
  if (!python_has("torch, safetensors.torch")) GTEST_SKIP() << "Python has no torch with safetensors";
  const TempDir dir;
  const Metadata metadata = {{"größe", "a \"b\""}};
  write_safetensors(dir / "ours", every_type(), metadata);
  write_plain(dir / "exchange.py", std::string() +
                                       "import torch\n"
                                       "from safetensors import safe_open\n"
                                       "from safetensors.torch import save_file, load_file\n"
                                       "with safe_open('" +
                                       dir / "ours" +
                                       "', 'pt') as f: m = f.metadata()\n"
                                       "save_file(load_file('" +
                                       dir / "ours" + "'), '" + dir / "theirs" + "', m)\n");
  ASSERT_TRUE(run_python(dir / "exchange.py"));
  Metadata read_metadata;
  const TensorMap read = read_safetensors(dir / "theirs", &read_metadata);
  EXPECT_EQ(read_metadata, metadata);
  for (const auto& [name, tensor] : every_type()) EXPECT_TRUE(same(read.at(name), tensor)) << name;
}

// An independent reader of the format's published rules, with nothing but Python's own library: it fails where a rule is broken
// and writes the same tensors back in the reverse order, with another spacing of the header.
const char* const kPlainReader = R"(
import json, struct, sys
data = open(sys.argv[1], 'rb').read()
length, = struct.unpack('<Q', data[:8])
header = json.loads(data[8:8 + length].decode('utf-8'))
metadata = header.pop('__metadata__')
assert all(isinstance(v, str) for v in metadata.values())
sizes = {'F64': 8, 'I64': 8, 'U64': 8, 'F32': 4, 'I32': 4, 'U32': 4, 'BF16': 2, 'F16': 2, 'I16': 2, 'U16': 2, 'I8': 1, 'U8': 1, 'BOOL': 1}
body, at = data[8 + length:], 0
for name, t in sorted(header.items(), key=lambda item: item[1]['data_offsets']):
    begin, end = t['data_offsets']
    count = 1
    for n in t['shape']:
        count *= n
    assert begin == at and end - begin == count * sizes[t['dtype']], name
    at = end
assert at == len(body)
out, blob = {'__metadata__': metadata}, b''
for name in reversed(list(header)):
    t = header[name]
    bytes_ = body[slice(*t['data_offsets'])]
    out[name] = {'shape': t['shape'], 'data_offsets': [len(blob), len(blob) + len(bytes_)], 'dtype': t['dtype']}
    blob += bytes_
text = json.dumps(out, indent=1, ensure_ascii=False).encode('utf-8')
text += b' ' * (-len(text) % 8)
open(sys.argv[2], 'wb').write(struct.pack('<Q', len(text)) + text + blob)
)";

TEST(Safetensors, are_read_and_written_alike_by_a_plain_python_reader_of_the_format) {
  ASSERT_TRUE(python_has("json, struct")) << "no python3";
  const TempDir dir;
  const Metadata metadata = {{"größe", "a \"b\""}};
  write_safetensors(dir / "ours", every_type(), metadata);
  write_plain(dir / "plain.py", kPlainReader);
  ASSERT_TRUE(run_python(fmt::format("'{}' '{}' '{}'", dir / "plain.py", dir / "ours", dir / "theirs")));
  Metadata read_metadata;
  const TensorMap read = read_safetensors(dir / "theirs", &read_metadata);
  EXPECT_EQ(read_metadata, metadata);
  EXPECT_EQ(read.size(), every_type().size());
  for (const auto& [name, tensor] : every_type()) EXPECT_TRUE(same(read.at(name), tensor)) << name;
}

}  // namespace
}  // namespace actio::net
