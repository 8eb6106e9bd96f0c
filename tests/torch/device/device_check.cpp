// Trainings on a device beside the same ones on the CPU, as a table: what no machine without CUDA can show. Each figure
// stands beside what is allowed, which is measured, too: what rounding does to the same computation on the CPU. Use:
// device_check DEVICE [step] [training] [resume] [ranks] [nccl]     all parts where none is named
//      device_check compare MODEL MODEL                                  how far the weights of two model files are apart
// Exit code: 0 where every figure is within what is allowed.
#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "check_cases.h"
#include "core/error.h"
#include "net/model_file.h"
#include "net/weights.h"
#include "support/temp_dir.h"
#include "torch/distributed/c10d_compat.h"
#include "torch/distributed/group.h"
#include "torch/graph/torch_compat.h"

namespace actio::testing {
namespace {

using torch_train::Training;

bool all_held = true;

void row(const std::string& what, double measured, double allowed, const std::string& remark = "") {
  const bool holds = measured <= allowed;  // false for what is not a number
  all_held = all_held && holds;
  fmt::print("{:<46} {:>9.2e} {:>9.2e}  {:<6} {}\n", what, measured, allowed, holds ? "ok" : "FAILED", remark);
  std::fflush(stdout);
}

void remark(const std::string& what, const std::string& text) {
  fmt::print("{:<46} {}\n", what, text);
  std::fflush(stdout);
}

void failure(const std::string& what, const std::string& text) {
  all_held = false;
  remark(what, "FAILED: " + text);
}

// Runs a part of the table; an error is a row of it.
template <typename Work>
void attempt(const std::string& what, const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    failure(what, error.what());
  }
}

struct Network {
  std::string name, backbone;
};
const std::vector<Network> kAll = {{"tsn", "resnet18"},        {"stfn", "resnet18"}, {"if_ttn", "resnet18"},
                                   {"if_ttn", "mobilenet_v2"}, {"trn", "resnet18"},  {"st_fusion", "resnet18"}};
const std::vector<Network> kTrained = {{"tsn", "resnet18"}, {"stfn", "resnet18"}, {"if_ttn", "resnet18"}};

// Sums in another order are off by some times more or less than those of the CPU; a wrong gradient by thousands of times.
constexpr double kOrder = 10;
// Of the same rounding in other places.
constexpr double kPlaces = 1.5;
// bfloat16 keeps 8 bits, half precision and tf32 keep 11. What rounding does to a gradient falls at least with the square
// root: the rectifiers that it switches are fewer by the whole factor, each of them a change of the same size.
const double kMoreBits = 1 / std::sqrt(8.0);
// A gradient of zeros is 1 from the true one, and one that has nothing to do with it further: where more than this would be
// allowed, rounding leaves nothing to compare.
constexpr double kTelling = 0.7;

void verdict(const std::string& what, double measured, double allowed, const std::string& where = "") {
  if (allowed <= kTelling)
    row(what, measured, allowed, where);
  else
    remark(what,
           fmt::format("{:>9.2e}            no verdict: the CPU's own rounding would allow {:.2g}", measured, allowed));
}

// Of the CPU's two implementations the one that rounding changes more.
Distance cpu_rounding(const net::NetSpec& spec, const std::string& precision, const Step& exact) {
  const Distance own = distance(run_step(spec, {"cpu", precision}), exact);
  const Distance plain = distance(run_step(spec, {"cpu", precision, false}), exact);
  return {std::max(own.loss, plain.loss), std::max(own.all, plain.all), std::max(own.worst, plain.worst), ""};
}

void check_steps(const std::string& device) {
  for (const Network& network : kAll) {
    const std::string name = network.name + "/" + network.backbone;
    attempt(name, [&] {
      const net::NetSpec spec = check_network(network.name, network.backbone);
      const Step exact = run_step(spec, {"cpu", "f64"});
      const Distance f32 = cpu_rounding(spec, "f32", exact), bf16 = cpu_rounding(spec, "bf16", exact);
      const auto compare = [&](const std::string& precision, const Distance& cpu, double factor, double floor) {
        attempt(name + " " + precision, [&] {
          const Distance own = distance(run_step(spec, {device, precision}), exact);
          verdict(fmt::format("{} {}: loss", name, precision), own.loss, factor * cpu.loss + floor);
          verdict(fmt::format("{} {}: gradients", name, precision), own.all, factor * cpu.all + floor);
          if (precision != "f32") return;
          verdict(fmt::format("{} {}: worst gradient", name, precision), own.worst, factor * cpu.worst + 10 * floor,
                  own.where);
        });
      };
      compare("f32", f32, kOrder, 1e-6);
      compare("bf16", bf16, kPlaces, 1e-3);
      if (device == "cpu") return;
      compare("tf32", bf16, kPlaces * kMoreBits, 1e-3);
      compare("fp16", bf16, kPlaces * kMoreBits, 1e-3);
    });
  }
}

// What rounding does to a training on the CPU: the largest of three changes by one rounding of the first weights.
struct Spread {
  double losses = 0, weights = 0;
};
Spread spread_of(const net::NetSpec& spec, const Training& cpu, const TensorMap& first) {
  Spread spread;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Training moved = run_training(spec, {}, seed);
    spread.losses = std::max(spread.losses, losses_apart(moved, cpu));
    spread.weights = std::max(spread.weights, weights_apart(moved.weights, cpu.weights, first));
  }
  return spread;
}

