// What a training is asked to be: the papers' settings, and stages that differ from what stands above them.
#include "training/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/toml_text.h"

namespace actio::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "no error";
}

std::vector<Stage> stages_of(const std::string& toml) { return read_stages(parse_toml(toml, "plan.toml"), "plan.toml"); }

constexpr const char* kThreeStages = R"(
[[stage]]
name = "spatial"
[stage.network]
network = "tsn"
streams = "rgb"
[[stage]]
name = "motion"
init = "first_weights"
[stage.network]
network = "tsn"
streams = "motion"
[stage.train]
epochs = 7
[[stage]]
name = "ttn"
init = ["spatial", "motion"]
[stage.train]
freeze = ["rgb", "motion"]
)";

TEST(PaperSpec, of_stfn_has_its_five_segments_and_ten_centred_fields) {
  const TrainSpec spec = paper_spec("stfn");
  EXPECT_EQ(spec.network.segments, 5);
  EXPECT_EQ(spec.preprocess.motion_length, 10);
  EXPECT_EQ(spec.preprocess.motion_window, MotionWindow::kCentred);
  EXPECT_EQ(spec.preprocess.motion, Motion::kVectors);
}

TEST(PaperSpec, of_if_ttn_has_its_seven_segments_and_five_fields_from_the_frame_on) {
  const TrainSpec spec = paper_spec("if_ttn");
  EXPECT_EQ(spec.network.segments, 7);
  EXPECT_EQ(spec.preprocess.motion_length, 5);
  EXPECT_EQ(spec.preprocess.motion_window, MotionWindow::kStarting);
}

TEST(PaperSpec, names_the_nearest_network_where_there_is_none_of_that_name) {
  EXPECT_THAT(message_of([] { paper_spec("iff_ttn"); }), HasSubstr("the nearest is 'if_ttn'"));
}

TEST(Stages, differ_from_the_options_above_them_in_what_they_say_alone) {
  TrainSpec base;
  base.train.epochs = 40;
  base.train.batch_size = 16;
  const std::vector<TrainSpec> specs = resolve(base, stages_of(kThreeStages), {}, "plan.toml");
  ASSERT_EQ(specs.size(), 3U);
  EXPECT_EQ(specs[0].network.network, net::NetworkKind::kTsn);
  EXPECT_EQ(specs[0].network.streams, "rgb");
  EXPECT_EQ(specs[1].network.streams, "motion");
  EXPECT_EQ(specs[2].network.network, net::NetworkKind::kIfTtn);
  EXPECT_EQ(specs[2].network.streams, "both") << "what an earlier stage said must not reach a later one";
  EXPECT_EQ(specs[0].train.epochs, 40);
  EXPECT_EQ(specs[1].train.epochs, 7);
  EXPECT_EQ(specs[2].train.epochs, 40);
  EXPECT_THAT(specs[2].train.freeze, ElementsAre("rgb", "motion"));
  EXPECT_TRUE(specs[0].train.freeze.empty());
  for (const TrainSpec& spec : specs) EXPECT_EQ(spec.train.batch_size, 16);
}

TEST(Stages, know_what_was_chosen_for_them) {
  TrainSpec base;
  base.chosen.add(&TrainOptions::batch_size);
  const std::vector<TrainSpec> specs = resolve(base, stages_of(kThreeStages), {}, "plan.toml");
  EXPECT_TRUE(specs[1].chosen.has(&TrainOptions::epochs));
  EXPECT_FALSE(specs[0].chosen.has(&TrainOptions::epochs));
  for (const TrainSpec& spec : specs) {
    EXPECT_TRUE(spec.chosen.has(&TrainOptions::batch_size));
    EXPECT_TRUE(spec.others.for_all.has(&TrainOptions::batch_size));
    EXPECT_FALSE(spec.others.for_all.has(&TrainOptions::epochs));
    EXPECT_THAT(spec.others.networks, ElementsAre(net::NetworkKind::kTsn, net::NetworkKind::kTsn, net::NetworkKind::kIfTtn));
  }
}

TEST(Stages, give_way_to_a_setting_of_the_users) {
  const std::vector<Setting> settings = {{"train", "epochs", "2", "the flag --epochs"}, {"data", "fold", "a", "the flag --fold"}};
  TrainSpec base;
  base.dataset.fold = {"b"};
  for (const TrainSpec& spec : resolve(base, stages_of(kThreeStages), settings, "plan.toml")) {
    EXPECT_EQ(spec.train.epochs, 2);
    EXPECT_THAT(spec.dataset.fold, ElementsAre("b")) << "all stages have the data of the fold that they are resolved for";
  }
}

TEST(Stages, are_refused_by_name_where_they_make_no_sense) {
  EXPECT_THAT(message_of([] { stages_of("[[stage]]\nname = 'a'\n[[stage]]\nname = 'a'"); }), HasSubstr("the name 'a' occurs twice"));
  EXPECT_THAT(message_of([] { stages_of("[[stage]]\nname = 'a/b'"); }), HasSubstr("needs a name that a file can have"));
  EXPECT_THAT(message_of([] { stages_of("[[stage]]\nname = 'a'\ninit = 'none_such'"); }),
              HasSubstr("init 'none_such' is neither an earlier stage"));
  EXPECT_THAT(message_of([] { stages_of("[[stage]]\nname = 'a'\n[stage.data]\nfold = 1"); }), HasSubstr("unknown key 'data'"));
  const auto misspelt = [] { resolve({}, stages_of("[[stage]]\nname = 'a'\n[stage.train]\nepoch = 1"), {}, "plan.toml"); };
  EXPECT_THAT(message_of(misspelt), HasSubstr("plan.toml: [[stage]] a: [train]: unknown option 'epoch'; the nearest is 'epochs'"));
}

}  // namespace
}  // namespace actio::training
