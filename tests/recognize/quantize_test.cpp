// A model gets ranges of its values, and is measured in every precision.
#include "recognize/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/rng.h"
#include "recognize/range_meter.h"
#include "recognize/recognizer.h"
#include "recognize/tiny.h"
#include "support/compare.h"

namespace actio::recognize {
namespace {

using ::testing::HasSubstr;
using testing::TempDir;

bool same_bytes(const Tensor& a, const Tensor& b) {
  return std::ranges::equal(a.values<float>(), b.values<float>());
}

TEST(RangeMeter, of_values_without_outliers_reaches_to_the_largest) {
  RangeMeter meter;
  std::vector<float> values;
  for (int i = 0; i <= 1000; ++i) values.push_back(static_cast<float>(i) / 1000);
  meter.add(Tensor::of({1, 1, 1001}, values));
  const net::Range range = meter.range();
  EXPECT_EQ(range.low, 0);
  EXPECT_NEAR(range.high, 1, 0.01);
  ASSERT_EQ(range.means.size(), 1U);
  EXPECT_NEAR(range.means[0], 0.5, 1e-6);
}

TEST(RangeMeter, cuts_off_an_outlier_that_would_make_steps_wide_for_all_others) {
  RangeMeter meter;
  Rng rng(3);
  std::vector<float> values;
  for (int i = 0; i < 100000; ++i) values.push_back(static_cast<float>(rng.normal()));
  values.push_back(40);
  meter.add(Tensor::of({1, 1, 100001}, values));
  EXPECT_LT(meter.range().high, 30);
  EXPECT_GT(meter.range().high, 4);
  EXPECT_EQ(meter.range().low, -meter.range().high);
}

TEST(RangeMeter, is_the_same_in_whatever_order_clips_come) {
  const Tensor small = Tensor::of({2, 2, 1, 1}, std::vector<float>{0.1F, 3, 0.2F, 5}), large = Tensor::of({1, 2, 1, 1}, std::vector<float>{100, 7});
  RangeMeter one, other;
  one.add(small);
  one.add(large);
  other.add(large);
  other.add(small);
  EXPECT_EQ(one.range().means, other.range().means);
  EXPECT_NEAR(one.range().high, other.range().high, 0.1);
  EXPECT_NEAR(one.range().means[0], 100.3 / 3, 1e-4);
  EXPECT_NEAR(one.range().means[1], 5, 1e-4);
}

TEST(RangeMeter, of_zeros_is_nothing) {
  RangeMeter meter;
  meter.add(Tensor({1, 2, 3}));
  EXPECT_EQ(meter.range().low, 0);
  EXPECT_EQ(meter.range().high, 0);
}

class Quantizing : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_tiny_model(model_, "if_ttn", "mv");
    const std::vector<std::string> clips = testing::write_clips(dir_, 8);
    std::ofstream list(dir_ / "labels.csv");
    list << "path,label,group\n";
    for (std::size_t i = 0; i < clips.size(); ++i) list << clips[i] << "," << (i % 2 == 0 ? "clap" : "wave") << "," << i / 2 << "\n";
  }

  QuantizeRequest request() const {
    QuantizeRequest request;
    request.model = model_;
    request.data = dir_ / "labels.csv";
    request.output = dir_ / "q.actio";
    request.dataset.group = "group";
    request.dataset.fold = {"0"};
    request.runtime.threads = 1;
    return request;
  }

  TempDir dir_;
  std::string model_ = dir_ / "m.actio";
};

TEST_F(Quantizing, measures_on_clips_that_are_not_for_testing_and_writes_what_int8_needs) {
  const Quantized quantized = quantize(request());
  EXPECT_EQ(quantized.measured_on, 3);
  EXPECT_EQ(quantized.compared_on, 3);
  EXPECT_TRUE(quantized.of_training);
  const net::Model written = net::read_model(dir_ / "q.actio"), first = net::read_model(model_);
  EXPECT_EQ(written.parent_hash, first.hash);
  EXPECT_EQ(written.quantization, quantized.model.quantization);
  for (const auto& [name, tensor] : first.weights) EXPECT_TRUE(same_bytes(written.weights.at(name), tensor)) << name;
  for (const std::string& name : runtime::values_to_measure(first.spec)) EXPECT_TRUE(written.quantization.ranges.contains(name)) << name;
  EXPECT_EQ(written.quantization.record.at("measured_on"), 3);

  RecognizeOptions options;
  options.run.threads = 1;
  options.run.precision = runtime::Precision::kInt8;
  const Recognizer rounded(dir_ / "q.actio", options);
  EXPECT_EQ(rounded.attributes().precision, runtime::Precision::kInt8);
  options.run.precision = runtime::Precision::kF32;
  const Recognition exact = Recognizer(dir_ / "q.actio", options).recognize(dir_ / "clip0.mp4"), other = rounded.recognize(dir_ / "clip0.mp4");
  EXPECT_FALSE(same_bytes(exact.scores, other.scores)) << "nothing was rounded";
  EXPECT_TRUE(testing::close(other.scores, exact.scores, 0.2));
}

