// eval: scores in and out. In: a CSV, or a NumPy array or raw floats with an index beside them. Out: a checked ScoreTable,
// and the same files. docs/formats.md describes them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "eval/score_table.h"

namespace actio::eval {

// By extension: ".csv", ".npy" or ".f32". `index` lists the rows of the latter two; empty: "STEM.index.txt" or
// "STEM_index.txt" beside the file. Throws: Error(kUsage) for another extension, Error(kFailed) for a missing file,
// Error(kBadData) naming file, place and both values.
ScoreTable read_scores(const std::string& path, const std::string& index = {});

// Writes each file anew or leaves the old one. Beside an array goes its index, "STEM.index.txt".
// Throws: Error(kUsage) for another extension and for names that the format cannot hold; as check_table and
// write_file_atomically.
void write_scores(const std::string& path, const ScoreTable& table);

// To be called before long work whose scores go to `path`. Throws: as write_scores would because of the names and counts in
// `table`.
void check_storable(const std::string& path, const ScoreTable& table);

// The files that write_scores would write. Throws: Error(kUsage) for another extension.
std::vector<std::string> score_files_of(const std::string& path);

// The files that read_scores would read. Throws: Error(kUsage) for another extension.
std::vector<std::string> score_sources_of(const std::string& path, const std::string& index = {});

}  // namespace actio::eval
