// One of several processes that train together, as the tests start them: rank_program SCENARIO [SILENCE_LIMIT_IN_SECONDS].
// It is 0 at its end if all that it compared was equal; else it prints one line about what was not.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <csignal>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "../nets.h"
#include "core/error.h"
#include "core/rng.h"
#include "torch/distributed/group.h"
#include "torch/distributed/reducer.h"
#include "training/batch_source.h"
#include "torch/graph/graph.h"
#include "torch/graph/torch_compat.h"
#include "torch/trainer/trainer.h"

namespace actio::torch_train::distributed {

using namespace training::ranks;
namespace {

void expect(bool holds, const std::string& what) {
  if (!holds) fail("{}", what);
}

double largest(const at::Tensor& x) { return x.numel() == 0 ? 0 : x.abs().max().to(at::kDouble).item<double>(); }

// `scale`: what a difference is compared with; 0: the largest expected value.
void expect_close(const std::string& what, const at::Tensor& actual, const at::Tensor& expected, double relative,
                  double scale = 0) {
  expect(actual.defined() && expected.defined() && actual.sizes() == expected.sizes(), what + ": shapes differ");
  const double error = largest(actual.to(at::kDouble) - expected.to(at::kDouble));
  const double limit = relative * (scale > 0 ? scale : largest(expected));
  if (!(error <= limit)) fail("{}: differs by {}, where {} is allowed", what, error, limit);
}

void run_collectives(Group& group) {
  const int rank = group.rank(), size = group.size();
  const double ranks_sum = size * (size + 1) / 2.0;
  for (const auto type : {at::kFloat, at::kDouble, at::kLong, at::kBFloat16}) {
    const at::Tensor x = at::arange(12, type).view({3, 4}) * (rank + 1);
    group.all_reduce_sum(x);
    expect_close("all-reduce", x, at::arange(12, type).view({3, 4}) * ranks_sum, 0);
  }
  const at::Tensor turned = at::full({2, 3, 4, 5}, rank + 1.0).contiguous(at::MemoryFormat::ChannelsLast);
  group.all_reduce_sum(turned);
  expect_close("all-reduce of channels-last", turned, at::full({2, 3, 4, 5}, ranks_sum), 0);
  for (int root = 0; root < size; ++root) {
    const at::Tensor x = at::full({7}, rank, at::kHalf);
    group.broadcast(x, root);
    expect_close("broadcast", x, at::full({7}, root), 0, 1);
    const std::vector<at::Tensor> several{at::full({2, 2}, rank), at::full({}, rank, at::kLong), at::full({0}, rank)};
    broadcast_all(group, several, root);
    expect_close("broadcast of several", several[0], at::full({2, 2}, root), 0, 1);
    expect_close("broadcast of several", several[1], at::full({}, root), 0, 1);
  }
  const std::string mine = std::string(static_cast<std::size_t>(rank) * 1000, 'x') + fmt::format("clip {}.mp4", rank);
  const std::vector<std::string> all = group.all_gather(mine);
  expect(static_cast<int>(all.size()) == size && all[static_cast<std::size_t>(rank)] == mine, "all-gather of texts");
  for (int r = 0; r < size; ++r) {
    expect(all[static_cast<std::size_t>(r)].ends_with(fmt::format("clip {}.mp4", r)), "all-gather of texts");
  }
  expect(group.all_gather(std::string_view()).size() == static_cast<std::size_t>(size), "all-gather of empty texts");
  const at::Tensor gathered = group.all_gather(at::full({2}, rank, at::kDouble));
  expect(gathered.sizes() == at::IntArrayRef({size, 2}), "all-gather: shape");
  for (int r = 0; r < size; ++r) expect_close("all-gather", gathered[r], at::full({2}, r), 0, 1);
  group.require_same("the seed", "1");
  group.barrier();
}

// A network with a loss, and the part of a batch that is this rank's.
struct Training {
  Training(const net::NetSpec& s, const GraphOptions& options)
      : spec(s), graph(s, testing::random_weights(s, 3), options) {
    for (Parameter& parameter : graph.parameters()) {
      if (parameter.info.trainable) leaves.push_back(parameter.tensor);
    }
  }

  // The mean loss over the clips; leaves gradients.
  double pass(const TensorMap& inputs, std::int64_t first_class, Group* sync) {
    const Graph::Values values = graph.run(inputs, {spec.scores}, {.training = true, .gradients = true, .sync_norm = sync});
    scores = values.at(spec.scores).to(graph.options().dtype);
    const at::Tensor labels = (at::arange(scores.size(0), at::kLong) + first_class) % scores.size(1);
    const at::Tensor loss = at::cross_entropy_loss(scores, labels);
    loss.backward();
    return loss.item<double>();
  }