TensorMap first_weights_of(const net::NetSpec& spec) {
  TensorMap first;
  run_training(spec, {}, 0, [&](Training& run) {
    first = run.weights;
    run.job.options.epochs = 1;
  });
  return first;
}

void check_training(const std::string& device) {
  for (const Network& network : kTrained) {
    const std::string name = network.name + "/" + network.backbone;
    attempt(name, [&] {
      const net::NetSpec spec = check_network(network.name, network.backbone);
      const TensorMap first = first_weights_of(spec);
      const Training cpu = run_training(spec, {}), cpu_bf16 = run_training(spec, {"cpu", "bf16"});
      const Spread spread = spread_of(spec, cpu, first);
      const auto compare = [&](const std::string& precision, double losses, double weights) {
        attempt(name + " " + precision + " training", [&] {
          const Training there = run_training(spec, {device, precision});
          const std::string figures = fmt::format("loss {:.4f} to {:.4f}; CPU {:.4f} to {:.4f}", there.losses.front(),
                                                  there.losses.back(), cpu.losses.front(), cpu.losses.back());
          row(fmt::format("{} {} training: losses", name, precision), losses_apart(there, cpu), losses, figures);
          row(fmt::format("{} {} training: weights", name, precision), weights_apart(there.weights, cpu.weights, first),
              weights);
          const double fall = cpu.losses.back() / cpu.losses.front();
          row(fmt::format("{} {} training: last loss / first", name, precision), there.losses.back() / there.losses.front(),
              (1 + fall) / 2);
        });
      };
      compare("f32", kOrder * spread.losses + 1e-5, kOrder * spread.weights + 1e-4);
      const double losses = losses_apart(cpu_bf16, cpu), weights = weights_apart(cpu_bf16.weights, cpu.weights, first);
      for (const std::string precision : {"bf16", "tf32", "fp16"}) {
        if (device != "cpu" || precision == "bf16") compare(precision, kPlaces * losses + 1e-3, kPlaces * weights + 1e-2);
      }
    });
  }
}

// Two trainings in one go, and one that goes on from a state in its middle.
void check_resume(const std::string& device) {
  for (const Network& network : kTrained) {
    const std::string name = network.name + "/" + network.backbone;
    attempt(name + " resumed", [&] {
      const net::NetSpec spec = check_network(network.name, network.backbone);
      const Setting setting{device, "f32"};
      std::vector<torch_train::TrainState> states;
      const auto keep = [&](Training& run) {
        run.job.options.save_minutes = 1e-9;
        run.job.on_state = [&](const torch_train::TrainState& now, const TensorMap&) { states.push_back(now); };
      };
      const TensorMap first = first_weights_of(spec);
      const Training whole = run_training(spec, setting, 0, keep), again = run_training(spec, setting);
      if (states.size() < 3) fail("{} states were saved", states.size());
      const Training rest = run_training(spec, setting, 0, [&](Training& run) { run.job.resume = states[2]; });
      const double twice = weights_apart(again.weights, whole.weights, first);
      const auto bits = [&](const Training& run) {
        return torch_train::same(run.weights, whole.weights) ? "the same bits" : "other bits";
      };
      remark(name + ": a second training", fmt::format("{:.2e}, {}", twice, bits(again)));
      row(name + ": a resumed one", weights_apart(rest.weights, whole.weights, first), kOrder * twice, bits(rest));
    });
  }
}

