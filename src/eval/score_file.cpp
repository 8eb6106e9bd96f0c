#include "eval/score_file.h"

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "eval/score_array.h"
#include "eval/score_csv.h"

namespace fs = std::filesystem;

namespace actio::eval {
namespace {

std::string checked_extension(const std::string& path) {
  const std::string extension = fs::path(path).extension().string();
  if (extension != ".csv" && extension != ".npy" && extension != ".f32") {
    fail_usage("{}: scores are kept in .csv, .npy or .f32, not in '{}'", path, extension);
  }
  return extension;
}

std::string beside(const std::string& path, const char* ending) {
  return (fs::path(path).parent_path() / (fs::path(path).stem().string() + ending)).string();
}

std::string index_of(const std::string& path, const std::string& index) {
  if (!index.empty()) return index;
  std::error_code ignored;
  for (const char* ending : {".index.txt", "_index.txt"}) {
    if (fs::exists(beside(path, ending), ignored)) return beside(path, ending);
  }
  fail("{}: no list of its rows: neither {} nor {} is there", path, beside(path, ".index.txt"), beside(path, "_index.txt"));
}

}  // namespace

std::vector<std::string> score_files_of(const std::string& path) {
  if (checked_extension(path) == ".csv") return {path};
  return {path, beside(path, ".index.txt")};
}

std::vector<std::string> score_sources_of(const std::string& path, const std::string& index) {
  if (checked_extension(path) == ".csv") return {path};
  return {path, index_of(path, index)};
}

ScoreTable read_scores(const std::string& path, const std::string& index) {
  const std::string extension = checked_extension(path);
  ScoreTable table;
  if (extension == ".csv") {
    table = read_score_csv(path);
  } else {
    const std::string bytes = read_text_file(path);  // first, for a missing file has no index either
    const std::string list = index_of(path, index);
    ScoreIndex rows = read_score_index(list);
    const auto count = static_cast<std::int64_t>(rows.paths.size());
    table.source = path;
    table.scores = extension == ".npy" ? parse_npy(bytes, path) : parse_raw(bytes, count, path);
    if (table.clips() != count) fail_data("{}: {} rows of scores, but {} lists {} clips", path, table.clips(), list, count);
    table.paths = std::move(rows.paths);
    table.labels = std::move(rows.labels);
  }
  check_table(table);
  return table;
}

void check_storable(const std::string& path, const ScoreTable& table) {
  const std::string extension = checked_extension(path);
  check_table(table);
  if (extension == ".csv")
    csv_columns(table, path);
  else
    score_index_text({table.paths, table.labels}, path);
}

void write_scores(const std::string& path, const ScoreTable& table) {
  const std::string extension = checked_extension(path);
  check_table(table);
  if (extension == ".csv") return write_file_atomically(path, score_csv_text(table, path));
  write_file_atomically(beside(path, ".index.txt"), score_index_text({table.paths, table.labels}, path));
  write_file_atomically(path, extension == ".npy" ? npy_bytes(table.scores) : raw_bytes(table.scores));
}

}  // namespace actio::eval