  void update(double rate) {
    const at::NoGradGuard guard;
    for (at::Tensor& leaf : leaves) {
      if (leaf.grad().defined()) leaf.add_(leaf.grad(), -rate);
      leaf.mutable_grad().reset();
    }
  }

  net::NetSpec spec;
  Graph graph;
  std::vector<at::Tensor> leaves;
  at::Tensor scores;
};

TensorMap part_of(const TensorMap& inputs, int rank, int size) {
  TensorMap part;
  for (const auto& [name, tensor] : inputs) part[name] = tensor.rows(tensor.dim(0) / size * rank, tensor.dim(0) / size);
  return part;
}

double largest_gradient(const std::vector<at::Tensor>& leaves) {
  double result = 0;
  for (const at::Tensor& leaf : leaves) result = std::max(result, largest(leaf.grad()));
  return result;
}

void expect_same_parameters(const std::string& what, Training& together, Training& alone, double relative) {
  for (std::size_t i = 0; i < together.graph.parameters().size(); ++i) {
    const Parameter& parameter = together.graph.parameters()[i];
    expect_close(what + ", " + parameter.info.name, parameter.tensor.detach(), alone.graph.parameters()[i].tensor.detach(),
                 relative, std::max(1.0, largest(alone.graph.parameters()[i].tensor.detach())));
  }
}

// The distance of all gradients together, as a share of their length. Parts of a network whose gradients are near zero (a bias before
// a batch norm) have no length of their own to be compared with.
double gradients_apart(const std::vector<at::Tensor>& actual, const std::vector<at::Tensor>& expected) {
  double apart = 0, all = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const at::Tensor wanted = expected[i].grad().to(at::kDouble);
    apart += (actual[i].grad().to(at::kDouble) - wanted).square().sum().item<double>();
    all += wanted.square().sum().item<double>();
  }
  return std::sqrt(apart / all);
}

// Every rank computes what one process with the whole batch would, and compares its part.
void compare_norm(Group& group, const testing::NamedNet& net, const GraphOptions& options, double relative) {
  const std::int64_t clips = 4;
  const TensorMap inputs = testing::random_inputs(net.spec, clips * group.size(), 5);
  Training alone(net.spec, options), together(net.spec, options);
  const double whole_loss = alone.pass(inputs, 0, nullptr);
  Reducer reducer(group, together.leaves);
  const TensorMap mine = part_of(inputs, group.rank(), group.size());
  const at::Tensor loss = at::full({1}, together.pass(mine, clips * group.rank(), &group), at::kDouble);
  reducer.finish();
  group.all_reduce_sum(loss);
  expect_close(net.name + ": loss", loss / group.size(), at::full({1}, whole_loss, at::kDouble), relative);
  expect_close(net.name + ": scores", together.scores.detach(),
               alone.scores.detach().narrow(0, clips * group.rank(), clips), relative, largest(alone.scores.detach()));
  if (options.bf16) {
    const double apart = gradients_apart(together.leaves, alone.leaves);
    if (!(apart <= relative)) fail("{}: gradients differ by {} of their length, where {} is allowed", net.name, apart, relative);
  }
  const double scale = largest_gradient(alone.leaves);
  for (std::size_t i = 0; !options.bf16 && i < alone.leaves.size(); ++i) {
    expect_close(fmt::format("{}: gradient {}", net.name, i), together.leaves[i].grad(), alone.leaves[i].grad(), relative,
                 scale);
  }
  expect_same_parameters(net.name + ": statistics", together, alone, relative);
}

// The most values on a way through the network, one made of the other, that are stored in bfloat16 and so are rounded.
std::int64_t roundings_in_a_row(const net::NetSpec& spec) {
  using net::Op;
  static const std::set<Op> kRound = {Op::kConv2d, Op::kConv1d, Op::kBatchNorm, Op::kAdd, Op::kSub, Op::kMul,
                                      Op::kWeightedSum, Op::kSegmentDiff, Op::kAvgPool2d, Op::kGlobalAvgPool};
  std::map<std::string, std::int64_t> depth;
  std::int64_t most = 0;
  for (const net::Node& node : spec.nodes) {
    std::int64_t before = 0;
    for (const std::string& input : node.inputs) before = std::max(before, depth.at(input));
    depth[node.name] = before + (kRound.contains(node.op) ? 1 : 0);
    most = std::max(most, depth[node.name]);
  }
  return most;
}

// One process and several add up the same products in f32; what differs is what bfloat16 makes of it. Rounding changes a value by at most
// u = 2^-8 of it, evenly spread: by u / sqrt(3) in the mean square. Where the ranks' share of the loss is no power of two, every
// gradient has other digits and rounds anew: two independent errors, sqrt(2) times one. R of them one after another make
// sqrt(R) times as much: u * sqrt(2 R / 3) of the gradients' length. Twice that is allowed. (Sums in bfloat16, which lose
// terms, came to 1.3 to 1.9 times what is allowed in the first two networks.)
double bf16_allowance(const net::NetSpec& spec) {
  return 2.0 / 256 * std::sqrt(2.0 / 3 * static_cast<double>(roundings_in_a_row(spec)));
}

void run_norms(Group& group) {
  for (const testing::NamedNet& net : testing::small_nets()) {
    compare_norm(group, net, {.dtype = at::kDouble}, 1e-10);
    compare_norm(group, net, {}, 2e-5);
    compare_norm(group, net, {.own_kernels = false}, 2e-5);
  }
  for (const testing::NamedNet& net : testing::small_nets()) {
    for (const bool own_kernels : {true, false}) {
      compare_norm(group, net, {.bf16 = true, .own_kernels = own_kernels}, bf16_allowance(net.spec));
      compare_norm(group, net, {.bf16 = true, .own_kernels = own_kernels, .widen_bf16 = true}, bf16_allowance(net.spec));
    }
  }
}

void run_training(Group& group) {
  constexpr std::int64_t kClips = 6;
  for (const testing::NamedNet& net : testing::small_nets()) {
    Training alone(net.spec, {}), together(net.spec, {});
    Reducer reducer(group, together.leaves, 2048);
    expect(group.size() == 1 || reducer.buckets() > 1, net.name + ": one bucket only");
    for (std::uint64_t step = 0; step < 5; ++step) {
      const TensorMap inputs = testing::random_inputs(net.spec, kClips * group.size(), 100 + step);
      const double expected = alone.pass(inputs, 0, nullptr);
      alone.update(0.02);
      const TensorMap mine = part_of(inputs, group.rank(), group.size());
      const at::Tensor loss = at::full({1}, together.pass(mine, kClips * group.rank(), &group), at::kDouble);
      reducer.finish();
      together.update(0.02);
      group.all_reduce_sum(loss);
      expect_close(fmt::format("{}: loss of step {}", net.name, step), loss / group.size(),
                   at::full({1}, expected, at::kDouble), 1e-4);
      expect(group.size() == 1 || reducer.early_sums() > 0, net.name + ": no sum started before backward() was over");
    }
    expect_same_parameters(net.name + " after 5 steps", together, alone, 1e-3);
  }
}

at::Tensor leaf(std::int64_t size) { return at::zeros({size}, at::kFloat).set_requires_grad(true); }

// Ranks whose gradients differ in number, several backward() passes a step, and passes without sums.
void run_reducer(Group& group) {
  const int rank = group.rank(), size = group.size();
  const std::vector<at::Tensor> leaves{leaf(3), leaf(5), leaf(2), leaf(4)};
  Reducer reducer(group, leaves, 12);
  const auto all_equal = [](const at::Tensor& x, double value) { return x.defined() && x.eq(value).all().item<bool>(); };
  for (int step = 0; step < 3; ++step) {
    // The second on rank 0 alone, the third on none.
    at::Tensor sum = leaves[0].sum() * (rank + 1) + leaves[3].sum();
    if (rank == 0) sum = sum + leaves[1].sum() * size;
    sum.backward();
    reducer.finish();
    expect(all_equal(leaves[0].grad(), (size + 1) / 2.0), "the mean of 1 to N");
    expect(all_equal(leaves[1].grad(), 1), "a gradient that one rank has");
    expect(!leaves[2].grad().defined(), "a gradient that no rank has");
    expect(all_equal(leaves[3].grad(), 1), "a gradient that is the same everywhere");
    for (const at::Tensor& each : leaves) each.mutable_grad().reset();
  }
  reducer.set_enabled(false);
  (leaves[0].sum() * rank + leaves[2].sum()).backward();
  expect(all_equal(leaves[0].grad(), rank), "this rank's gradient");
  (leaves[0].sum() * rank).backward();
  reducer.set_enabled(true);
  (leaves[0].sum() + leaves[1].sum()).backward();
  reducer.finish();
  expect(all_equal(leaves[0].grad(), 1 + size - 1), "gradients of three passes");
  expect(all_equal(leaves[2].grad(), 1), "a gradient of the pass without sums");
  if (size > 1) {
    leaves[0].sum().backward();
    try {
      leaves[0].sum().backward();
      fail("a second backward() went unnoticed");
    } catch (const Error& error) {
      expect(std::string(error.what()).find("second backward()") != std::string::npos, error.what());
    }
    reducer.finish();
  }
}

[[noreturn]] void say_ready_and(const std::function<void()>& repeat) {
  std::puts("ready");
  std::fflush(stdout);
  while (true) repeat();
}

// Tells of every sum.
void run_endless(Group& group) {
  const at::Tensor x = at::ones({1000});
  say_ready_and([&] {
    group.all_reduce_sum(x.fill_(1));
    std::puts(".");
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
}

// Rank 1 comes to no collective; the others wait in one.
void run_one_computes(Group& group) {
  say_ready_and([&] {
    if (group.rank() != 1) group.barrier();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
}

void run_all_compute(Group& group) {
  say_ready_and([&] {
    group.check();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
}

// Clips without end; tells when it was asked for the second batch.
class EndlessClips final : public BatchSource {
 public:
  explicit EndlessClips(const net::NetSpec& spec, std::int64_t batches = 0) : batches_(batches) {
    batch_.inputs = testing::random_inputs(spec, 2, 5);
    batch_.labels = {0, 1};
    batch_.paths = {"a.mp4", "b.mp4"};
  }
  void start_epoch(std::int64_t) override { read_ = 0; }
  std::optional<data::Batch> next() override {
    if (batches_ > 0) return read_++ < batches_ ? std::optional(batch_) : std::nullopt;
    if (++read_ == 2) {
      std::puts("ready");
      std::fflush(stdout);
    }
    return batch_;
  }
  std::int64_t clips() const override { return batches_ > 0 ? 2 * batches_ : 1'000'000'000; }

 private:
  data::Batch batch_;
  std::int64_t batches_ = 0, read_ = 0;
};

TrainJob endless_job(Group& group) {
  TrainJob job;
  job.spec = testing::fusion_net();
  job.options.batch_size = 2;
  job.options.epochs = 1;
  job.options.threads = 1;
  job.group = &group;
  return job;
}

// The test part has no end: what training does between two steps.
void run_testing(Group& group) {
  const TrainJob job = endless_job(group);
  TensorMap weights = testing::random_weights(job.spec, 3);
  train_on(job, weights, {std::make_unique<EndlessClips>(job.spec, 2), nullptr, std::make_unique<EndlessClips>(job.spec)});
}

void run_features(Group& group) {
  TrainJob job = endless_job(group);
  job.options.freeze = {"rgb", "motion"};
  job.options.cache_views = 1;
  job.options.cache_gigabytes = 1e9;
  TensorMap weights = testing::random_weights(job.spec, 3);
  train_on(job, weights, {std::make_unique<EndlessClips>(job.spec), nullptr, nullptr});
}

void run_one_fails(Group& group) {
  if (group.rank() == 1) fail("the loss is nan in step 7");
  group.barrier();
}

void run_one_finishes(Group& group) {
  if (group.rank() != 1) group.barrier();
}

void run_different(Group& group) { group.require_same("the configuration", group.rank() == 1 ? "a = 2" : "a = 1"); }

int run_scenario(const std::string& name, const GroupOptions& options) {
  const std::map<std::string, std::function<void(Group&)>> scenarios{
      {"collectives", run_collectives}, {"norms", run_norms},           {"training", run_training},
      {"reducer", run_reducer},         {"endless", run_endless},       {"one_computes", run_one_computes},
      {"all_compute", run_all_compute}, {"one_fails", run_one_fails},   {"one_finishes", run_one_finishes},
      {"different", run_different},     {"testing", run_testing},       {"features", run_features},
  };
  std::unique_ptr<Group> group;
  try {
    group = Group::connect(options);
    scenarios.at(name)(*group);
    std::printf("rank %d of %d: done\n", group->rank(), group->size());
    return 0;
  } catch (const Error& error) {
    if (group) group->leave(error.what());
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  }
}

}  // namespace
}  // namespace actio::torch_train::distributed

int main(int argc, char** argv) {
  using namespace actio::torch_train;
  std::signal(SIGPIPE, SIG_IGN);  // as actio-train does: a rank that is gone is an error of writing
  set_thread_count(1);
  distributed::GroupOptions options;
  options.connect_timeout = std::chrono::seconds(60);
  if (argc > 2) options.silence_limit = std::chrono::seconds(std::stoi(argv[2]));
  if (argc > 3) options.connect_timeout = std::chrono::seconds(std::stoi(argv[3]));
  return distributed::run_scenario(argc > 1 ? argv[1] : "collectives", options);
}
