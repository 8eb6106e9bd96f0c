// The texts of a model file, one a line: network, inputs (or, of format 1, preprocessing), classes, training. The file around them is whole and holds
// the weights that the network asks for, so that only the texts can be wrong.
#include "core/file.h"
#include "core/json.h"
#include "fuzz/support.h"
#include "net/infer.h"
#include "net/model_file.h"
#include "net/safetensors.h"

namespace actio::net {
namespace {

constexpr std::int64_t kMostWeights = 1 << 16;

TensorMap weights_for(std::string_view spec) {
  TensorMap weights;
  std::int64_t total = 0;
  fuzz::takes([&] {
    for (const ParamInfo& info : parameters(spec_from_json(parse_json(spec, "network"), "network"))) {
      const std::int64_t count = shape_numel(info.shape);
      if (count > kMostWeights - total) break;
      total += count;
      weights[info.name] = Tensor(info.shape);
    }
  });
  return weights;
}

std::string model_of(std::string_view text) {
  Metadata metadata = {{"actio.hash", std::string(32, '0')}, {"actio.parent", ""}};
  metadata["actio.spec"] = fuzz::take_until(text, '\n');
  const std::string inputs(fuzz::take_until(text, '\n'));
  const bool listed = inputs.find("\"inputs\"") != std::string::npos;
  metadata["actio.format"] = listed ? "2" : "1";
  metadata[listed ? "actio.inputs" : "actio.preprocess"] = inputs;
  metadata["actio.classes"] = fuzz::take_until(text, '\n');
  metadata["actio.training"] = fuzz::take_until(text, '\n');
  std::string content = safetensors_content(weights_for(metadata["actio.spec"]), metadata, "model");
  constexpr std::string_view kKey = "\"actio.hash\":\"";
  const std::string hash = content_hash(std::as_bytes(std::span(content)));
  return content.replace(content.find(kKey) + kKey.size(), hash.size(), hash);
}

}  // namespace
}  // namespace actio::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  static fuzz::MemoryFile file;
  if (!fuzz::takes([&] { file.write(net::model_of(fuzz::text_of(data, size))); })) return 0;  // text that is not UTF-8
  fuzz::takes([&] {
    net::Model model = net::read_model(file.path());
    model.training.dump();
    const Json spec = net::to_json(model.spec);
    fuzz::require(net::spec_from_json(spec, "again") == model.spec, "a network is read as it was written");
    fuzz::require(inputs_from_json(to_json(model.inputs), "again") == model.inputs, "inputs are read as they were written");
  });
  return 0;
}
