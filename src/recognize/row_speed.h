// recognize: how many frames of video a second the networks of a table's row go through, from the file to the answer. In: networks, videos. Out: a
// figure beside the paper's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/hooks.h"
#include "core/options.h"
#include "eval/paper_table.h"
#include "net/model_file.h"

namespace actio::recognize {

// Counted as IF-TTN's table 5 does: all frames of the videos a second, though a network looks at a few of them.
struct FrameRate {
  std::int64_t videos = 0, frames = 0;  // those that could be read
  std::int64_t failed = 0;              // videos that could not
  double seconds = 0;                   // of every network of the row, one after the other
  double rate() const { return seconds > 0 ? static_cast<double>(frames) / seconds : 0; }
};

struct RowSpeed {
  std::string label;
  std::optional<double> paper;  // frames a second
  std::optional<FrameRate> f32, int8;
  std::string error;  // why there are none
};

// One view of each video, as many networks at a time as there are cores; the first video is recognised once before the clock starts. 8 bits take the
// ranges of the first videos: the weights may be untrained, which count for speed alone.
// Throws: Error(kBadData) where no video can be read, naming the first and why; Error(kInterrupted) on hooks.stop.
RowSpeed measure_row(const eval::PaperRow& row, std::span<const net::Model> networks, std::span<const std::string> videos, const Hooks& hooks = {});

// The rows of a table that have these labels, or all. `network` gives what a part of a row is run as. A row that fails has its error. Throws: Error(kInterrupted).
std::vector<RowSpeed> measure_table(const eval::PaperTable& table, const std::vector<std::string>& labels,
                                    const std::function<net::Model(const eval::PaperPart&)>& network, std::span<const std::string> videos, const Hooks& hooks = {});

// A table of Markdown, the machine below it.
std::string markdown_of(const std::string& caption, std::span<const RowSpeed> rows);
Json to_json(const std::string& table, std::span<const RowSpeed> rows);

}  // namespace actio::recognize