TEST_F(Quantizing, says_for_every_precision_what_it_costs) {
  const Quantized quantized = quantize(request());
  ASSERT_GE(quantized.rows.size(), 2U);
  EXPECT_EQ(quantized.rows.front().precision, runtime::Precision::kF32);
  EXPECT_EQ(quantized.rows.front().agreement, 1);
  EXPECT_EQ(quantized.rows.front().probability_change, 0);
  EXPECT_EQ(quantized.rows.back().precision, runtime::Precision::kInt8);
  EXPECT_TRUE(quantized.rows.back().narrow_weights) << "what a processor without VNNI would answer";
  EXPECT_GT(quantized.rows.back().probability_change, 0);
  for (const PrecisionRow& row : quantized.rows) EXPECT_GT(row.seconds, 0);
  EXPECT_THAT(text_of(quantized), HasSubstr("int8, weights of 7 bits"));
  EXPECT_EQ(to_json(quantized).at("precisions").size(), quantized.rows.size());
}

TEST_F(Quantizing, lets_auto_take_what_answers_alike_often_enough_and_nothing_else) {
  QuantizeRequest strict = request();
  strict.quantize.agreement = 0;
  RecognizeOptions options;
  options.run.threads = 1;
  EXPECT_THAT(text_of(quantize(strict)), HasSubstr("3 clips are too few to tell: --precision auto stays f32"));
  EXPECT_EQ(Recognizer(dir_ / "q.actio", options).attributes().precision, runtime::Precision::kF32);
  strict.quantize.enough = 3;
  EXPECT_THAT(text_of(quantize(strict)), HasSubstr("answer alike often enough for --precision auto: "));
  EXPECT_EQ(Recognizer(dir_ / "q.actio", options).attributes().precision, runtime::Precision::kInt8);
  net::Model model = net::read_model(dir_ / "q.actio");
  model.quantization.borne.clear();
  net::write_model(dir_ / "none.actio", model);
  EXPECT_EQ(Recognizer(dir_ / "none.actio", options).attributes().precision, runtime::Precision::kF32);
  EXPECT_EQ(Recognizer(model_, options).attributes().precision, runtime::Precision::kF32) << "a model that was not measured";
  options.run.backend = "reference";
  EXPECT_EQ(Recognizer(dir_ / "q.actio", options).attributes().precision, runtime::Precision::kF32);
}

TEST_F(Quantizing, takes_clips_of_other_classes_whose_top_1_it_does_not_report) {
  std::ofstream list(dir_ / "others.csv");
  list << "path,label\n";
  for (int i = 0; i < 4; ++i) list << dir_ / ("clip" + std::to_string(i) + ".mp4") << ",something else\n";
  list.close();
  QuantizeRequest other = request();
  other.data = dir_ / "others.csv";
  other.dataset = {};
  const Quantized quantized = quantize(other);
  EXPECT_FALSE(quantized.labelled);
  EXPECT_EQ(quantized.compared_on, 2);
  EXPECT_THAT(text_of(quantized), HasSubstr(" - "));
  EXPECT_FALSE(to_json(quantized).at("precisions")[0].contains("top1"));
  EXPECT_TRUE(quantize(request()).labelled);
}

TEST_F(Quantizing, counts_clips_that_cannot_be_read_and_refuses_where_none_can) {
  std::ofstream(dir_ / "clip2.mp4") << "no video";
  const Quantized quantized = quantize(request());
  EXPECT_EQ(quantized.measured_on + quantized.compared_on, 5);
  ASSERT_EQ(quantized.failures.size(), 1U);
  EXPECT_THAT(quantized.failures[0], HasSubstr("clip2.mp4"));
  for (int i = 0; i < 8; ++i) std::ofstream(dir_ / ("clip" + std::to_string(i) + ".mp4")) << "no video";
  std::filesystem::remove(dir_ / "q.actio");
  try {
    quantize(request());
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("none of 3 clips could be read"));
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "q.actio"));
}

TEST_F(Quantizing, writes_nothing_when_it_is_stopped_and_not_over_its_model) {
  std::stop_source stop;
  const Hooks hooks{.progress = [&](const ProgressReport&) { stop.request_stop(); }, .warn = {}, .stop = stop.get_token()};
  try {
    quantize(request(), hooks);
    FAIL() << "nothing was interrupted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "q.actio"));
  QuantizeRequest onto = request();
  onto.output = model_;
  EXPECT_THROW(quantize(onto), Error);
}

}  // namespace
}  // namespace actio::recognize
