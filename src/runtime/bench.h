// runtime: how fast a network is. In: a network, settings. Out: what each setting takes, verified before it is timed, and in turn with the others.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/hooks.h"
#include "core/tensor.h"
#include "net/netspec.h"
#include "net/quantization.h"
#include "runtime/run_options.h"

namespace actio::runtime {

struct BenchRequest {
  std::vector<RunOptions> settings;  // the first is what the others are compared with
  TensorMap inputs;                  // of one clip; empty: random, and 8 bits with ranges of these
  double seconds = 3;                // of each setting, at least
  bool verify = true;                // by the reference backend, whose loops are naive
};

// Quarter, half and three quarters of the measurements.
struct Spread {
  double low = 0, median = 0, high = 0;
};

struct BenchRow {
  RunOptions setting;
  Precision precision = Precision::kF32;  // that is computed
  double error = 0;                       // largest difference of scores from the reference's, over the largest score; 0 where nothing was verified
  double compile_seconds = 0;
  Spread clip;                            // seconds
  Spread speed;                           // of the first setting's time over this one's, round by round
  double snippet_seconds = 0;             // of one snippet's plan, median
  double bare_seconds = 0;                // of a clip's convolutions, each by itself
  std::map<std::string, double> kinds;    // seconds of a clip's primitives, each by itself
  double gflops = 0;                      // two for each multiply-add
  TensorMap results;                      // of the inputs
};

struct BenchOutcome {
  std::string network;
  std::int64_t segments = 0, clip_multiply_adds = 0;
  std::vector<BenchRow> rows;
};

// Inputs of so many snippets, the same each time. Shape: f32 [rows, C, H, W] for each input of the network.
TensorMap noise_for(const net::NetSpec& spec, std::int64_t rows);

// How far scores may be off the reference's: rounding of f32, of bfloat16, and of 8 bits on a clip that is none of those that ranges were measured on.
double allowed_error(Precision precision);

// Throws: Error naming a setting whose scores are off by more than allowed_error(), before anything is timed; as CompiledNetwork::compile.
BenchOutcome bench(const net::NetSpec& spec, const TensorMap& weights, const net::Quantization& quantization, const BenchRequest& request,
                   const Hooks& hooks = {});

Json to_json(const BenchOutcome& outcome);
std::string text_of(const BenchOutcome& outcome);

}  // namespace actio::runtime
