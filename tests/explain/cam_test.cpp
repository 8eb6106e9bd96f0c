#include "explain/cam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "cli/tiny_model.h"
#include "core/error.h"
#include "explain/cam_picture.h"
#include "explain/cam_video.h"
#include "net/zoo.h"
#include "recognize/quantize.h"
#include "recognize/tiny.h"
#include "video/decoder.h"

namespace actio::explain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

recognize::RecognizeOptions one_thread() {
  recognize::RecognizeOptions options;
  options.run.threads = 1;
  return options;
}

double sum_of(const HeadMaps& head) {
  const auto values = head.maps.values<float>();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()) + head.bias;
}

class Maps : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_tiny_model(model_, "if_ttn", "mv");
    clip_ = testing::write_clips(dir_, 1).front();
  }
  testing::TempDir dir_;
  std::string model_ = dir_ / "m.actio", clip_;
};

TEST_F(Maps, of_every_head_add_up_to_its_logit_for_every_class) {
  const CamMaker maker(model_, one_thread());
  const recognize::Recognition answer = maker.recognizer().recognize(clip_);
  for (const std::string label : {"clap", "jump", "wave"}) {
    const Cam cam = maker.make(clip_, label);
    EXPECT_EQ(cam.label, label);
    ASSERT_EQ(cam.heads.size(), 3U);
    for (const HeadMaps& head : cam.heads) {
      EXPECT_NEAR(sum_of(head), head.logit, 1e-4 * std::max(1.0, std::abs(head.logit))) << head.head;
      EXPECT_NE(head.logit, 0);
    }
    EXPECT_TRUE(std::ranges::equal(cam.answer.scores.values<float>(), answer.scores.values<float>()));
  }
  const Cam cam = maker.make(clip_);
  EXPECT_EQ(cam.heads[0].maps.dim(0), 3) << "one for each snippet";
  EXPECT_EQ(cam.heads[2].head, "ttn");
  EXPECT_EQ(cam.heads[2].granularity, net::Granularity::kPair);
  EXPECT_EQ(cam.heads[2].maps.dim(0), 2) << "one for each pair of neighbours";
  EXPECT_EQ(cam.class_index, maker.recognizer().top(answer, 1).front().index) << "nothing was asked for: the answer is explained";
}

TEST_F(Maps, in_8_bits_add_up_to_the_logits_of_8_bits) {
  recognize::QuantizeRequest request;
  request.model = model_;
  request.data = dir_ / "labels.csv";
  request.output = dir_ / "q.actio";
  std::ofstream list(request.data);
  list << "path,label\n";
  for (const std::string& clip : testing::write_clips(dir_, 4)) list << clip << ",clap\n";
  list.close();
  recognize::quantize(request);
  recognize::RecognizeOptions options = one_thread();
  options.run.precision = runtime::Precision::kInt8;
  const Cam rounded = CamMaker(request.output, options).make(clip_, "wave"), exact = CamMaker(model_, one_thread()).make(clip_, "wave");
  for (std::size_t i = 0; i < rounded.heads.size(); ++i) {
    EXPECT_NEAR(sum_of(rounded.heads[i]), rounded.heads[i].logit, 1e-4 * std::max(1.0, std::abs(rounded.heads[i].logit))) << rounded.heads[i].head;
    EXPECT_NE(rounded.heads[i].logit, exact.heads[i].logit) << "nothing was rounded";
  }
}

TEST_F(Maps, show_a_channel_where_it_alone_has_a_weight) {
  net::Model model = net::read_model(model_);
  const PooledHeads pooled = pooled_heads(model.spec);
  // A weight of one channel alone makes that channel the map.
  Tensor& weight = model.weights.at(pooled.heads[0].linear + ".weight");
  std::ranges::fill(weight.values<float>(), 0.0F);
  const std::int64_t channels = weight.dim(1);
  weight.values<float>()[static_cast<std::size_t>(channels + 5)] = 2;
  net::write_model(dir_ / "one.actio", model);
  recognize::RecognizeOptions options = one_thread();
  const Cam of_one = CamMaker(dir_ / "one.actio", options).make(clip_, "jump");
  options.keep = {pooled.heads[0].features};
  const Tensor features = recognize::Recognizer(model_, options).recognize(clip_).kept[0].at(pooled.heads[0].features);
  const HeadMaps& head = of_one.heads[0];
  const std::int64_t cells = features.dim(2) * features.dim(3);
  for (std::int64_t row = 0; row < 3; ++row) {
    for (std::int64_t i = 0; i < cells; ++i) {
      const float feature = features.values<float>()[static_cast<std::size_t>((row * channels + 5) * cells + i)];
      EXPECT_NEAR(head.maps.values<float>()[static_cast<std::size_t>(row * cells + i)], 2 * feature, 1e-4 * (1 + std::abs(feature)));
    }
  }
}