// The same batches, of which each rank sees its share of the rows.
class ShareSource final : public training::BatchSource {
 public:
  ShareSource(torch_train::PatternSource& whole, const torch_train::distributed::Group& group)
      : whole_(whole), group_(group) {}
  void start_epoch(std::int64_t epoch) override { whole_.start_epoch(epoch); }
  std::optional<data::Batch> next() override {
    std::optional<data::Batch> batch = whole_.next();
    if (!batch) return batch;
    const auto count = static_cast<std::int64_t>(batch->labels.size()) / group_.size(), first = count * group_.rank();
    data::Batch part;
    for (const auto& [name, tensor] : batch->inputs) {
      const std::int64_t rows = tensor.dim(0) / static_cast<std::int64_t>(batch->labels.size());
      part.inputs[name] = tensor.rows(first * rows, count * rows);
    }
    for (std::int64_t i = first; i < first + count; ++i) {
      part.labels.push_back(batch->labels[static_cast<std::size_t>(i)]);
      part.paths.push_back(batch->paths[static_cast<std::size_t>(i)]);
    }
    return part;
  }
  std::int64_t clips() const override { return whole_.clips() / group_.size(); }

 private:
  torch_train::PatternSource& whole_;
  const torch_train::distributed::Group& group_;
};

struct RankPlace {
  std::string device, backend;
  int rank = 0;
  std::uint16_t port = 0;
};

// One of two processes. Writes its weights to FOLDER/rankN.safetensors.
void run_rank(const RankPlace& place, const std::string& folder) {
  std::signal(SIGPIPE, SIG_IGN);
  const net::NetSpec spec = check_network("if_ttn", "resnet18");
  const torch_train::distributed::Launch launch{"device_check", place.rank, 2, place.rank, "127.0.0.1", place.port};
  torch_train::distributed::GroupOptions options;
  options.backend = place.backend;
  options.connect_timeout = std::chrono::seconds(60);
  options.collective_timeout = std::chrono::seconds(60);
  const auto group = torch_train::distributed::Group::connect(options, launch);
  try {
    Training run = torch_train::prepare(spec);
    run.job.group = group.get();
    TensorMap weights = net::read_safetensors(folder + "/first.safetensors");
    run.job.options.device = value_named<training::Device>("device", place.device);
    run.job.options.tf32 = false;
    run.job.options.learning_rate = 0.005;
    run.job.options.sync_bn = true;
    run.job.options.threads = 2;
    torch_train::PatternSource whole(spec, 20, 10, 3);
    ShareSource source(whole, *group);
    train_on(run.job, weights, source, nullptr);
    net::write_safetensors(fmt::format("{}/rank{}.safetensors", folder, place.rank), weights);
  } catch (const std::exception& error) {
    group->leave(error.what());
    throw;
  }
}

// What the two print, at their ends.
std::array<std::string, 2> run_ranks(const std::string& device, const std::string& backend, const std::string& folder) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto port = static_cast<std::uint16_t>(29600 + ::getpid() % 1000 + (backend == "nccl" ? 1000 : 0));
  std::array<std::unique_ptr<FILE, int (*)(FILE*)>, 2> pipes = {{{nullptr, ::pclose}, {nullptr, ::pclose}}};
  for (int rank = 0; rank < 2; ++rank) {
    const std::string command =
        fmt::format("TORCH_NCCL_ASYNC_ERROR_HANDLING=0 timeout -k 5 180 '{}' rank {} {} {} {} '{}' 2>&1", self, device,
                    backend, rank, port, folder);
    pipes[static_cast<std::size_t>(rank)].reset(::popen(command.c_str(), "r"));
  }
  std::array<std::string, 2> texts;
  for (std::size_t rank = 0; rank < 2; ++rank) {
    std::array<char, 512> line{};
    while (std::fgets(line.data(), line.size(), pipes[rank].get()) != nullptr) texts[rank] = line.data();
    if (!texts[rank].empty() && texts[rank].back() == '\n') texts[rank].pop_back();
  }
  return texts;
}

