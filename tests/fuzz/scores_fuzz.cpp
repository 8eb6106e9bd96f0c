// Score files. The first byte says which: 'c' a CSV; 'n' a NumPy array, 'r' raw floats, each behind the text that names its rows and a
// zero byte. What is read can be normalised and fused, and written and read again as the same.
#include <algorithm>
#include <cmath>

#include "eval/fusion.h"
#include "eval/score_array.h"
#include "eval/score_csv.h"
#include "fuzz/support.h"

namespace actio::eval {
namespace {

fuzz::MemoryFile& file() {
  static fuzz::MemoryFile kFile;
  return kFile;
}

ScoreTable read_csv_table(std::string_view text) {
  file().write(text);
  return read_score_csv(file().path());
}

ScoreTable read_array_table(std::string_view text, bool numpy) {
  file().write(fuzz::take_until(text, '\0'));
  ScoreIndex index = read_score_index(file().path());
  ScoreTable table;
  table.source = "scores";
  table.scores = numpy ? parse_npy(text, "scores") : parse_raw(text, static_cast<std::int64_t>(index.paths.size()), "scores");
  table.paths = std::move(index.paths);
  table.labels = std::move(index.labels);
  return table;
}

void require_equal(const Tensor& a, const Tensor& b, const char* what) {
  fuzz::require(a.shape() == b.shape(), what);
  fuzz::require(std::ranges::equal(a.values<float>(), b.values<float>()), what);
}

void fuse_with_itself(const ScoreTable& table) {
  const std::vector<ScoreTable> tables = align({labelled_rows(table), labelled_rows(table)}, {});
  for (const auto& [way, name] : kNames<Normalisation>) {
    const ScoreTable rows = normalised(tables[0], way);
    const ScoreTable fused = fuse({rows, normalised(tables[1], way)}, {0.5, 2});
    for (const float score : fused.scores.values<float>()) fuzz::require(!std::isnan(score), "fused scores are numbers");
  }
}

void write_again(const ScoreTable& table) {
  require_equal(parse_npy(npy_bytes(table.scores), "again"), table.scores, "an array is read as it was written");
  require_equal(parse_raw(raw_bytes(table.scores), table.clips(), "again"), table.scores, "floats are read as they were written");
  std::string text;
  if (!fuzz::takes([&] { text = score_csv_text(table, "again"); })) return;
  const ScoreTable again = read_csv_table(text);
  fuzz::require(again.paths == table.paths && again.labels == table.labels, "rows are read as they were written");
  require_equal(again.scores, table.scores, "a table is read as it was written");
}

}  // namespace
}  // namespace actio::eval

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  if (size == 0) return 0;
  std::string_view text = fuzz::text_of(data, size);
  const char kind = text[0];
  text.remove_prefix(1);
  eval::ScoreTable table;
  const bool taken = fuzz::takes([&] {
    table = kind == 'c' ? eval::read_csv_table(text) : eval::read_array_table(text, kind == 'n');
    eval::check_table(table);
  });
  if (!taken) return 0;
  eval::write_again(table);
  fuzz::takes([&] { eval::fuse_with_itself(table); });
  return 0;
}
