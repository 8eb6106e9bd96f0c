#include "training/recipe/decide.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace actio::training {
namespace {

// Below this many clips a network that is trained whole knows them by heart.
constexpr std::int64_t kFewClips = 2000;
constexpr std::int64_t kManyClips = 1000;  // enough to leave some of them out for good
constexpr double kPasses = 6000;           // clips that a stage sees where they are many; few are seen 25 times

using Names = std::vector<std::string>;

bool is_resnet(net::BackboneKind backbone) { return name_of(backbone).starts_with("resnet"); }

// The blocks up to an eighth of the input's size, which know edges and textures; none of Inception-V3.
Names early_blocks(net::BackboneKind backbone) {
  if (is_resnet(backbone)) return {"conv1", "bn1", "layer1", "layer2"};
  if (backbone != net::BackboneKind::kMobilenetV2) return {};
  return {"features.0", "features.1", "features.2", "features.3", "features.4", "features.5", "features.6"};
}

// All but the classifier.
Names feature_blocks(net::BackboneKind backbone) {
  if (is_resnet(backbone)) return {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4"};
  return backbone == net::BackboneKind::kMobilenetV2 ? Names{"features"} : Names{};
}

class Decider {
 public:
  Decider(const DataFacts& data, const MachineFacts& machine, const WeightFacts& weights, const TrainSpec& spec, int thrift)
      : data_(data), machine_(machine), weights_(weights), spec_(spec), thrift_(thrift) {}

  Recipe run() {
    device();
    network();
    motion();
    picture();
    schedule();
    heads();
    stages();
    accuracy();
    return std::move(recipe_);
  }

 private:
  template <class Options, class Member>
  bool open(Member Options::*member) const {
    return !spec_.chosen.has(member);
  }

  // Of what was left open.
  template <class Options, class Member, class Value>
  bool set(Member Options::*member, const Value& value) {
    if (!open(member)) return false;
    const std::string name = option_name(member);
    const std::size_t dot = name.find('.');
    recipe_.tables[name.substr(0, dot)][name.substr(dot + 1)] = value;
    return true;
  }

  void tell(std::string what, std::string value, std::string reason) {
    recipe_.decisions.push_back({std::move(what), std::move(value), std::move(reason)});
  }

  // "rgb", "motion", or kinds of motion by name.
  Names streams() const { return net::stream_names(spec_.network); }
  bool has_motion() const {
    const Names names = streams();
    return std::ranges::find(names, "motion") != names.end();
  }
  bool is_tsn() const { return spec_.network.network == net::NetworkKind::kTsn; }
  bool few() const { return weights_.any && data_.clips < kFewClips; }

  void device() {
    if (!machine_.cuda || spec_.train.device != Device::kCpu || !set(&TrainOptions::device, name_of(Device::kCuda))) return;
    tell("device", "cuda", "there is one; --device cpu computes without it");
  }

  bool on_cpu() const { return spec_.train.device == Device::kCpu && !(machine_.cuda && open(&TrainOptions::device)); }

  void network() {
    const net::NetworkKind kind = spec_.network.network;
    if (kind != net::NetworkKind::kIfTtn && kind != net::NetworkKind::kTsn && kind != net::NetworkKind::kStfn) {
      fail_usage("--recipe auto: is made for tsn, stfn and if_ttn; {} has --recipe paper", name_of(kind));
    }
    const bool chosen = !open(&net::NetworkOptions::network);
    set(&net::NetworkOptions::network, name_of(kind));
    tell("network", fmt::format("{} on {}", name_of(kind), name_of(spec_.network.backbone)), chosen ? "as asked for" : "frames, motion, and the order of snippets");
    tell("first weights", weights_.any ? weights_.files : "none",
         weights_.any ? "" : "all is learned from these clips; with --init of published weights far fewer are needed");
  }

  void motion() {
    if (has_motion()) source();
    const std::vector<Motion> motions = has_motion() ? std::vector{motion_} : net::motions_of(spec_.network, spec_.preprocess);
    // Flow keeps the papers' bound, which its cache is made with.
    const bool has_bound = std::ranges::find(motions, Motion::kVectors) != motions.end() && std::ranges::find(motions, Motion::kFlow) == motions.end();
    if (!has_bound || data_.motion_bound <= 0 || weights_.moves) return;
    if (set(&Preprocess::motion_bound, data_.motion_bound)) {
      tell("motion bound", fmt::format("{:.0f} px", data_.motion_bound), "99 % of what moves stays below (short side 256)");
    }
  }

  void source() {
    motion_ = spec_.preprocess.motion;
    if (!open(&Preprocess::motion) || weights_.moves) {
      tell("motion", std::string(name_of(motion_)), open(&Preprocess::motion) ? "as the first weights have it" : "as asked for");
    } else {
      motion_ = data_.without_vectors == 0 ? Motion::kVectors : Motion::kRgbDifference;
      set(&Preprocess::motion, name_of(motion_));
      tell("motion", std::string(name_of(motion_)),
           motion_ == Motion::kVectors
               ? "every clip carries motion vectors, which cost nothing"
               : fmt::format("{} clips have no motion vectors ({}); differences of frames can be had from all", data_.without_vectors, data_.codec_without));
    }
  }

  void picture() {
    const std::int64_t size = thrift_ >= 3 ? 112 : few() ? 128 : 160;
    if (set(&Preprocess::input_size, size)) {
      tell("input", fmt::format("{} px", size), fmt::format("clips of {} x {}; {} core{}, {}", data_.width, data_.height, machine_.cores, machine_.cores == 1 ? "" : "s", machine_.instructions));
    }
    if (set(&Preprocess::resize, name_of(Resize::kStretch))) tell("picture", "whole", "actions may be at its border");
    const std::int64_t segments = data_.seconds > 15 ? 7 : 5;
    if (set(&net::NetworkOptions::segments, segments)) {
      tell("segments", fmt::format("{}", segments), fmt::format("clips of {:.1f} s, {} frames", data_.seconds, data_.frames));
    }
  }

  void schedule() {
    const double wanted = std::clamp(kPasses / static_cast<double>(std::max<std::int64_t>(data_.clips, 1)), 10.0, 25.0);
    std::int64_t epochs = std::lround(weights_.any ? wanted : 2 * wanted);
    if (thrift_ >= 2) epochs = std::max<std::int64_t>(6, epochs / 2);
    if (set(&TrainOptions::epochs, epochs)) tell("epochs", fmt::format("{} a stage", epochs), fmt::format("{} clips to learn from", data_.clips));
    // SGD is half as far after as many epochs, above all from pictures to motion (docs/results/recipe.md).
    const bool adam = open(&TrainOptions::optimizer) || spec_.train.optimizer == StepRule::kAdamw;
    set(&TrainOptions::optimizer, name_of(StepRule::kAdamw));
    set(&TrainOptions::learning_rate, !adam ? 0.01 : weights_.any ? 0.001 : 0.002);
    if (adam) set(&TrainOptions::weight_decay, 0.05);
    set(&TrainOptions::schedule, name_of(RateSchedule::kCosine));
    set(&TrainOptions::warmup_epochs, 2.0);
    set(&TrainOptions::evaluate_every, 0);
    set(&TrainOptions::cache_gigabytes, std::max(1.0, std::floor(machine_.gigabytes / 4)));
    if (machine_.bf16 && on_cpu() && !spec_.train.fp16) set(&TrainOptions::bf16, true);
    if (few()) dropout();
  }

  // The papers' 0.8 is for thousands of clips. A stage of one stream is a TSN.
  void dropout() {
    for (const auto member : {&net::NetworkOptions::dropout_rgb, &net::NetworkOptions::dropout_motion, &net::NetworkOptions::dropout_ttn}) {
      const Names networks = net::networks_with(option_name(member).substr(net::NetworkOptions::kTable.size() + 1));
      const auto has_it = [&](net::NetworkKind kind) { return networks.empty() || std::ranges::find(networks, name_of(kind)) != networks.end(); };
      if (has_it(spec_.network.network) || (has_it(net::NetworkKind::kTsn) && all_at_once().empty())) set(member, 0.5);
    }
  }

  bool fuses_heads() const { return spec_.network.network == net::NetworkKind::kIfTtn || (is_tsn() && streams().size() > 1); }

  // What the heads count, from clips that were not learned from.
  void heads() {
    if (!fuses_heads() || !open(&TrainOptions::fit_heads)) return;
    if (has_validation() || data_.clips >= kManyClips || thrift_ >= 2) return heads_of_validation();
    // Two groups in each part at least, and every class among what is learned from.
    const std::int64_t wanted = thrift_ >= 1 || data_.clips >= 120 || data_.groups < 6 ? 2 : 3;
    const std::int64_t parts = open(&TrainOptions::fit_parts) ? wanted : spec_.train.fit_parts;
    if (data_.groups < 2 * parts || data_.fewest_groups <= parts) return tell("heads", "equal weights", too_few("to leave some out"));
    set(&TrainOptions::fit_heads, name_of(HeadFit::kInner));
    set(&TrainOptions::fit_parts, parts);
    tell("heads", "fitted", fmt::format("on {} parts of the clips, each left out once; {} clips are too few to be left out for good", parts, data_.clips));
  }

  bool has_validation() const { return data_.validation > 0 || spec_.dataset.validation_share > 0; }

  void heads_of_validation() {
    constexpr std::int64_t kFewestGroups = 5;
    if (!has_validation()) {
      if (!open(&data::DatasetOptions::validation_share)) return tell("heads", "equal weights", "no clip is to be left out");
      if (data_.groups < kFewestGroups || data_.fewest_groups < 3) return tell("heads", "equal weights", too_few("to leave some out"));
      set(&data::DatasetOptions::validation_share, data_.clips >= kManyClips ? 0.1 : 0.2);
    }
    set(&TrainOptions::fit_heads, name_of(HeadFit::kValidation));
    tell("heads", "fitted", "on the validation part");
  }

  // What nobody measures is said to be unknown.
  void accuracy() {
    if (data_.tests > 0) return;
    if (data_.fewest_groups < 3) tell("accuracy", "unknown", too_few("to hold any out"));
    else tell("accuracy", "not measured", "no clip is held out: --test-share 0.2 holds some out, --folds all every group in turn");
  }

  std::string too_few(const char* what) const {
    if (data_.fewest_groups == data_.groups) return fmt::format("{} groups: too few {}", data_.groups, what);
    return fmt::format("{} groups, but {} of '{}': too few {}", data_.groups, data_.fewest_groups, data_.fewest_class, what);
  }

  static Json of_stream(const std::string& stream, const Names& blocks) {
    Json list = Json::array();
    for (const std::string& block : blocks) list.push_back(stream + "." + block);
    return list;
  }

  // Frozen parts whose features are kept.
  static Json kept(Json freeze) { return {{"freeze", std::move(freeze)}, {"cache_views", 6}}; }

  bool keeps_early() const { return few() && !early_blocks(spec_.network.backbone).empty(); }

  Json stage(const std::string& name, const std::string& stream, bool early) const {
    Json entry = {{"name", name}, {"network", {{"network", "tsn"}, {"streams", stream}}}};
    if (early && keeps_early()) entry["train"] = kept(of_stream(stream, early_blocks(spec_.network.backbone)));
    return entry;
  }

  // Why everything is learned in one go; empty where it is not.
  std::string all_at_once() const {
    if (!weights_.any) return "there are no first weights to keep";
    if (weights_.moves) return "from a network that knows motion";
    if (is_tsn() && fuses_heads() && feature_blocks(spec_.network.backbone).empty()) return "of this backbone";
    return "";
  }

  void stages() {
    if (const std::string why = all_at_once(); !why.empty()) return tell("learned", "all at once", why);
    if (is_tsn() && !fuses_heads()) return one_stream();
    // Its streams are those of a TSN, which see the fields that follow a frame.
    if (spec_.network.network == net::NetworkKind::kStfn && set(&Preprocess::motion_length, 5)) {
      set(&Preprocess::motion_window, name_of(MotionWindow::kStarting));
    }
    const Names names = streams();
    Json list = Json::array(), before = Json::array();
    for (const std::string& stream : names) {
      const bool spatial = stream == "rgb";
      list.push_back(stage(spatial ? "spatial" : stream, stream, spatial || thrift_ >= kQuickest));
      if (!before.empty()) list.back()["init"] = before.front();
      before.push_back(list.back().at("name"));
    }
    Json last = {{"name", name_of(spec_.network.network)}, {"init", before}, {"network", {{"network", name_of(spec_.network.network)}}}};
    last["train"] = is_tsn() ? joined() : kept(names);
    if (is_tsn()) last["network"]["streams"] = spec_.network.streams;
    list.push_back(std::move(last));
    recipe_.tables["stage"] = std::move(list);
    tell("learned", fmt::format("in {} stages", before.size() + 1),
         fmt::format("{}, {}, then what joins them, on kept features of 6 views", keeps_early() ? "the last blocks on frames" : "frames",
                     keeps_early() && thrift_ >= kQuickest ? "those on motion" : "all of a motion stream"));
  }

  // Late fusion has nothing left to learn: the streams' classifiers stay as they are, in one step of no length, whichever of the rates is asked for.
  Json joined() const {
    Json freeze = Json::array();
    for (const std::string& stream : streams()) {
      for (const Json& block : of_stream(stream, feature_blocks(spec_.network.backbone))) freeze.push_back(block);
    }
    return {{"freeze", std::move(freeze)}, {"cache_views", 1}, {"epochs", 1}, {"learning_rate", 0}, {"head_learning_rate", 0}};
  }

  void one_stream() {
    if (!keeps_early() || spec_.network.streams != "rgb") return tell("learned", "the whole stream", "");
    const Json train = kept(of_stream("rgb", early_blocks(spec_.network.backbone)));
    set(&TrainOptions::freeze, train.at("freeze"));
    set(&TrainOptions::cache_views, train.at("cache_views"));
    tell("learned", "the last blocks", fmt::format("{} clips teach no more; the features of the others are kept, of 6 views", data_.clips));
  }

  const DataFacts& data_;
  const MachineFacts& machine_;
  const WeightFacts& weights_;
  const TrainSpec& spec_;
  int thrift_;
  Motion motion_ = Motion::kNone;
  Recipe recipe_;
};

}  // namespace

Recipe decide(const DataFacts& data, const MachineFacts& machine, const WeightFacts& weights, const TrainSpec& spec, int thrift) {
  return Decider(data, machine, weights, spec, thrift).run();
}

}  // namespace actio::training
