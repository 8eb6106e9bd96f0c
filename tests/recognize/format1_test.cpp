// Model files that an earlier version wrote, whose answers it gave on the reference backend to the inputs below.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "recognize/recognizer.h"

namespace actio::recognize {
namespace {

struct EarlierModel {
  std::string name, hash;
  std::vector<float> scores, probabilities;
};

std::string file_of(const EarlierModel& model) { return std::string(ACTIO_SOURCE_DIR) + "/tests/recognize/format1/" + model.name + ".actio"; }

// Any numbers, the same for every network.
TensorMap pattern(const net::NetSpec& spec) {
  TensorMap inputs;
  for (const net::Node& node : spec.nodes) {
    if (node.op != net::Op::kInput) continue;
    Shape shape = node.attrs.shape;
    shape.insert(shape.begin(), spec.segments);
    Tensor values(shape);
    for (std::int64_t i = 0; i < values.numel(); ++i)
      values.data<float>()[i] = static_cast<float>((i * 7919 + 13) % 1009) / 504.0F - 1.0F;
    inputs[node.name] = values;
  }
  return inputs;
}

class ModelsOfFormat1 : public ::testing::TestWithParam<EarlierModel> {};

TEST_P(ModelsOfFormat1, give_the_scores_that_they_gave) {
  RecognizeOptions options;
  options.run.backend = "reference";
  const Recognizer recognizer(file_of(GetParam()), options);
  const Recognition answer = recognizer.recognize(pattern(recognizer.model().spec));
  const auto scores = answer.scores.values<float>(), probabilities = answer.probabilities.values<float>();
  ASSERT_EQ(scores.size(), 2U);
  for (std::size_t c = 0; c < 2; ++c) {
    // The same bytes on one machine; the C library's exp and sums may round otherwise on another.
    EXPECT_NEAR(scores[c], GetParam().scores[c], 1e-7F);
    EXPECT_NEAR(probabilities[c], GetParam().probabilities[c], 1e-6F);
  }
}

TEST_P(ModelsOfFormat1, have_the_record_that_they_had) {
  const net::Model model = net::read_model(file_of(GetParam()));
  EXPECT_EQ(model.hash, GetParam().hash);
  EXPECT_EQ(model.classes, (std::vector<std::string>{"sit_down", "stand_up"}));
  EXPECT_EQ(model.spec.segments, 3);
  EXPECT_EQ(model.inputs.names(), net::input_names(model.spec));
  EXPECT_EQ(model.inputs.framing, (Framing{32, 36, Resize::kCrop}));
  for (const InputSpec& input : model.inputs.list) EXPECT_EQ(input.length, input.name == "motion" ? 2 : 1) << input.name;
  EXPECT_EQ(model.training.at("train").at("epochs"), 1);
}

INSTANTIATE_TEST_SUITE_P(Of, ModelsOfFormat1,
                         ::testing::Values(EarlierModel{"tsn",
                                                        "f2def4bab5a4118525b94b79f6e154f7",
                                                        {0.0040805107F, -0.0105645088F},
                                                        {0.503661215F, 0.496338814F}},
                                           EarlierModel{"stfn",
                                                        "c6efd2b18c16b5ce242b2b87f3f7820e",
                                                        {0.504496515F, 0.495503485F},
                                                        {0.504496515F, 0.495503485F}},
                                           EarlierModel{"if_ttn",
                                                        "ceefc4c5f365e87818d9be9be5a02437",
                                                        {0.000594591722F, -0.00274288375F},
                                                        {0.500834346F, 0.499165624F}}),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace actio::recognize
