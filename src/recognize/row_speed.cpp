#include "recognize/row_speed.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "core/cores.h"
#include "core/error.h"
#include "recognize/range_meter.h"
#include "recognize/recognize_all.h"

namespace actio::recognize {
namespace {

constexpr std::size_t kToMeasure = 8;  // videos whose values tell the ranges

net::Ranges ranges_of(const net::Model& network, std::span<const std::string> videos, RecognizeOptions options, const Hooks& hooks) {
  options.run.precision = runtime::Precision::kF32;
  options.keep = runtime::values_to_measure(network.spec);
  const Recognizer recognizer(network, network.spec.name, options);
  std::map<std::string, RangeMeter> meters;
  const auto add = [&](std::size_t, const Answer& answer) {
    const auto* recognition = std::get_if<Recognition>(&answer);
    if (recognition == nullptr) return;
    for (const TensorMap& view : recognition->kept) {
      for (const auto& [name, values] : view) meters[name].add(values);
    }
  };
  recognize_all(recognizer, videos.first(std::min(kToMeasure, videos.size())), add, 1, {.progress = {}, .warn = {}, .stop = hooks.stop});
  net::Ranges ranges;
  for (const auto& [name, meter] : meters) ranges[name] = meter.range();
  return ranges;
}

void add_time(FrameRate& rate, const net::Model& network, std::span<const std::string> videos, const RecognizeOptions& options, const Hooks& hooks) {
  const Recognizer recognizer(network, network.spec.name, options);
  std::int64_t frames = 0, read = 0;
  std::string why;
  const auto count = [&](std::size_t, const Answer& answer) {
    if (const auto* error = std::get_if<Error>(&answer)) {
      if (why.empty()) why = error->what();
      return;
    }
    frames += std::get<Recognition>(answer).frames;
    ++read;
  };
  recognize_all(recognizer, videos.first(1), [](std::size_t, const Answer&) {}, 1, {.progress = {}, .warn = {}, .stop = hooks.stop});
  const auto start = std::chrono::steady_clock::now();
  recognize_all(recognizer, videos, count, recognizer.at_once(), hooks);
  rate.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (read == 0) fail_data("none of {} videos can be read: {}", videos.size(), why);
  rate.frames = frames;
  rate.videos = read;
  rate.failed = static_cast<std::int64_t>(videos.size()) - read;
}

std::string figure(const std::optional<FrameRate>& rate) { return rate ? fmt::format("{:.0f}", rate->rate()) : "-"; }

Json rate_json(const std::optional<FrameRate>& rate) {
  if (!rate) return nullptr;
  return {{"frames_per_second", rate->rate()}, {"videos", rate->videos}, {"failed", rate->failed}, {"frames", rate->frames}, {"seconds", rate->seconds}};
}

}  // namespace

RowSpeed measure_row(const eval::PaperRow& row, std::span<const net::Model> networks, std::span<const std::string> videos, const Hooks& hooks) {
  RecognizeOptions options;
  options.at_once = static_cast<std::int64_t>(videos.size());
  FrameRate f32, int8;
  for (const net::Model& network : networks) {
    options.run.precision = runtime::Precision::kF32;
    add_time(f32, network, videos, options, hooks);
    net::Model measured = network;
    measured.quantization.ranges = ranges_of(network, videos, options, hooks);
    options.run.precision = runtime::Precision::kInt8;
    add_time(int8, measured, videos, options, hooks);
  }
  return {.label = row.label, .paper = row.speed, .f32 = f32, .int8 = int8, .error = ""};
}

std::vector<RowSpeed> measure_table(const eval::PaperTable& table, const std::vector<std::string>& labels,
                                    const std::function<net::Model(const eval::PaperPart&)>& network, std::span<const std::string> videos, const Hooks& hooks) {
  std::vector<RowSpeed> rows;
  for (const eval::PaperRow& row : table.rows) {
    const auto names_it = [&](const std::string& label) { return eval::is_label_of(label, row); };
    if (!labels.empty() && std::ranges::none_of(labels, names_it)) continue;
    try {
      std::vector<net::Model> networks;
      for (const eval::PaperPart& part : row.parts) networks.push_back(network(part));
      rows.push_back(networks.empty() ? RowSpeed{row.label, row.speed, {}, {}, row.absent} : measure_row(row, networks, videos, hooks));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kInterrupted) throw;
      rows.push_back({row.label, row.speed, {}, {}, error.what()});
    }
  }
  return rows;
}

std::string markdown_of(const std::string& caption, std::span<const RowSpeed> rows) {
  std::string text = fmt::format("### {}\n\n| row | paper, a GPU | here, f32 | here, 8 bits |\n|---|---|---|---|\n", caption);
  const RowSpeed* measured = nullptr;
  for (const RowSpeed& row : rows) {
    const std::string paper = row.paper ? fmt::format("{:g}", *row.paper) : "-";
    text += row.error.empty() ? fmt::format("| {} | {} | {} | {} |\n", row.label, paper, figure(row.f32), figure(row.int8))
                              : fmt::format("| {} | {} | {} | |\n", row.label, paper, row.error);
    if (row.f32) measured = &row;
  }
  text += "\nFrames of video a second, all of them counted, from the file to the answer: decoding, motion, network.\n";
  if (measured != nullptr) {
    if (measured->f32->failed > 0) text += fmt::format("{} videos could not be read and count for nothing.\n", measured->f32->failed);
    text += fmt::format("Ours: {} videos of {} frames, one view each, untrained weights; {}, {} core{}.\n", measured->f32->videos, measured->f32->frames,
                        runtime::processor_text(), core_count(), core_count() == 1 ? "" : "s");
  }
  return text;
}

Json to_json(const std::string& table, std::span<const RowSpeed> rows) {
  Json list = Json::array();
  for (const RowSpeed& row : rows) {
    list.push_back({{"label", row.label}, {"paper_frames_per_second", row.paper ? Json(*row.paper) : Json()}, {"f32", rate_json(row.f32)}, {"int8", rate_json(row.int8)}});
    if (!row.error.empty()) list.back()["error"] = row.error;
  }
  return {{"table", table}, {"processor", runtime::processor_text()}, {"cores", core_count()}, {"rows", std::move(list)}};
}

}  // namespace actio::recognize
