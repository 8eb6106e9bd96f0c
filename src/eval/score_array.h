// eval: scores as arrays: NumPy's .npy, raw floats, and the text that names their rows. In: the bytes of files that are not
// trusted. Out: matrices and rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace actio::eval {

// NumPy's format, versions 1 to 3: little-endian f32 or f64 [N, C] in C order. f64 is rounded to f32.
// Throws: Error(kBadData) naming `source` and what differs.
Tensor parse_npy(std::string_view bytes, const std::string& source);

// scores: f32 [N, C]. Version 1.0.
std::string npy_bytes(const Tensor& scores);

// Little-endian f32, row after row. Throws: Error(kBadData) where the bytes are no whole number of columns for `rows` rows.
Tensor parse_raw(std::string_view bytes, std::int64_t rows, const std::string& source);

std::string raw_bytes(const Tensor& scores);

struct ScoreIndex {
  std::vector<std::string> paths;
  std::vector<std::int64_t> labels;
};

// "PATH LABEL" a line; the path may have blanks in it, the label is a class index, or -1 where it is not known.
// Throws: Error(kBadData) naming file, line and value; as data::read_list_file.
ScoreIndex read_score_index(const std::string& path);

// Throws: Error(kUsage) for a path that cannot stand on a line: with a line end, or with a blank at either end.
std::string score_index_text(const ScoreIndex& index, const std::string& path);

}  // namespace actio::eval
