// data: the facts of many files as columns that distances can be taken in. In: facts. Out: columns of one scale.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/file_facts.h"

namespace actio::data {

struct FactColumn {
  bool category = false;      // values are names by number, equal or not
  std::vector<float> values;  // of each clip; else standardised; NaN where unknown
};

struct Fact {
  std::string name;         // "frame size"
  bool of_content = false;  // a codec's answer to what is shown, too: other actions need other bits
  std::vector<FactColumn> columns;
};

// Those that differ between any two of the files.
std::vector<Fact> fact_table(std::span<const FileFacts* const> files);

// Numbers that grow by factors are taken by their logarithm where that makes them less skewed. Then the median becomes 0 and
// the middle half of a normal distribution the same as one of standard deviation 1; outliers end at 4. NaN stays.
std::vector<float> standardised(std::vector<double> values);

// Squared, mean over the columns. Two names that differ are as far apart as two random numbers are on average.
float distance(const Fact& fact, std::size_t a, std::size_t b);

}  // namespace actio::data
