// A large model that is mapped and not copied: the same model, the same messages, and a file that others may replace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <utility>

#include "net/file_map.h"
#include "net/initialise.h"
#include "net/model_file.h"
#include "net/weights.h"
#include "support/inputs.h"
#include "support/temp_dir.h"
#include "weights_fixture.h"

namespace actio::net {
namespace {

using actio::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Of 5 MB: its convolution has so many channels that a copy would be worth avoiding.
Model large_model(std::uint64_t seed = 5) {
  Model model;
  model.spec = small_spec();
  std::int64_t channels = 0;
  for (Node& node : model.spec.nodes) {
    if (node.op == Op::kConv2d) channels = node.attrs.channels = 40000;
  }
  EXPECT_GT(channels, 0);
  model.inputs = actio::testing::inputs_for(Preprocess{.input_size = 16});
  model.classes = {"a", "b"};
  initialise(model.spec, nullptr, seed, model.weights);
  return model;
}

// In place, as a copying program does.
void overwrite(const std::string& path, std::size_t position, char value) {
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(static_cast<std::streamoff>(position)).put(value);
}

class MappedModel : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = large_model();
    write_model(path_, model_);
    size_ = std::filesystem::file_size(path_);
    ASSERT_GT(size_, std::size_t{4} << 20);
  }

  Model mapped() const { return read_model(path_, WeightPlace::kMapped); }

  // Both ways have to say the same.
  std::string refusal() const {
    const std::string copied = message_of([&] { read_model(path_); });
    EXPECT_EQ(message_of([&] { mapped(); }), copied);
    return copied;
  }

  TempDir dir_;
  std::string path_ = dir_ / "m.actio";
  Model model_;
  std::uintmax_t size_ = 0;
};

TEST_F(MappedModel, is_the_model_that_a_copy_is) {
  const Model read = mapped(), copy = read_model(path_);
  EXPECT_EQ(read.spec, copy.spec);
  EXPECT_EQ(read.hash, copy.hash);
  EXPECT_EQ(read.classes, copy.classes);
  ASSERT_EQ(read.weights.size(), copy.weights.size());
  for (const auto& [name, tensor] : copy.weights) EXPECT_TRUE(same(read.weights.at(name), tensor)) << name;
}

TEST_F(MappedModel, outlives_another_file_in_its_place) {
  const Model read = mapped();
  Model other = large_model(6);
  write_model(path_, other);
  for (const auto& [name, tensor] : model_.weights) EXPECT_TRUE(same(read.weights.at(name), tensor)) << name;
  EXPECT_EQ(mapped().hash, other.hash);
  std::filesystem::remove(path_);
  for (const auto& [name, tensor] : model_.weights) EXPECT_TRUE(same(read.weights.at(name), tensor)) << name;
}

TEST_F(MappedModel, can_be_written_over_the_file_that_it_came_from) {
  Model read = mapped();
  read.classes = {"c", "d"};
  write_model(path_, read);
  const Model again = mapped();
  EXPECT_EQ(again.classes, read.classes);
  for (const auto& [name, tensor] : model_.weights) EXPECT_TRUE(same(again.weights.at(name), tensor)) << name;
}

TEST_F(MappedModel, has_weights_of_its_own) {
  Model read = mapped();
  const Model beside = mapped();
  for (auto& [name, tensor] : read.weights) tensor.values<float>()[0] += 1;
  for (const auto& [name, tensor] : model_.weights) {
    EXPECT_FALSE(same(read.weights.at(name), tensor)) << name;
    EXPECT_TRUE(same(beside.weights.at(name), tensor)) << name;
  }
  EXPECT_EQ(mapped().hash, model_.hash);
}

TEST_F(MappedModel, keeps_what_was_changed_in_a_tensor_until_its_last_handle_is_gone) {
  Model read = mapped();
  const std::string name = read.weights.begin()->first;
  Tensor kept = read.weights.begin()->second;
  kept.values<float>()[0] = 42;
  read = Model();
  EXPECT_EQ(kept.values<float>()[0], 42);
}