// Two processes on one device with half of each batch, and one process on the CPU with all of it.
void check_ranks(const std::string& device) {
  attempt("two ranks", [&] {
    const net::NetSpec spec = check_network("if_ttn", "resnet18");
    const TempDir dir;
    const std::string folder = dir.path().string();
    const TensorMap first = first_weights_of(spec);
    net::write_safetensors(folder + "/first.safetensors", first);
    const Training cpu = run_training(spec, {});
    const Spread spread = spread_of(spec, cpu, first);
    const auto texts = run_ranks(device, "gloo", folder);
    if (texts[0] != "done" || texts[1] != "done") fail("{}; {}", texts[0], texts[1]);
    const TensorMap zero = net::read_safetensors(folder + "/rank0.safetensors"),
                    one = net::read_safetensors(folder + "/rank1.safetensors");
    row("two ranks by Gloo, one process: weights", weights_apart(zero, cpu.weights, first), kOrder * spread.weights + 1e-4);
    row("two ranks by Gloo: one beside the other", weights_apart(one, zero, first), 0);
    if (device == "cpu" || !torch_train::distributed::has_nccl()) return;
    const auto by_nccl = run_ranks(device, "nccl", folder);
    remark("two ranks by NCCL on one device", by_nccl[0]);
  });
}

// NCCL wants a device of its own for each rank; a group of one shows that it loads, connects and adds up.
void check_nccl(const std::string& device) {
  using namespace torch_train::distributed;
  if (device == "cpu" || !has_nccl()) return remark("one rank by NCCL", "left out: this build or device has no NCCL");
  attempt("one rank by NCCL", [&] {
    torch_train::distributed::Launch launch{
        "device_check", 0, 1, 0, "127.0.0.1", static_cast<std::uint16_t>(31600 + ::getpid() % 1000)};
    const StorePtr store = open_store(launch, std::chrono::seconds(30));
    const BackendPtr nccl = make_nccl(store, {0, 1, "check", "127.0.0.1", std::chrono::seconds(60)});
    const at::Device there = torch_train::find_device(value_named<training::Device>("device", device));
    const at::Tensor x = at::arange(1000, at::TensorOptions(there).dtype(at::kFloat)), before = x.clone();
    const WorkPtr work = start_all_reduce(*nccl, x);
    work->wait();
    row("one rank by NCCL: a sum", (x - before).abs().max().item<double>(), 0);
    close(*nccl);
  });
}

int compare_models(const std::string& a, const std::string& b) {
  const TensorMap one = net::read_model(a).weights, other = net::read_model(b).weights;
  double apart = 0, whole = 0;
  for (const auto& [name, tensor] : other) {
    const auto x = one.at(name).values<float>(), y = tensor.values<float>();
    for (std::size_t i = 0; i < y.size(); ++i) {
      apart += std::pow(static_cast<double>(x[i]) - static_cast<double>(y[i]), 2);
      whole += std::pow(static_cast<double>(y[i]), 2);
    }
  }
  fmt::print("{:.3e}\n", std::sqrt(apart / whole));
  return 0;
}

int run_main(const std::vector<std::string>& arguments) {
  if (arguments.size() == 4 && arguments[1] == "compare") return compare_models(arguments[2], arguments[3]);
  if (arguments.size() == 7 && arguments[1] == "rank") {
    run_rank({arguments[2], arguments[3], std::stoi(arguments[4]), static_cast<std::uint16_t>(std::stoi(arguments[5]))},
             arguments[6]);
    fmt::print("done\n");
    return 0;
  }
  if (arguments.size() < 2) fail_usage("use: device_check cpu|cuda [step] [training] [resume] [ranks] [nccl]");
  const std::string& device = arguments[1];
  torch_train::find_device(value_named<training::Device>("device", device));
  torch_train::set_thread_count(0);
  const std::set<std::string> wanted(arguments.begin() + 2, arguments.end());
  const std::vector<std::pair<std::string, void (*)(const std::string&)>> parts = {{"step", check_steps},
                                                                                   {"training", check_training},
                                                                                   {"resume", check_resume},
                                                                                   {"ranks", check_ranks},
                                                                                   {"nccl", check_nccl}};
  fmt::print("{:<46} {:>9} {:>9}\n", "relative distance, on " + device, "measured", "allowed");
  for (const auto& [name, run] : parts) {
    if (wanted.empty() || wanted.contains(name)) run(device);
  }
  fmt::print("{}\n", all_held ? "device_check: every figure is within what is allowed" : "device_check: FAILED");
  return all_held ? 0 : 1;
}

}  // namespace
}  // namespace actio::testing

int main(int argc, char** argv) {
  try {
    return actio::testing::run_main({argv, argv + argc});
  } catch (const std::exception& error) {
    fmt::print("{}\n", error.what());
    return 1;
  }
}
