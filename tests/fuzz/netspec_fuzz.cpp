// A network as JSON: shapes, parameters and cost; what is read can be written and read again.
#include "core/json.h"
#include "fuzz/support.h"
#include "net/describe.h"
#include "net/infer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  fuzz::takes([&] {
    const net::NetSpec spec = net::spec_from_json(parse_json(fuzz::text_of(data, size), "network"), "network");
    fuzz::require(net::spec_from_json(net::to_json(spec), "again") == spec, "a network is read as it was written");
    const net::Inferred inferred = net::infer(spec);
    for (const net::NodeInfo& info : inferred.nodes) {
      fuzz::require(shape_numel(info.shape) > 0, "a node produces something");
      fuzz::require(info.multiply_adds >= 0, "a node's cost is counted");
      for (const net::ParamInfo& param : info.params) fuzz::require(shape_numel(param.shape) > 0, "a parameter has a size");
    }
    const net::Description description = net::describe(spec);
    to_text(description);
    to_json(description, spec).dump();
  });
  return 0;
}
