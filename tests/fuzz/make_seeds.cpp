// Writes the seeds that are binary or long: make_seeds FOLDER. The short texts beside them were written by hand.
#include <cstdio>
#include <filesystem>
#include <string>

#include "core/file.h"
#include "data/flow_file.h"
#include "net/initialise.h"
#include "net/model_file.h"
#include "net/safetensors.h"
#include "net/torch_fixture.h"
#include "runtime/nets.h"
#include "support/packet_clip.h"
#include "support/synthetic_clip.h"

namespace actio {
namespace {

namespace fs = std::filesystem;

struct Kind {
  const char* name;  // its ending names the container
  const char* codec;
  int b_frames = 2;
  int rotation_degrees = 0;
};

constexpr Kind kKinds[] = {{"h264.mp4", "libx264"},
                           {"h264.mkv", "libx264"},
                           {"h264.avi", "libx264"},
                           {"h264.ts", "libx264"},
                           {"h264.264", "libx264"},
                           {"rotated.mp4", "libx264", 0, 90},
                           {"mpeg4.avi", "mpeg4"},
                           {"mpeg4.mp4", "mpeg4", 1, 270},
                           {"mpeg4.m4v", "mpeg4", 0},
                           {"mpeg2.mpg", "mpeg2video"},
                           {"mpeg2.ts", "mpeg2video"},
                           {"mpeg1.m1v", "mpeg1video"},
                           {"flv1.flv", "flv", 0},
                           {"h263.avi", "h263p", 0},
                           {"wmv2.asf", "wmv2", 0},
                           {"msmpeg4v3.avi", "msmpeg4", 0},
                           {"mjpeg.avi", "mjpeg", 0},
                           {"hevc.mp4", "libx265"}};

void write_clip(const Kind& kind, const fs::path& folder, int frames) {
  testing::SyntheticClip clip;
  clip.path = (folder / kind.name).string();
  clip.codec = kind.codec;
  clip.frames = frames;
  clip.width = 64;
  clip.height = 48;
  clip.dx = 2;
  clip.gop = 4;
  clip.b_frames = kind.b_frames;
  clip.references = 2;
  clip.rotation_degrees = kind.rotation_degrees;
  const std::string codec = kind.codec;
  clip.quality = codec == "libx264" ? 40 : 16;
  if (codec == "libx264") clip.codec_options = {"x264-params=no-info=1"};
  write_synthetic_clip(clip);
}

void write_models(const fs::path& seeds) {
  net::Model model;
  Preprocess preprocess{.input_size = 16, .motion = Motion::kVectors, .motion_length = 2};
  for (net::NetSpec spec : {testing::small_tsn(3), testing::small_if_ttn(2), testing::small_stfn(3)}) {
    for (net::Node& node : spec.nodes) {
      if (node.op == net::Op::kInput) node.attrs.shape = {node.name == "rgb" ? 3 : 4, 16, 16};
    }
    model.training = {{"stages", {{{"epochs", 3}, {"rate", 0.1}}}}};
    const auto classes = net::infer(spec).at(spec.output).shape.at(0);
    model.classes.clear();
    for (std::int64_t i = 0; i < classes; ++i) model.classes.push_back("class " + std::to_string(i));
    const std::string json = net::to_json(spec).dump();
    write_file_atomically(seeds / "netspec" / (spec.name + ".json"), json);
    const std::string rest = "\n" + Json(model.classes).dump() + "\n" + model.training.dump() + "\n";
    const Json inputs = to_json(inputs_of(net::input_names(spec), preprocess));
    write_file_atomically(seeds / "model_file" / spec.name, json + "\n" + inputs.dump() + rest);
    write_file_atomically(seeds / "model_file" / (spec.name + "_format1"), json + "\n" + fields_to_json(preprocess.fields()).dump() + rest);
  }
  net::Builder b("tiny", 2);
  const net::Value pooled = b.apply(net::Op::kGlobalAvgPool, "pool", {b.input("rgb", {3, 16, 16})});
  const net::Value scores = b.apply(net::Op::kSegmentMean, "mean", {b.linear("fc", pooled, 2)});
  model.spec = b.finish(scores, b.apply(net::Op::kSoftmax, "output", {scores}));
  model.inputs = inputs_of({"rgb"}, preprocess);
  model.classes = {"jump", "run"};
  net::initialise(model.spec, nullptr, 1, model.weights);
  net::write_model(seeds / "safetensors" / "model.safetensors", model);
  net::write_safetensors(seeds / "safetensors" / "types.safetensors",
                         {{"a", Tensor({2, 3})},
                          {"b", Tensor({4}, DType::kI64)},
                          {"c", Tensor({0, 5}, DType::kU8)},
                          {"d", Tensor({}, DType::kBf16)},
                          {"num_batches_tracked", Tensor({}, DType::kI64)}},
                         {{"format", "pt"}});
}

void write_checkpoints(const fs::path& seeds) {
  using namespace net::torch_fixture;
  const std::string weight = tensor({.key = "0", .count = 12, .sizes = {3, 4}, .strides = {4, 1}});
  const std::string turned = tensor({.key = "0", .count = 12, .offset = 1, .sizes = {2, 3}, .strides = {1, 4}});
  const std::string bias = tensor({.type = "LongStorage", .key = "1", .count = 2, .sizes = {2}, .strides = {1}});
  const std::string body = dict({text("epoch"), "K\x03", text("state_dict"),
                                 ordered_dict() + "(" + text("module.w") + weight + text("module.t") + turned +
                                     text("module.b") + bias + "u"});
  const std::string flat = dict({text("w"), weight, text("b"), "(" + text("x") + "K\x01tQ"});
  write_file_atomically(seeds / "torch_checkpoint" / "wrapped.pkl", pickle(body));
  write_file_atomically(seeds / "torch_checkpoint" / "flat.pkl", pickle(flat));
  write_file_atomically(seeds / "torch_checkpoint" / "protocol4.pkl",
                        "\x80\x04\x95" + std::string(8, '\0') + "}\x94(\x8c\x01" + "a\x94\x8c\x05torch\x94\x8c\x04Size\x94\x93" +
                            "K\x02\x85\x94\x85Rh\x02\x88u.");
  const std::vector<ZipFile> storages = {{"archive/data.pkl", pickle(dict({text("w"), weight, text("b"), bias}))},
                                         {"archive/data/0", std::string(48, '\1'), true},
                                         {"archive/data/1", std::string(16, '\2')},
                                         {"archive/byteorder", "little"}};
  write_file_atomically(seeds / "zip" / "checkpoint.pth", zip(storages));
  write_file_atomically(seeds / "zip" / "zip64.pth", zip(storages, true));
}

void write_flow(const fs::path& seeds) {
  write_file_atomically(seeds / "flow_file" / "two.flow", [](std::ostream& out) {
    data::FlowFileWriter writer(out);
    for (int i = 0; i < 2; ++i) {
      Tensor image({2, 6, 8}, DType::kU8);
      for (std::int64_t at = 0; at < image.numel(); ++at) image.data<std::uint8_t>()[at] = static_cast<std::uint8_t>(128 + at % 8 * i);
      writer.add(data::pack_field({image, 16, 12}));
    }
    data::FlowHeader header{{{"algorithm", "tvl1"}, {"bound", 20.0}}, "clip.avi", "0123", {}};
    header.facts.frames = 2;
    writer.finish(header);
  });
}

void write_all(const fs::path& seeds) {
  for (const char* target : {"video", "examine", "netspec", "model_file", "safetensors", "torch_checkpoint", "zip", "flow_file", "select"}) {
    fs::create_directories(seeds / target);
  }
  for (const Kind& kind : kKinds) write_clip(kind, seeds / "video", 6);
  for (const Kind& kind : kKinds) write_clip(kind, seeds / "examine", 3);
  for (const Kind& kind : kKinds) write_clip(kind, seeds / "select", 7);
  testing::write_waiting_b_frames(seeds / "select" / "waiting.avi", 12);
  testing::write_waiting_b_frames(seeds / "select" / "waiting_long.avi", 200);
  write_models(seeds);
  write_flow(seeds);
  write_checkpoints(seeds);
}

}  // namespace
}  // namespace actio

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: make_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    actio::write_all(arguments[1]);
  } catch (const actio::Error& error) {
    std::fprintf(stderr, "make_seeds: %s\n", error.what());
    return error.exit_code();
  }
}
