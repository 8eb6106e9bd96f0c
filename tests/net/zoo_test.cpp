#include "net/zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/error.h"
#include "net/describe.h"

namespace actio::net {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The smallest input that Inception-V3 takes is 75 pixels: its convolutions do not pad.
Preprocess with_motion(std::int64_t size = 96) {
  Preprocess p;
  p.input_size = size;
  p.motion = Motion::kVectors;
  return p;
}

NetworkOptions options_for(const std::string& network, const std::string& backbone) {
  NetworkOptions options;
  options.network = value_named<NetworkKind>("network", network);
  options.backbone = value_named<BackboneKind>("backbone", backbone);
  options.classes = 6;
  options.segments = 4;
  return options;
}

struct Published {
  const char* backbone;
  double million_parameters, giga_multiply_adds;
};

TEST(Zoo, backbones_have_the_published_parameters_and_multiply_adds) {
  // torchvision's model table; ResNet's giga multiply-adds at 224 without the shortcut of counting biases.
  for (const Published& known : {Published{"resnet18", 11.69, 1.81}, Published{"resnet34", 21.80, 3.66},
                                 Published{"resnet50", 25.56, 4.09}, Published{"resnet101", 44.55, 7.80},
                                 Published{"mobilenet_v2", 3.50, 0.30}, Published{"inception_v3", 27.16 - 3.33, 5.71}}) {
    NetworkOptions options = options_for("tsn", known.backbone);
    options.streams = "rgb";
    options.segments = 1;
    options.classes = 1000;
    Preprocess preprocess;
    // The table counts its auxiliary classifier: 3.33 M.
    if (options.backbone == BackboneKind::kInceptionV3) preprocess.input_size = 299;
    const Description d = describe(build_network(options, preprocess));
    EXPECT_NEAR(static_cast<double>(d.parameters) / 1e6, known.million_parameters, 0.006) << known.backbone;
    EXPECT_NEAR(static_cast<double>(d.row_multiply_adds[0]) / 1e9, known.giga_multiply_adds, 0.006) << known.backbone;
  }
}

TEST(Zoo, every_network_builds_on_every_backbone_and_survives_json) {
  for (const std::string& network : network_names()) {
    for (const std::string& backbone : backbone_names()) {
      if (network == "st_fusion" && backbone == "inception_v3") continue;  // has no residual units
      const NetSpec spec = build_network(options_for(network, backbone), with_motion());
      EXPECT_EQ(spec_from_json(to_json(spec), "test"), spec) << network << " on " << backbone;
      EXPECT_THAT(infer(spec).at(spec.output).shape, ElementsAre(6));
    }
  }
}

TEST(Zoo, stages_halve_the_resolution_each_so_that_the_ttn_fits_between_them) {
  for (const std::string& backbone : backbone_names()) {
    if (backbone == "inception_v3") continue;  // its sizes: 299 -> 147, 71, 35, 17, 8
    const NetSpec spec = build_network(options_for("if_ttn", backbone), with_motion(64));
    const Inferred inferred = infer(spec);
    for (const Stage& stage : spec.stages) {
      const int number = stage.name.back() - '0';
      if (number < 2) continue;
      EXPECT_EQ(inferred.at(stage.node).shape[1], 64 >> number) << backbone << " " << stage.name;
    }
  }
}

TEST(Zoo, if_ttn_names_its_ttn_parameters_like_the_backbone_so_that_published_weights_load_by_name) {
  const NetSpec spec = build_network(options_for("if_ttn", "resnet50"), with_motion());
  std::set<std::string> names;
  for (const ParamInfo& param : parameters(spec)) names.insert(param.name);
  for (const char* name : {"rgb.conv1.weight", "motion.conv1.weight", "ttn.layer2.0.conv1.weight", "ttn.layer4.2.bn3.running_var",
                           "rgb.layer1.0.downsample.0.weight", "ttn.fc.weight"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_FALSE(names.contains("ttn.layer1.0.conv1.weight")) << "the TTN starts at stage 3";
}

TEST(Zoo, if_ttn_feeds_the_difference_into_its_first_stage_and_adds_it_between_stages_only) {
  NetworkOptions options = options_for("if_ttn", "resnet18");
  const NetSpec spec = build_network(options, with_motion());
  EXPECT_THAT(spec.node("ttn.layer2.0.conv1").inputs, ElementsAre("ttn.diff2"));
  EXPECT_THAT(spec.node("ttn.merge3").inputs, ElementsAre("ttn.layer2.1.relu", "ttn.diff3"));
  EXPECT_THAT(spec.node("ttn.layer3.0.conv1").inputs, ElementsAre("ttn.merge3"));
  EXPECT_THAT(spec.node("ttn.avgpool").inputs, ElementsAre("ttn.layer4.1.relu"));
  options.ttn_final_merge = true;
  EXPECT_THAT(build_network(options, with_motion()).node("ttn.avgpool").inputs, ElementsAre("ttn.merge5"));
}

TEST(Zoo, if_ttn_trains_three_heads_and_four_without_fusion) {
  NetworkOptions options = options_for("if_ttn", "resnet18");
  EXPECT_EQ(build_network(options, with_motion()).heads.size(), 3U);
  options.ifm = IfmKind::kNone;
  EXPECT_EQ(build_network(options, with_motion()).heads.size(), 4U);
}

TEST(Zoo, adaptive_fusion_starts_as_attention) {
  NetworkOptions options = options_for("if_ttn", "resnet18");
  options.ifm = IfmKind::kAdaptive;
  const NetSpec spec = build_network(options, with_motion());
  EXPECT_THAT(spec.node("ifm.stage2").attrs.weights, ElementsAre(1, 0, 1));
  EXPECT_TRUE(spec.node("ifm.stage2").attrs.trainable);
}

TEST(Zoo, stfn_res_inc_has_four_quarter_width_branches_and_a_skip_without_relu) {
  const NetSpec spec = build_network(options_for("stfn", "resnet50"), with_motion());
  const Inferred inferred = infer(spec);
  for (const char* kernel : {"2", "3", "4", "5"}) {
    const std::string branch = std::string("stfn.a.res_inc0.branch") + kernel;
    EXPECT_THAT(inferred.at(branch + ".relu").shape, ElementsAre(512, 4)) << branch;
  }
  EXPECT_THAT(spec.node("stfn.a.res_inc0.add").inputs, ElementsAre("stfn.a.res_inc0.concat", "stfn.a.res_inc0.skip.bn"));
  EXPECT_THAT(spec.node("stfn.a.res_inc0.branch4.conv").attrs.padding, (Padding{0, 0, 1, 2}));
}

TEST(Zoo, stfn_directions_choose_which_streams_continue_with_the_fused_signal) {
  NetworkOptions options = options_for("stfn", "resnet18");
  const auto input_of = [&](const std::string& direction, const std::string& stream) {
    options.stfn_direction = value_named<StfnDirection>("stfn_direction", direction);
    return build_network(options, with_motion()).node("stfn." + stream + ".res_inc0.branch2.conv").inputs[0];
  };
  EXPECT_EQ(input_of("bidirectional", "fa"), "stfn.fusion");
  EXPECT_EQ(input_of("bidirectional", "fm"), "stfn.fusion");
  EXPECT_EQ(input_of("a_from_m", "fa"), "stfn.fusion");
  EXPECT_EQ(input_of("a_from_m", "fm"), "stfn.m.res_inc0.relu");
  EXPECT_EQ(input_of("m_from_a", "fa"), "stfn.a.res_inc0.relu");
  EXPECT_EQ(input_of("m_from_a", "fm"), "stfn.fusion");
}

TEST(Zoo, stfn_drops_features_on_request_alone_and_not_with_the_streams_that_are_frozen) {
  NetworkOptions options = options_for("stfn", "resnet18");
  const auto dropouts = [&] {
    std::vector<std::string> names;
    for (const Node& node : build_network(options, with_motion()).nodes) {
      if (node.op == Op::kDropout) names.push_back(node.name);
    }
    return names;
  };
  EXPECT_THAT(dropouts(), ::testing::IsEmpty());
  options.stfn_dropout = 0.5;
  EXPECT_THAT(dropouts(), ::testing::UnorderedElementsAre("stfn.a.dropout", "stfn.m.dropout", "stfn.head_a.dropout", "stfn.head_m.dropout"));
  options.stfn_design = StfnDesign::kC;
  EXPECT_THAT(dropouts(), ::testing::UnorderedElementsAre("stfn.a.dropout", "stfn.m.dropout", "stfn.head.dropout"));
}

TEST(Zoo, stfn_designs_differ_as_in_figure_4) {
  NetworkOptions options = options_for("stfn", "resnet18");
  const auto count = [&](const std::string& design) {
    options.stfn_design = value_named<StfnDesign>("stfn_design", design);
    const NetSpec spec = build_network(options, with_motion());
    return std::ranges::count_if(spec.nodes, [](const Node& n) { return n.name.ends_with(".skip.conv"); });
  };
  EXPECT_EQ(count("a"), 4);
  EXPECT_EQ(count("b"), 2);
  EXPECT_EQ(count("c"), 1);
  options.stfn_design = StfnDesign::kC;
  EXPECT_THAT(infer(build_network(options, with_motion())).at("stfn.joint.res_inc0.relu").shape, ElementsAre(1024, 4));
}

TEST(Zoo, inception_with_its_auxiliary_classifier_has_the_published_parameters_and_a_head_for_training_only) {
  NetworkOptions options = options_for("tsn", "inception_v3");
  options.streams = "rgb";
  options.segments = 1;
  options.classes = 1000;
  options.aux_head = true;
  const NetSpec spec = build_network(options, with_motion(299));
  EXPECT_NEAR(static_cast<double>(describe(spec).parameters) / 1e6, 27.16, 0.006);
  ASSERT_EQ(spec.heads.size(), 2U);
  EXPECT_TRUE(spec.heads[1].training_only);
  EXPECT_EQ(spec.heads[1].weight, 0.4);
  EXPECT_EQ(spec_from_json(to_json(spec), "test"), spec);
  EXPECT_THROW(build_network(options, with_motion(224)), Error) << "its 5x5 convolution does not fit";
  options.backbone = BackboneKind::kResnet18;
  EXPECT_THROW(build_network(options, with_motion(299)), Error) << "has none";
}

TEST(Zoo, two_stream_averages_the_probabilities_of_snippets_and_tsn_their_scores) {
  const NetSpec spec = build_network(options_for("two_stream", "resnet18"), with_motion());
  EXPECT_THAT(spec.node("rgb.probabilities").inputs, ElementsAre("rgb.fc"));
  EXPECT_THAT(spec.node("rgb.mean").inputs, ElementsAre("rgb.probabilities"));
  EXPECT_THAT(spec.node("rgb.consensus").inputs, ElementsAre("rgb.fc")) << "what the head is trained on";
  EXPECT_EQ(spec.output, "scores");
  EXPECT_EQ(spec.scores, "scores");
  EXPECT_THAT(spec.node("scores").inputs, ElementsAre("rgb.mean", "motion.mean"));
  NetworkOptions options = options_for("two_stream", "resnet18");
  options.fusion_weights = {1, 3};
  EXPECT_THAT(build_network(options, with_motion()).node("scores").attrs.weights, ElementsAre(0.25, 0.75)) << "of probabilities";
  options.fusion_weights = {-1, 2};
  EXPECT_THROW(build_network(options, with_motion()), Error);
}

TEST(Zoo, fusion_weights_count_as_shares_in_every_network_that_has_them) {
  for (const char* network : {"tsn", "two_stream", "trn", "st_fusion", "if_ttn"}) {
    NetworkOptions options = options_for(network, "resnet18");
    const NetSpec equal = build_network(options, with_motion());
    options.fusion_weights.assign(std::string(network) == "if_ttn" ? 3 : 2, 1);
    EXPECT_EQ(build_network(options, with_motion()), equal) << network;
    options.fusion_weights.back() = 2;
    const std::vector<double> shares = build_network(options, with_motion()).node("scores").attrs.weights;
    EXPECT_DOUBLE_EQ(std::accumulate(shares.begin(), shares.end(), 0.0), 1) << network;
    EXPECT_DOUBLE_EQ(shares.back(), 2 * shares.front()) << network;
    options.fusion_weights.front() = -3;
    EXPECT_THROW(build_network(options, with_motion()), Error) << network << ": the weights add up to less than nothing";
  }
}

TEST(Zoo, stfn_has_as_many_blocks_after_the_fusion_as_before_unless_told_otherwise) {
  NetworkOptions options = options_for("stfn", "resnet18");
  const auto blocks = [&](std::int64_t before, std::int64_t after) {
    options.stfn_blocks = before;
    options.stfn_blocks_after = after;
    std::map<std::string, int> counts;
    for (const Node& node : build_network(options, with_motion()).nodes) {
      if (node.name.ends_with(".skip.conv")) ++counts[node.name.substr(0, node.name.find(".res_inc"))];
    }
    return counts;
  };
  using Counts = std::map<std::string, int>;
  EXPECT_EQ(blocks(2, 0), (Counts{{"stfn.a", 2}, {"stfn.m", 2}, {"stfn.fa", 2}, {"stfn.fm", 2}}));
  EXPECT_EQ(blocks(1, 3), (Counts{{"stfn.a", 1}, {"stfn.m", 1}, {"stfn.fa", 3}, {"stfn.fm", 3}}));
  EXPECT_EQ(blocks(4, 1), (Counts{{"stfn.a", 4}, {"stfn.m", 4}, {"stfn.fa", 1}, {"stfn.fm", 1}}));
  options.stfn_design = StfnDesign::kB;
  EXPECT_THROW(blocks(1, 1), Error) << "it has none after the fusion";
  options.stfn_design = StfnDesign::kC;
  EXPECT_THROW(blocks(1, 1), Error);
}

TEST(Zoo, stfn_of_a_width_works_on_as_many_features_of_each_stream) {
  NetworkOptions options = options_for("stfn", "resnet18");
  options.stfn_width = 32;
  const NetSpec spec = build_network(options, with_motion());
  const auto facts = infer(spec);
  EXPECT_EQ(facts.at("stfn.a.reduce").shape[0], 32);
  EXPECT_EQ(facts.at("stfn.fm.res_inc0.relu").shape[0], 32);
  EXPECT_EQ(spec.node("stfn.a.res_inc0.branch2.conv").inputs, std::vector<std::string>{"stfn.a.reduce"});
  options.stfn_width = 30;
  EXPECT_THROW(build_network(options, with_motion()), Error);
}

TEST(Zoo, stfn_without_a_direction_keeps_its_streams_apart) {
  NetworkOptions options = options_for("stfn", "resnet18");
  options.stfn_direction = StfnDirection::kNone;
  options.stfn_design = StfnDesign::kB;
  NetSpec spec = build_network(options, with_motion());
  EXPECT_THAT(spec.node("stfn.head_a.mean").inputs, ElementsAre("stfn.a.res_inc0.relu"));
  EXPECT_THAT(spec.node("stfn.head_m.mean").inputs, ElementsAre("stfn.m.res_inc0.relu"));
  EXPECT_FALSE(std::ranges::any_of(spec.nodes, [](const Node& node) { return node.name == "stfn.fusion"; }));
  options.stfn_design = StfnDesign::kA;
  spec = build_network(options, with_motion());
  EXPECT_THAT(spec.node("stfn.fm.res_inc0.skip.conv").inputs, ElementsAre("stfn.m.res_inc0.relu"));
  for (const char* design : {"a", "c"}) {
    options.stfn_design = value_named<StfnDesign>("stfn_design", design);
    options.stfn_direction = std::string(design) == "a" ? StfnDirection::kNone : StfnDirection::kBidirectional;
    options.stfn_fusion = StfnFusion::kWeighted;
    options.stfn_weights = {1, 1};
    EXPECT_THROW(build_network(options, with_motion()), Error) << design << ": there is no fusion to weigh";
  }
}

TEST(Zoo, stfn_weighs_its_streams_by_given_shares_that_training_leaves_alone) {
  NetworkOptions options = options_for("stfn", "resnet18");
  options.stfn_fusion = StfnFusion::kWeighted;
  EXPECT_TRUE(build_network(options, with_motion()).node("stfn.fusion").attrs.trainable);
  options.stfn_weights = {48.2, 58.1};  // accuracies of two streams
  const Node fusion = build_network(options, with_motion()).node("stfn.fusion");
  EXPECT_FALSE(fusion.attrs.trainable);
  ASSERT_EQ(fusion.attrs.weights.size(), 2U);
  EXPECT_DOUBLE_EQ(fusion.attrs.weights[0], 48.2 / 106.3);
  EXPECT_DOUBLE_EQ(fusion.attrs.weights[1], 58.1 / 106.3);
  for (const std::vector<double>& wrong : {std::vector<double>{1}, {1, 2, 3}, {-1, 2}, {0, 0}}) {
    options.stfn_weights = wrong;
    EXPECT_THROW(build_network(options, with_motion()), Error);
  }
  options.stfn_weights = {1, 1};
  options.stfn_fusion = StfnFusion::kAverage;
  EXPECT_THROW(build_network(options, with_motion()), Error) << "which has weights of its own";
}

TEST(Zoo, trn_relates_ordered_tuples_of_every_length_evenly_chosen) {
  NetworkOptions options = options_for("trn", "resnet18");
  options.segments = 5;
  options.streams = "rgb";
  const NetSpec spec = build_network(options, with_motion());
  const auto tuples = [&](int length) { return spec.node(fmt::format("rgb.trn.scale{}.tuples", length)).attrs.indices; };
  EXPECT_THAT(tuples(5), ElementsAre(0, 1, 2, 3, 4));
  // 4 of 5: ranks 0, 1 and 3 of five. 2 of 5: ranks 1, 4 and 7 of ten.
  EXPECT_THAT(tuples(4), ElementsAre(0, 1, 2, 3, 0, 1, 2, 4, 0, 2, 3, 4));
  EXPECT_THAT(tuples(2), ElementsAre(0, 2, 1, 2, 2, 3));
  EXPECT_THAT(spec.node("rgb.trn.scores").attrs.weights, ElementsAre(1, 3, 3, 3)) << "the sum of all tuples";
  options.trn_tuples = 64;
  const NetSpec all = build_network(options, with_motion());
  EXPECT_THAT(infer(all).at("rgb.trn.scale3.tuples").shape, ElementsAre(3 * 256, 10)) << "all 5 choose 3";
  options.segments = 64;
  EXPECT_THAT(infer(build_network(options, with_motion())).at("rgb.trn.scale32.tuples").shape, ElementsAre(32 * 256, 64));
  options.segments = 1;
  EXPECT_THROW(build_network(options, with_motion()), Error);
}

TEST(Zoo, spatiotemporal_fusion_enters_the_residual_branch_once_a_stage_and_leaves_the_skip_alone) {
  for (const auto& [backbone, unit, skip] :
       {std::tuple{"resnet50", "layer2.1.conv1", "layer2.1.add"}, {"resnet18", "layer4.1.conv1", "layer4.1.add"},
        {"mobilenet_v2", "features.5.conv.0.0", "features.5.add"}}) {
    for (const auto& [kind, op] : {std::pair{"additive", Op::kAdd}, {"multiplicative", Op::kMul}}) {
      NetworkOptions options = options_for("st_fusion", backbone);
      options.st_fusion = value_named<StFusionKind>("st_fusion", kind);
      const NetSpec spec = build_network(options, with_motion());
      const Node& fusion = spec.node(spec.node(std::string("rgb.") + unit).inputs[0]);
      EXPECT_EQ(fusion.op, op) << backbone;
      const std::string entry = fusion.inputs[0];
      EXPECT_EQ(fusion.inputs[1], "motion" + entry.substr(3));
      EXPECT_THAT(spec.node(std::string("rgb.") + skip).inputs, Contains(entry)) << "the skip";
      EXPECT_EQ(std::ranges::count_if(spec.nodes, [](const Node& n) { return n.name.ends_with(".fusion"); }), 4) << backbone;
    }
  }
}

TEST(Zoo, tensorflow_padding_puts_the_odd_pixel_behind) {
  NetworkOptions options = options_for("tsn", "mobilenet_v2");
  options.padding = PaddingKind::kSame;
  EXPECT_EQ(build_network(options, with_motion(224)).node("rgb.features.0.0").attrs.padding, (Padding{0, 1, 0, 1}));
  EXPECT_EQ(build_network(options, with_motion(225)).node("rgb.features.0.0").attrs.padding, (Padding{1, 1, 1, 1}));
  options.padding = PaddingKind::kTorch;
  EXPECT_EQ(build_network(options, with_motion(224)).node("rgb.features.0.0").attrs.padding, (Padding{1, 1, 1, 1}));
}

TEST(Zoo, refuses_a_motion_stream_without_motion_and_names_the_nearest_of_a_wrong_name) {
  EXPECT_THROW(build_network(options_for("if_ttn", "resnet18"), {}), Error);
  try {
    build_network(options_for("if_tnn", "resnet18"), with_motion());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown network 'if_tnn'; the nearest is 'if_ttn'"));
  }
  NetworkOptions options = options_for("if_ttn", "resnet18");
  options.fusion_weights = {1, 2};
  EXPECT_THROW(build_network(options, with_motion()), Error);
}

TEST(Describe, adds_up_and_states_the_cost_of_one_more_snippet) {
  const NetSpec spec = build_network(options_for("if_ttn", "resnet18"), with_motion());
  const Description d = describe(spec);
  std::int64_t parameters = 0;
  for (const PartSummary& part : d.parts) parameters += part.parameters;
  EXPECT_EQ(parameters, d.parameters);
  EXPECT_EQ(d.clip_multiply_adds, 4 * d.row_multiply_adds[0] + 3 * d.row_multiply_adds[1] + d.row_multiply_adds[2]);
  EXPECT_EQ(d.stream_multiply_adds, d.row_multiply_adds[0] + d.row_multiply_adds[1] + d.row_multiply_adds[2]);
  EXPECT_THAT(to_text(d), HasSubstr("ttn.stage4"));
  EXPECT_EQ(to_json(d, spec).at("nodes").size(), spec.nodes.size());
}

TEST(Describe, draws_every_part_and_names_the_edges_that_change_the_number_of_rows) {
  NetSpec spec = build_network(options_for("if_ttn", "resnet18"), with_motion());
  spec.name = "a \"quoted\" name";
  const Description d = describe(spec);
  const std::string dot = to_dot(d, spec);
  EXPECT_THAT(dot, HasSubstr("digraph \"a \\\"quoted\\\" name\" {"));
  for (std::size_t i = 0; i < d.parts.size(); ++i) EXPECT_THAT(dot, HasSubstr(fmt::format("  p{} [label=\"{}\\n", i, d.parts[i].name)));
  EXPECT_THAT(dot, HasSubstr("[label=\"segment_diff\"]"));
  EXPECT_THAT(dot, HasSubstr("[label=\"segment_mean\"]"));
  EXPECT_EQ(d.part_of_node.size(), spec.nodes.size());
}

TEST(Zoo, late_fusion_takes_any_number_of_streams) {
  for (const std::string network : {"tsn", "trn"}) {
    NetworkOptions options = options_for(network, "resnet18");
    options.streams = "rgb,rgbdiff,flow";
    const NetSpec spec = build_network(options, Preprocess{.input_size = 64, .motion_length = 5});
    EXPECT_EQ(spec.name, network + "_rgb+rgbdiff+flow(resnet18)");
    EXPECT_THAT(input_names(spec), ElementsAre("rgb", "rgbdiff", "flow"));
    EXPECT_EQ(spec.node("rgbdiff").attrs.shape, (Shape{15, 64, 64}));
    EXPECT_EQ(spec.node("flow").attrs.shape, (Shape{10, 64, 64}));
    ASSERT_EQ(spec.heads.size(), 3U);
    EXPECT_EQ(spec.heads[2].name, "flow");
    EXPECT_EQ(spec.node("scores").attrs.weights, (std::vector<double>{1 / 3.0, 1 / 3.0, 1 / 3.0}));
    options.streams = "rgb,motion";
    NetworkOptions both = options;
    both.streams = "both";
    EXPECT_EQ(build_network(options, with_motion()).nodes, build_network(both, with_motion()).nodes);
  }
}

TEST(Zoo, refuses_streams_that_are_none_or_there_twice) {
  const auto refusal = [](const std::string& streams) {
    NetworkOptions options = options_for("tsn", "resnet18");
    options.streams = streams;
    try {
      build_network(options, with_motion());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(refusal("rgb,flwo"), "unknown stream 'flwo'; the nearest is 'flow'");
  EXPECT_EQ(refusal("rgb,,flow"), "streams: a name is missing; known: rgb, motion, rgbdiff, flow, mv");
  EXPECT_EQ(refusal("flow,rgb,flow"), "two inputs are named 'flow'");
  EXPECT_EQ(refusal(""), "streams: a name is missing; known: rgb, motion, rgbdiff, flow, mv");
}

}  // namespace
}  // namespace actio::net
