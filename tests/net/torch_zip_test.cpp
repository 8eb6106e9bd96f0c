#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "net/weights.h"
#include "support/needs.h"
#include "support/temp_dir.h"
#include "torch_fixture.h"
#include "weights_fixture.h"

namespace actio::net {
namespace {

using namespace torch_fixture;
using actio::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kSix = raw<float>({0, 1, 2, 3, 4, 5});
const FakeTensor kMatrix = {.count = 6, .sizes = {2, 3}, .strides = {3, 1}};

class TorchZip : public ::testing::Test {
 protected:
  TensorMap read(const std::string& content) {
    write_plain(path_, content);
    return read_torch_checkpoint(path_);
  }
  std::string refusal(const std::string& content) {
    return message_of([&] { read(content); });
  }
  // Of a state dict with one tensor "w" and the storage "0" of six f32.
  std::string refusal_of(const FakeTensor& fake) {
    return refusal(checkpoint(dict({text("w"), tensor(fake)}), {{"0", kSix}}));
  }

  TempDir dir_;
  std::string path_ = dir_ / "net.pth";
};

TEST_F(TorchZip, returns_tensors_of_every_storage_type) {
  const std::string body =
      dict({text("f64"), tensor({.type = "DoubleStorage", .key = "0", .count = 1, .sizes = {1}, .strides = {1}}),
            text("i64"), tensor({.type = "LongStorage", .key = "1", .count = 1}), text("f16"),
            tensor({.type = "HalfStorage", .key = "2", .count = 2, .sizes = {2}, .strides = {1}}), text("u8"),
            tensor({.type = "BoolStorage", .key = "3", .count = 3, .sizes = {3}, .strides = {1}})});
  const TensorMap read_back = read(checkpoint(body, {{"0", raw<double>({0.1})},
                                                     {"1", raw<std::int64_t>({-7})},
                                                     {"2", raw<std::uint16_t>({0x3C00, 0xC000})},
                                                     {"3", {1, 0, 1}}}));
  EXPECT_EQ(read_back.at("f64").values<double>()[0], 0.1);
  EXPECT_EQ(read_back.at("i64").values<std::int64_t>()[0], -7);
  EXPECT_EQ(read_back.at("i64").shape(), Shape{});
  EXPECT_EQ(floats(to_f32(read_back.at("f16"))), (std::vector<float>{1, -2}));
  EXPECT_EQ(read_back.at("u8").values<std::uint8_t>()[2], 1);
}

TEST_F(TorchZip, lays_out_transposed_shifted_repeated_and_empty_views) {
  FakeTensor transposed = kMatrix, shifted = kMatrix, repeated = kMatrix, empty = kMatrix, single = kMatrix;
  transposed.sizes = {3, 2};
  transposed.strides = {1, 3};
  shifted.offset = 1;
  shifted.sizes = {2, 2};
  repeated.offset = 5;
  repeated.sizes = {2, 2};
  repeated.strides = {0, 0};
  empty.offset = 6;
  empty.sizes = {0, 3};
  single.sizes = {1, 2, 1};
  single.strides = {std::int64_t{1} << 62, 3, std::int64_t{1} << 62};
  const TensorMap read_back = read(checkpoint(
      dict({text("plain"), tensor(kMatrix), text("transposed"), tensor(transposed), text("shifted"), tensor(shifted),
            text("repeated"), tensor(repeated), text("empty"), tensor(empty), text("single"), tensor(single)}),
      {{"0", kSix}}));
  EXPECT_EQ(floats(read_back.at("plain")), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(floats(read_back.at("transposed")), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(floats(read_back.at("shifted")), (std::vector<float>{1, 2, 4, 5}));
  EXPECT_EQ(floats(read_back.at("repeated")), (std::vector<float>{5, 5, 5, 5}));
  EXPECT_EQ(read_back.at("empty").shape(), (Shape{0, 3}));
  EXPECT_EQ(floats(read_back.at("single")), (std::vector<float>{0, 3}));
}

TEST_F(TorchZip, reads_deflated_entries_and_zip64_directories) {
  const std::string many = raw(std::vector<float>(10000, 2.5F));
  const std::string body = dict({text("w"), tensor({.count = 10000, .sizes = {10000}, .strides = {1}})});
  for (const bool zip64 : {false, true}) {
    const std::string file = zip({{"a/data.pkl", pickle(body), true}, {"a/data/0", many, true}}, zip64);
    EXPECT_LT(file.size(), 2000U);
    EXPECT_EQ(floats(read(file).at("w")), std::vector<float>(10000, 2.5F));
  }
}

TEST_F(TorchZip, takes_a_wrapper_off_where_there_is_one_alone_and_joins_nested_dicts) {
  const std::string one = tensor(kMatrix);
  const std::vector<ZipFile> storage = {{"0", kSix}};
  const auto names = [&](const std::string& body) {
    std::string all;
    for (const auto& [name, value] : read(checkpoint(body, storage))) all += name + " ";
    return all;
  };
  const std::string inner = dict({text("module.a.w"), one, text("module.b"), one});
  EXPECT_EQ(names(inner), "module.a.w module.b ");
  EXPECT_EQ(names(dict({text("epoch"), integer(3), text("lr"), "G" + std::string(8, '\0'), text("state_dict"), inner})),
            "module.a.w module.b ");
  EXPECT_EQ(names(dict({text("model"), dict({text("state_dict"), inner}), text("optimizer"), dict({text("x"), one})})),
            "module.a.w module.b ");
  for (const char* key : {"model_state", "net", "network", "ema", "state_dict_ema"}) {
    EXPECT_EQ(names(dict({text(key), inner, text("optimizer_state"), dict({text("x"), one})})), "module.a.w module.b ")
        << key;
  }
  // Which of the two is wanted is not the reader's choice.
  EXPECT_EQ(names(dict({text("state_dict"), dict({text("w"), one}), text("ema"), dict({text("w"), one})})),
            "ema.w state_dict.w ");
  // A wrapper without tensors is none.
  EXPECT_EQ(names(dict({text("state_dict"), dict({text("w"), one}), text("model"), dict({text("depth"), integer(18)})})),
            "w ");
  EXPECT_EQ(names(dict({text("a"), dict({text("b"), one, text("c"), "N"}), text("module.d"), one})), "a.b module.d ");
  EXPECT_EQ(names(ordered_dict() + "(" + text("w") + one + "u" + dict({text("_metadata"), ordered_dict()}) + "b"), "w ");
  EXPECT_EQ(
      names(dict({text("w"), global("torch._utils", "_rebuild_parameter") + tuple({one, "\x88", ordered_dict()}) + "R"})),
      "w ");
}

TEST_F(TorchZip, passes_over_what_training_checkpoints_hold_beside_the_weights) {
  const std::string scalar =
      global("numpy.core.multiarray", "scalar") +
      tuple({global("numpy", "dtype") + tuple({text("f8")}) + "R" + tuple({integer(3)}) + "b", text("x")}) + "R";
  const std::string options = global("argparse", "Namespace") + ")\x81" + dict({text("lr"), integer(1)}) + "b";
  const std::string seed = "\x8a\x0a" + std::string(10, '\x55');
  const TensorMap weights =
      read(checkpoint(dict({text("args"), options, text("best"), scalar, text("seed"), seed, text("list"),
                            "](" + integer(1) + "Ne", text("model"), dict({text("w"), tensor(kMatrix)})}),
                      {{"0", kSix}}));
  EXPECT_EQ(weights.size(), 1U);
}

TEST_F(TorchZip, reads_the_opcodes_of_protocol_4_and_the_memo) {
  const auto shorter = [](const std::string& value) {
    return "\x8c" + std::string(1, static_cast<char>(value.size())) + value + "\x94";
  };
  const std::string storage = "(" + shorter("storage") + shorter("torch") + shorter("FloatStorage") + "\x93\x94" +
                              shorter("0") + shorter("cpu") + "K\x06t\x94Q";
  const std::string rebuild = shorter("torch._utils") + shorter("_rebuild_tensor_v2") + "\x93\x94";
  // The second tensor comes whole out of the memo.
  const std::string body = "\x95" + std::string(8, '\0') + "}\x94(" + shorter("a") + rebuild + "(" + storage +
                           std::string("K\0", 2) + "K\x02K\x03\x86K\x03K\x01\x86\x89}t" + "Rq\xC8" + shorter("b") + "h\xC8u";
  const TensorMap weights = read(zip({{"x/data.pkl", "\x80\x04" + body + "."}, {"x/data/0", kSix}}));
  ASSERT_EQ(weights.size(), 2U);
  EXPECT_EQ(floats(weights.at("b")), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_NE(weights.at("a").raw(), weights.at("b").raw());
}

TEST_F(TorchZip, refuses_every_other_python_object_by_name_and_runs_nothing) {
  const std::string system = global("os", "system") + tuple({text("touch " + dir_ / "ran")}) + "R";
  EXPECT_THAT(refusal(checkpoint(dict({text("w"), system}), {})),
              AllOf(HasSubstr("net.pth: archive/data.pkl: "), HasSubstr("'os.system'")));
  EXPECT_THAT(refusal(checkpoint(text("builtins") + text("eval") + "\x93", {})), HasSubstr("'builtins.eval'"));
  EXPECT_THAT(refusal(checkpoint(global("torch.nn.modules.conv", "Conv2d") + ")\x81", {})),
              HasSubstr("'torch.nn.modules.conv.Conv2d'"));
  EXPECT_THAT(refusal(checkpoint(global("torch", "ComplexFloatStorage"), {})), HasSubstr("'torch.ComplexFloatStorage'"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "ran"));
}

TEST_F(TorchZip, refuses_unknown_opcodes_and_malformed_pickles) {
  EXPECT_THAT(refusal(checkpoint("\xff", {})), HasSubstr("archive/data.pkl: unknown pickle opcode 0xff at byte 2"));
  EXPECT_THAT(refusal(checkpoint("I1\n", {})), HasSubstr("unknown pickle opcode 0x49 at byte 2"));
  EXPECT_THAT(refusal(checkpoint("\x80\x09", {})), HasSubstr("pickle protocol 9, 2 to 5 were expected"));
  EXPECT_THAT(refusal(checkpoint("", {})), HasSubstr("the stack is empty"));
  EXPECT_THAT(refusal(checkpoint("t", {})), HasSubstr("there is no mark"));
  EXPECT_THAT(refusal(checkpoint("}(Nu", {})), HasSubstr("a key and no value"));
  EXPECT_THAT(refusal(checkpoint("h\x05", {})), HasSubstr("the memo has no entry 5"));
  EXPECT_THAT(refusal(checkpoint("K\x01)R", {})), HasSubstr("a call of something that is no global"));
  EXPECT_THAT(refusal(checkpoint("NNa", {})), HasSubstr("items for something that is no list"));
  EXPECT_THAT(refusal(checkpoint("X\xff\xff\xff\xff", {})), HasSubstr("4294967295 were expected"));
  EXPECT_THAT(refusal(checkpoint("cnever", {})), HasSubstr("a line that starts at byte 3 has no end"));
  EXPECT_THAT(refusal(checkpoint("K\x01", {})), HasSubstr("holds no dict of tensors"));
  EXPECT_THAT(refusal(checkpoint("}", {})), HasSubstr("holds no tensors"));
}

TEST_F(TorchZip, refuses_dicts_that_contain_themselves_or_multiply) {
  EXPECT_THAT(refusal(checkpoint("}q\x01" + text("a") + "h\x01s", {})), HasSubstr("nested deeper than 16"));
  std::string body = dict({text("w"), tensor(kMatrix)}) + "q" + std::string(1, '\0');
  for (char i = 0; i < 15; ++i) {
    std::string items;
    for (char key = 'a'; key < 'k'; ++key) items += text(std::string(1, key)) + "h" + std::string(1, i);
    body += "}(" + items + "uq" + std::string(1, static_cast<char>(i + 1));
  }
  EXPECT_THAT(refusal(checkpoint(body, {{"0", kSix}})), HasSubstr("more than 1000000 entries"));
}

TEST_F(TorchZip, refuses_two_tensors_of_one_name) {
  const std::string one = tensor(kMatrix);
  EXPECT_THAT(refusal(checkpoint(dict({text("a"), dict({text("b"), one}), text("a.b"), one}), {{"0", kSix}})),
              HasSubstr("two tensors are named 'a.b'"));
}

TEST_F(TorchZip, refuses_views_outside_of_their_storage) {
  FakeTensor fake = kMatrix;
  fake.offset = 1;
  EXPECT_THAT(refusal_of(fake),
              HasSubstr("tensor 'w': sizes [2, 3] with strides [3, 1] from element 1 reach outside of its storage of 6"));
  fake = kMatrix;
  fake.strides = {std::int64_t{1} << 62, std::int64_t{1} << 62};
  fake.sizes = {3, 3};
  EXPECT_THAT(refusal_of(fake), HasSubstr("reach outside"));
  fake = kMatrix;
  fake.sizes = {std::int64_t{1} << 40, std::int64_t{1} << 40};
  EXPECT_THAT(refusal_of(fake), HasSubstr("is too large"));
  fake.sizes = {std::int64_t{1} << 40, 1};
  fake.strides = {0, 0};
  EXPECT_THAT(refusal_of(fake), HasSubstr("the tensors up to here take 4398046511104 bytes, at most"));
  fake = kMatrix;
  fake.offset = -1;
  EXPECT_THAT(refusal_of(fake), HasSubstr("no count"));
  fake = kMatrix;
  fake.strides = {1};
  EXPECT_THAT(refusal_of(fake), HasSubstr("has 2 sizes and 1 strides"));
  fake = kMatrix;
  fake.count = 7;
  EXPECT_THAT(refusal_of(fake), HasSubstr("its storage has 24 bytes, 7 elements of f32 were expected"));
  fake = kMatrix;
  fake.key = "9";
  EXPECT_THAT(refusal_of(fake), HasSubstr("zip entry 'archive/data/9' is missing"));
}

TEST_F(TorchZip, refuses_damaged_zip_archives) {
  const std::string good = checkpoint(dict({text("w"), tensor(kMatrix)}), {{"0", kSix}});
  const auto with = [&](std::size_t position, const std::string& bytes) {
    return std::string(good).replace(position, bytes.size(), bytes);
  };
  const std::size_t data = good.find(kSix);
  const std::size_t directory = good.find("PK\x01\x02");
  const std::size_t end = good.rfind("PK\x05\x06");
  EXPECT_THAT(refusal(with(data, "x")), HasSubstr("zip entry 'archive/data/0' is damaged: CRC-32 "));
  EXPECT_THAT(refusal(good.substr(0, good.size() - 1)), HasSubstr("has no end of a zip archive"));
  EXPECT_THAT(refusal(good + "x"), HasSubstr("has no end of a zip archive"));
  EXPECT_THAT(refusal(with(end + 16, u32(1 << 30))), HasSubstr("the zip directory lies at bytes 1073741824"));
  EXPECT_THAT(refusal(with(end + 10, u16(9))), HasSubstr("the zip directory has 3 entries, 9 were announced"));
  EXPECT_THAT(refusal(with(directory + 8, u16(1))), HasSubstr("'archive/data.pkl' is encrypted"));
  EXPECT_THAT(refusal(with(directory + 10, u16(12))), HasSubstr("compression method 12"));
  EXPECT_THAT(refusal(with(directory + 42, u32(1 << 30))), HasSubstr("'archive/data.pkl' lies at byte 1073741824"));
  EXPECT_THAT(refusal(with(directory + 20, u32(1 << 30))), HasSubstr("add up to more than the"));
  EXPECT_THAT(refusal(with(directory + 10, u16(8)).replace(directory + 24, 4, u32(4000000000))),
              HasSubstr("cannot hold 4000000000 by deflate"));
  EXPECT_THAT(refusal(with(directory + 10, u16(8))), HasSubstr("damaged: inflated to"));
  EXPECT_THAT(refusal(zip({{"a/other", "x"}})), HasSubstr("without data.pkl"));
  EXPECT_THAT(refusal(zip({{"a/data.pkl", "x"}, {"a/data.pkl", "y"}})), HasSubstr("two zip entries are named 'a/data.pkl'"));
  EXPECT_THAT(refusal(zip({{"a/data.pkl", "x"}, {"a/constants.pkl", "y"}})), HasSubstr("is a TorchScript archive"));
  EXPECT_THAT(refusal(zip({{"a/data.pkl", "x"}, {"a/byteorder", "big"}})), HasSubstr("byte order is 'big'"));
}

TEST_F(TorchZip, refuses_the_format_before_1_6_with_advice) {
  EXPECT_THAT(refusal("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."),
              HasSubstr("_use_new_zipfile_serialization=True"));
  EXPECT_THAT(message_of([&] { read_weights(path_); }), HasSubstr("_use_new_zipfile_serialization=True"));
  EXPECT_THAT(refusal("hello"), HasSubstr("is no zip archive of torch.save; it starts with 'hello'"));
}

TEST_F(TorchZip, rejects_every_truncation_and_every_changed_byte_of_a_storage) {
  const std::string good = checkpoint(dict({text("w"), tensor(kMatrix)}), {{"0", kSix}}, true);
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_THROW(read(good.substr(0, size)), Error) << size;
  const std::size_t data = good.find(kSix);
  for (std::size_t i = data; i < data + kSix.size(); ++i) {
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_THROW(read(damaged), Error) << i;
  }
}

TEST_F(TorchZip, gives_an_error_or_tensors_for_random_damage_and_never_crashes) {
  FakeTensor transposed = kMatrix;
  transposed.sizes = {3, 2};
  transposed.strides = {1, 3};
  const std::string body = dict({text("state_dict"), dict({text("a"), tensor(kMatrix), text("b"), tensor(transposed)})});
  for (const bool zip64 : {false, true}) {
    const std::string good = zip({{"a/data.pkl", pickle(body), zip64}, {"a/data/0", kSix, true}}, zip64);
    EXPECT_GT(refused_mutations(good, path_, 3000, [&] { read_weights(path_); }), 1500);
  }
}

// The checksums of a zip hide the pickle from damage, so it is damaged before it is packed.
TEST_F(TorchZip, gives_an_error_or_tensors_for_random_pickles_and_never_crashes) {
  FakeTensor transposed = kMatrix;
  transposed.sizes = {3, 2};
  transposed.strides = {1, 3};
  const std::string good =
      pickle(dict({text("state_dict"), dict({text("a"), tensor(kMatrix), text("b"), tensor(transposed)})}));
  const std::string plain = dir_ / "plain.pkl";
  const int refused = refused_mutations(good, plain, 6000, [&] {
    read(zip({{"a/data.pkl", read_text_file(plain)}, {"a/data/0", kSix}}));
  });
  EXPECT_GT(refused, 3000);
}

const char* const kPythonScript = R"(
import collections, sys, torch
folder = sys.argv[1]
torch.manual_seed(1)
base = torch.randn(4, 6)
state = collections.OrderedDict()
state['f32'] = base
state['shared'] = base[1:3]
state['transposed'] = torch.randn(3, 5, 2).permute(2, 0, 1)
state['every.second'] = torch.randn(10)[::2]
state['parameter'] = torch.nn.Parameter(torch.randn(2, 2))
state['scalar'] = torch.tensor(-1.5)
state['empty'] = torch.zeros(0, 3)
state['f16'] = torch.randn(50).half()
state['bf16'] = torch.randn(50).bfloat16()
state['f64'] = torch.randn(5).double()
state['half.all'] = torch.arange(-32768, 32768).to(torch.int16).view(torch.float16)
state['half.all'] = state['half.all'][torch.isfinite(state['half.all'])]
with open(folder + '/expected', 'wb') as out:
    for name in sorted(state):
        out.write(state[name].detach().float().contiguous().numpy().tobytes())
state['i32'] = torch.arange(5, dtype=torch.int32)
state['bn.num_batches_tracked'] = torch.tensor(3)
net = torch.nn.DataParallel(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for protocol in (2, 3, 4, 5):
    torch.save(state, f'{folder}/plain{protocol}.pth', pickle_protocol=protocol)
torch.save({'epoch': 3, 'arch': 'x', 'state_dict': net.state_dict(), 'optimizer': optimizer.state_dict()}, folder + '/wrapped.pth')
torch.save({'model_state': net.state_dict(), 'optimizer_state': optimizer.state_dict()}, folder + '/model_state.pth')
torch.save({'model': net.state_dict(), 'ema': net.module.state_dict()}, folder + '/twice.pth')
torch.save(state, folder + '/legacy.pth', _use_new_zipfile_serialization=False)
torch.save(net, folder + '/module.pth')
torch.jit.script(torch.nn.Linear(2, 2)).save(folder + '/script.pth')
)";

TEST_F(TorchZip, agrees_with_torch_on_files_of_torch_save) {
  ACTIO_NEEDS_PACKAGE(run_python("-c 'import numpy, torch' > /dev/null 2>&1"), "python3-torch");
  write_plain(dir_ / "make.py", kPythonScript);
  ASSERT_TRUE(run_python("'" + dir_ / "make.py" + "' '" + dir_.path().string() + "'"));
  for (const char* name : {"plain2.pth", "plain3.pth", "plain4.pth", "plain5.pth"}) {
    SCOPED_TRACE(name);
    TensorMap weights = read_weights(dir_ / name);
    EXPECT_EQ(weights.at("i32").dtype(), DType::kI32);
    weights.erase("i32");
    EXPECT_EQ(weights.size(), 11U);
    EXPECT_EQ(weights.at("transposed").shape(), (Shape{2, 3, 5}));
    std::string values;
    for (const auto& [key, tensor] : weights) values.append(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
    EXPECT_TRUE(values == read_text_file(dir_ / "expected"));
  }
  const TensorMap wrapped = read_weights(dir_ / "wrapped.pth");
  EXPECT_EQ(wrapped.size(), 6U);
  EXPECT_EQ(wrapped.at("module.0.weight").shape(), (Shape{4, 3, 3, 3}));
  EXPECT_EQ(read_weights(dir_ / "model_state.pth").size(), 6U);
  EXPECT_TRUE(read_weights(dir_ / "model_state.pth").contains("module.0.weight"));
  const TensorMap twice = read_weights(dir_ / "twice.pth");
  EXPECT_EQ(twice.size(), 12U);
  EXPECT_TRUE(twice.contains("model.module.0.weight") && twice.contains("ema.0.weight"));
  EXPECT_THAT(message_of([&] { read_weights(dir_ / "legacy.pth"); }), HasSubstr("_use_new_zipfile_serialization=True"));
  EXPECT_THAT(message_of([&] { read_weights(dir_ / "module.pth"); }),
              HasSubstr("'torch.nn.parallel.data_parallel.DataParallel'"));
  EXPECT_THAT(message_of([&] { read_weights(dir_ / "script.pth"); }), HasSubstr("is a TorchScript archive"));
}

}  // namespace
}  // namespace actio::net