TEST_F(Maps, are_refused_for_an_unknown_class_and_for_networks_without_pooled_heads) {
  const CamMaker maker(model_, one_thread());
  try {
    maker.make(clip_, "jumb");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("unknown class 'jumb'; the nearest is 'jump'"));
  }
  testing::write_tiny_model(dir_ / "trn.actio", "trn", "none");
  try {
    const CamMaker none(dir_ / "trn.actio", one_thread());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("no head has an exact map: head '"));
  }
}

TEST_F(Maps, become_a_picture_with_a_line_for_each_snippet) {
  const CamMaker maker(model_, one_thread());
  const Cam cam = maker.make(clip_);
  const CamPicture picture = draw(cam, maker.recognizer().model().inputs);
  EXPECT_THAT(picture.columns, ElementsAre("rgb", "motion", "map of rgb", "map of motion", "map of ttn"));
  EXPECT_EQ(picture.rgb.shape(), (Shape{3 * 36 - 4, 5 * 36 - 4, 3}));
  write_png(dir_ / "cam.png", picture.rgb);
  video::Decoder decoder(dir_ / "cam.png", {});
  const std::optional<video::Frame> frame = decoder.next();
  ASSERT_TRUE(frame);
  const Tensor shown = frame->rgb();
  EXPECT_TRUE(std::ranges::equal(shown.values<std::uint8_t>(), picture.rgb.values<std::uint8_t>()));
}

TEST_F(Maps, become_shares_of_snippets_that_add_up_to_the_fused_score) {
  net::Model model = net::read_model(model_);
  const std::string scores = model.spec.scores;
  for (net::Node& node : model.spec.nodes) {
    if (node.name == scores) node.attrs.weights = {0.5, 2, 0.25};
  }
  std::ranges::copy(std::vector<float>{0.5F, 2, 0.25F}, model.weights.at(scores + ".weight").values<float>().begin());
  net::write_model(dir_ / "weighed.actio", model);
  const Cam cam = CamMaker(dir_ / "weighed.actio", one_thread()).make(clip_, "wave");
  const std::vector<double> shares = shares_of(cam);
  ASSERT_EQ(shares.size(), 3U);
  double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (const HeadMaps& head : cam.heads) sum += head.weight * head.bias;
  EXPECT_NEAR(sum, cam.answer.scores.values<float>()[2], 1e-4 * std::max(1.0, std::abs(sum)));
}

TEST_F(Maps, lie_over_every_frame_of_the_video_with_a_strip_that_tells_when) {
  const CamMaker maker(model_, one_thread());
  const Cam cam = maker.make(clip_);
  EXPECT_EQ(write_cam_video(cam, maker.recognizer().model().inputs, dir_ / "cam.mp4"), cam.answer.frames);
  video::Decoder decoder(dir_ / "cam.mp4", {}), original(clip_, {});
  std::int64_t frames = 0;
  while (const std::optional<video::Frame> frame = decoder.next()) {
    EXPECT_EQ(frame->width, original.info().width);
    EXPECT_EQ(frame->height, original.info().height + 16);
    ++frames;
  }
  EXPECT_EQ(frames, cam.answer.frames);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(write_cam_video(cam, maker.recognizer().model().inputs, dir_ / "stopped.mp4", stop.get_token()), Error);
  EXPECT_EQ(std::ranges::distance(std::filesystem::directory_iterator(std::filesystem::path(dir_ / "cam.mp4").parent_path())), 3) << "the model, the clip and the first video: nothing else is left";
}

TEST_F(Maps, are_written_as_json) {
  const CamMaker maker(model_, one_thread());
  const Json json = to_json(maker.make(clip_, "wave"));
  EXPECT_EQ(json.at("label"), "wave");
  EXPECT_EQ(json.at("heads").size(), 3U);
  EXPECT_EQ(json.at("heads").at(2).at("of"), "pair");
  EXPECT_EQ(json.at("heads").at(2).at("maps").size(), 2U);
  EXPECT_TRUE(json.at("without").empty());
}

TEST(PooledHeads, are_told_from_those_that_have_no_exact_map) {
  net::NetworkOptions options;
  options.backbone = net::BackboneKind::kResnet18;
  options.width = 0.125;
  options.segments = 3;
  options.classes = 4;
  Preprocess preprocess;
  preprocess.input_size = 32;
  preprocess.motion = Motion::kVectors;
  for (const net::NetworkKind kind : {net::NetworkKind::kTsn, net::NetworkKind::kIfTtn, net::NetworkKind::kStfn}) {
    options.network = kind;
    const PooledHeads found = pooled_heads(net::build_network(options, preprocess));
    EXPECT_EQ(found.heads.empty(), kind == net::NetworkKind::kStfn);
    EXPECT_EQ(found.others.empty(), kind != net::NetworkKind::kStfn) << (found.others.empty() ? "" : found.others[0]);
  }
}

}  // namespace
}  // namespace actio::explain
