// What many sessions of one network take: resident memory before compiling, with the weights, and with eight sessions that
// have run beside each other. Their answers are first compared with those of one session alone. Ends with 1 where the
// sessions take more than the weights, a session's values times eight and a tenth. Use: runtime_memory
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "net/initialise.h"
#include "net/zoo.h"
#include "runtime/bench.h"
#include "runtime/compiled_network.h"

namespace {

using namespace actio;

constexpr std::size_t kSessions = 8;
constexpr double kMegabyte = 1e6, kAllowed = 1.1;

double resident_megabytes() {
  ::malloc_trim(0);  // what is free is nobody's
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / kMegabyte;
}

net::NetSpec make_spec(const std::string& network, const std::string& backbone, std::int64_t segments) {
  net::NetworkOptions options;
  options.network = value_named<net::NetworkKind>("network", network);
  options.backbone = value_named<net::BackboneKind>("backbone", backbone);
  options.segments = segments;
  options.streams = "rgb";
  Preprocess preprocess;
  preprocess.input_size = 224;
  preprocess.motion = network == "tsn" ? Motion::kNone : Motion::kVectors;
  return net::build_network(options, preprocess);
}

std::shared_ptr<const runtime::CompiledNetwork> compiled(const net::NetSpec& spec) {
  TensorMap weights;
  net::initialise(spec, nullptr, 7, weights);
  return runtime::CompiledNetwork::compile(spec, std::move(weights), {"onednn", 1});
}

bool same_bytes(const TensorMap& a, const TensorMap& b) {
  for (const auto& [name, tensor] : b) {
    if (std::memcmp(a.at(name).raw(), tensor.raw(), tensor.bytes()) != 0) return false;
  }
  return true;
}

void measure(const std::string& name, const net::NetSpec& spec) {
  const TensorMap clip = runtime::noise_for(spec, spec.segments);
  const double before = resident_megabytes();
  const auto network = compiled(spec);
  const double with_weights = resident_megabytes();
  std::vector<std::unique_ptr<net::Classifier>> sessions(kSessions);
  std::vector<TensorMap> results(kSessions);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kSessions; ++i) {
      threads.emplace_back([&, i] {
        sessions[i] = network->session();
        sessions[i]->run(clip, results[i]);
      });
    }
  }
  const double with_sessions = resident_megabytes();
  for (const TensorMap& result : results) {
    if (!same_bytes(result, results[0])) fail("{}: two sessions differ", name);
  }
  const runtime::RuntimeAttributes& attributes = network->attributes();
  const double weights = static_cast<double>(attributes.weight_bytes) / kMegabyte;
  const double session = static_cast<double>(attributes.session_bytes) / kMegabyte;
  const double allowed = kAllowed * (weights + kSessions * session), taken = with_sessions - before;
  fmt::print(
      "{}: weights {:.1f} MB, a session {:.1f} MB; compiled {:.1f} MB resident, with {} sessions {:.1f} MB, allowed {:.1f} "
      "MB\n",
      name, weights, session, with_weights - before, kSessions, taken, allowed);
  if (taken > allowed) fail("{}: {:.1f} MB are resident, {:.1f} MB are allowed", name, taken, allowed);
}

}  // namespace

int main() {
  ::mallopt(M_MMAP_THRESHOLD, 1 << 17);  // so that what one case freed is not there for the next one
  try {
    compiled(make_spec("tsn", "mobilenet_v2", 1))->session();  // what the libraries take once
    measure("tsn(resnet50), rgb", make_spec("tsn", "resnet50", 1));
    measure("if_ttn(mobilenet_v2)", make_spec("if_ttn", "mobilenet_v2", 7));
    measure("stfn(mobilenet_v2)", make_spec("stfn", "mobilenet_v2", 5));
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