TEST_F(MappedModel, is_found_damaged_wherever_a_byte_is_wrong) {
  const std::string good = read_text_file(path_);
  for (const std::size_t place : {std::size_t{0}, std::size_t{9}, std::size_t{400}, good.size() / 2, good.size() - 1}) {
    write_plain(path_, good);
    overwrite(path_, place, static_cast<char>(good[place] ^ 0x20));
    refusal();
  }
  write_plain(path_, good);
  overwrite(path_, good.size() - 1, static_cast<char>(good.back() ^ 1));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("m.actio: is damaged: content hash "), HasSubstr(", recorded " + model_.hash)));
}

TEST_F(MappedModel, is_found_cut_or_too_long) {
  const std::string good = read_text_file(path_);
  for (const std::size_t size : {good.size() - 1, good.size() - 4, good.size() - 5000, std::size_t{5} << 20}) {
    write_plain(path_, good.substr(0, size));
    refusal();
  }
  write_plain(path_, good + '\0');
  refusal();
}

TEST_F(MappedModel, names_an_element_that_is_not_finite) {
  const std::string key = "\"actio.hash\":\"";
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    write_model(path_, model_);
    Metadata metadata;
    TensorMap tensors = read_safetensors(path_, &metadata);
    tensors.at("rgb.conv1.weight").values<float>()[7] = bad;
    metadata["actio.hash"] = std::string(32, '0');
    write_safetensors(path_, tensors, metadata);
    std::string content = read_text_file(path_);
    content.replace(content.find(key) + key.size(), 32, content_hash(std::as_bytes(std::span(content))));
    write_plain(path_, content);
    EXPECT_THAT(refusal(), HasSubstr("tensor 'rgb.conv1.weight': element 7 is"));
  }
}

TEST_F(MappedModel, of_which_a_part_is_no_f32_is_refused_as_a_copy_is) {
  const std::string key = "\"actio.hash\":\"";
  Metadata metadata;
  TensorMap tensors = read_safetensors(path_, &metadata);
  tensors["rgb.fc.bias"] = Tensor({2}, DType::kF64);
  metadata["actio.hash"] = std::string(32, '0');
  write_safetensors(path_, tensors, metadata);
  std::string content = read_text_file(path_);
  content.replace(content.find(key) + key.size(), 32, content_hash(std::as_bytes(std::span(content))));
  write_plain(path_, content);
  EXPECT_THAT(refusal(), HasSubstr("tensor 'rgb.fc.bias': holds f64, f32 was expected"));
}

TEST(FileMap, reads_the_bytes_that_it_shows_and_says_where_a_file_became_shorter) {
  const TempDir dir;
  const std::string path = dir / "bytes";
  std::string content(700'001, 'a');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 / 3);
  write_plain(path, content);
  const auto map = FileMap::open(path);
  ASSERT_NE(map, nullptr);
  std::string read;
  map->read([&](std::size_t begin, std::span<std::byte> block) {
    EXPECT_EQ(begin, read.size());
    read.append(reinterpret_cast<const char*>(block.data()), block.size());
  });
  EXPECT_EQ(read, content);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(map->span().data()), map->span().size()), content);
  std::filesystem::resize_file(path, 300'000);
  EXPECT_THAT(message_of([&] { map->read([](std::size_t, std::span<std::byte>) {}); }, ErrorCode::kFailed),
              HasSubstr("bytes: 300000 of 700001 bytes could be read"));
}

TEST(AllFinite, finds_what_is_no_finite_number_at_every_place) {
  constexpr float kMost = std::numeric_limits<float>::max(), kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> values = {0, -0.0F, 1, kMost, -kMost, std::numeric_limits<float>::denorm_min(), 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  EXPECT_TRUE(all_finite(values));
  EXPECT_TRUE(all_finite({}));
  for (float& value : values) {
    for (const float bad : {kInfinity, -kInfinity, std::nanf(""), -std::nanf("")}) {
      const float before = std::exchange(value, bad);
      EXPECT_FALSE(all_finite(values));
      value = before;
    }
  }
}

}  // namespace
}  // namespace actio::net
