// training: what a recipe is decided from. In: the clips, as they were looked at; the machine; first weights. Out: plain facts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/hooks.h"
#include "data/check.h"
#include "data/dataset.h"
#include "data/read_limits.h"

namespace actio::training {

struct DataFacts {
  std::int64_t clips = 0, groups = 0, classes = 0;  // to learn from
  std::int64_t validation = 0, tests = 0;            // clips to choose by, and to test on
  std::int64_t fewest_groups = 0;                    // of a class
  std::string fewest_class;                          // that has so few groups
  std::int64_t frames = 0;                           // of a clip; the median, as the next
  double seconds = 0;
  int width = 0, height = 0;
  std::int64_t without_vectors = 0;  // of all clips, those to test on too
  std::string codec_without;         // of the first of these
  double motion_bound = 0;           // pixels at a short side of 256 that 99 % of what moves stays below; 0: nothing was seen to move
};

struct MachineFacts {
  std::int64_t cores = 1;
  std::string instructions;  // "AVX2", "AVX-512 with bf16"
  bool bf16 = false;         // convolutions in bfloat16 pay
  bool cuda = false;         // there is a GPU, and a LibTorch that computes on it
  double gigabytes = 0;      // of memory
};

struct WeightFacts {
  bool any = false;
  bool moves = false;  // they have a motion stream
  std::string files;   // their names
};

// Of the clips that could be looked at. Reads motion vectors of a few dozen of them. Throws: Error(kInterrupted).
DataFacts facts_of(const data::CheckReport& report, const data::Dataset& dataset, const data::Split& split, const data::ReadLimits& limits,
                   const Hooks& hooks = {});

// `bf16` and `cuda` are the trainer's words on them.
MachineFacts machine_facts(bool bf16, bool cuda);

// Throws: as reading the files.
WeightFacts facts_of(const std::vector<std::string>& first_weights);

}  // namespace actio::training
