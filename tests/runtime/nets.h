// Small networks of the kinds that actio builds, for the tests of whole networks.
#pragma once

#include "net/builder.h"

namespace actio::testing {

// Scores of each snippet, their mean over the segments, softmax.
inline net::NetSpec small_tsn(std::int64_t segments) {
  net::Builder b("small_tsn", segments);
  const net::Value x = b.input("rgb", {3, 15, 13});
  const net::Value c = b.relu(
      "relu1", b.batch_norm("bn1", b.conv2d("conv1", x,
                                            {.channels = 12, .kernel = 3, .stride = 2, .padding = net::same_padding(1)})));
  const net::Value d = b.conv2d("conv2", c, {.channels = 12, .kernel = 3, .padding = net::same_padding(1)});
  const net::Value r = b.relu("relu2", b.apply(net::Op::kAdd, "add", {d, c}));
  const net::Value pooled = b.dropout("dropout", b.apply(net::Op::kGlobalAvgPool, "pool", {r}), 0.5);
  const net::Value scores = b.apply(net::Op::kSegmentMean, "consensus", {b.linear("fc", pooled, 5)});
  b.head("rgb", scores);
  return b.finish(scores, b.apply(net::Op::kSoftmax, "output", {scores}));
}

// Two streams, attention between them, a third stream that runs on the differences of neighbours at two depths.
inline net::NetSpec small_if_ttn(std::int64_t segments) {
  net::Builder b("small_if_ttn", segments);
  const auto block = [&](const std::string& name, const net::Value& x, std::int64_t channels, std::int64_t stride) {
    return b.relu(
        name + ".relu",
        b.batch_norm(name + ".bn",
                     b.conv2d(name + ".conv", x,
                              {.channels = channels, .kernel = 3, .stride = stride, .padding = net::same_padding(1)})));
  };
  const auto head = [&](const std::string& name, const net::Value& x) {
    const net::Value pooled = b.dropout(name + ".dropout", b.apply(net::Op::kGlobalAvgPool, name + ".pool", {x}), 0.8);
    const net::Value scores = b.apply(net::Op::kSegmentMean, name + ".consensus", {b.linear(name + ".fc", pooled, 6)});
    b.head(name, scores);
    return scores;
  };
  const auto fuse = [&](const std::string& name, const net::Value& a, const net::Value& m) {
    return b.apply(net::Op::kAdd, name + ".sum", {a, b.apply(net::Op::kMul, name + ".mul", {a, m})});
  };
  const net::Value rgb1 = block("rgb.1", b.input("rgb", {3, 16, 16}), 16, 1),
                   motion1 = block("motion.1", b.input("motion", {4, 16, 16}), 16, 1);
  const net::Value rgb2 = block("rgb.2", rgb1, 20, 2), motion2 = block("motion.2", motion1, 20, 2);
  const net::Value first = b.apply(net::Op::kSegmentDiff, "diff1", {fuse("ifm1", rgb1, motion1)});
  const net::Value second = b.apply(net::Op::kSegmentDiff, "diff2", {fuse("ifm2", rgb2, motion2)});
  const net::Value merged = b.apply(net::Op::kAdd, "merge", {block("ttn.2", first, 20, 2), second});
  const net::Value rgb = head("rgb", rgb2), motion = head("motion", motion2),
                   ttn = head("ttn", block("ttn.3", merged, 24, 2));
  const net::Value scores = b.weighted_sum("scores", {rgb, motion, ttn}, {1, 1, 1}, false);
  return b.finish(scores, b.apply(net::Op::kSoftmax, "output", {scores}));
}

// Features of the segments as sequences, convolutions over time with kernels of 2 to 5, averaged probabilities.
inline net::NetSpec small_stfn(std::int64_t segments) {
  net::Builder b("small_stfn", segments);
  const auto features = [&](const std::string& name, std::int64_t channels) {
    const net::Value x = b.input(name, {channels, 9, 9});
    const net::Value c = b.relu(name + ".relu", b.conv2d(name + ".conv", x, {.channels = 16, .kernel = 3, .bias = true}));
    return b.apply(net::Op::kSegmentStack, name + ".stack", {b.apply(net::Op::kGlobalAvgPool, name + ".pool", {c})});
  };
  const auto branch = [&](const std::string& name, const net::Value& x, std::int64_t kernel, std::int64_t channels) {
    net::Conv conv{.channels = channels, .kernel = kernel};
    conv.padding.left = (kernel - 1) / 2;
    conv.padding.right = kernel - 1 - conv.padding.left;
    return b.batch_norm(name + ".bn", b.conv1d(name, x, conv));
  };
  const auto res_inc = [&](const std::string& name, const net::Value& x) {
    std::vector<net::Value> branches;
    for (std::int64_t kernel = 2; kernel <= 5; ++kernel) {
      const std::string own = name + ".k" + std::to_string(kernel);
      branches.push_back(b.relu(own + ".relu", branch(own, x, kernel, 4)));
    }
    const net::Value joined = b.apply(net::Op::kConcat, name + ".concat", branches);
    return b.relu(name + ".out", b.apply(net::Op::kAdd, name + ".sum", {joined, branch(name + ".skip", x, 2, 16)}));
  };
  const auto head = [&](const std::string& name, const net::Value& x) {
    return b.apply(net::Op::kSoftmax, name + ".softmax",
                   {b.linear(name + ".fc", b.apply(net::Op::kTimeMean, name + ".mean", {x}), 5)});
  };
  const net::Value a = res_inc("a.1", features("rgb", 3)), m = res_inc("m.1", features("motion", 6));
  const net::Value fused = b.weighted_sum("fused", {a, m}, {0.5, 0.5}, false);
  const net::Value output =
      b.weighted_sum("output", {head("a", res_inc("a.2", fused)), head("m", res_inc("m.2", fused))}, {0.5, 0.5}, false);
  b.head("both", output, net::HeadLoss::kNll);
  return b.finish(output, output);
}

}  // namespace actio::testing
