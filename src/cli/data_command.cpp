#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <iterator>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "core/json_text.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/file.h"
#include "data/check_report.h"
#include "data/dataset.h"
#include "data/scan.h"
#include "data/synthetic.h"

namespace actio::cli {
namespace {

void add_synth(CLI::App& data) {
  struct Arguments {
    data::SynthesisOptions options;
    std::unique_ptr<OptionFlags> flags;
  };
  CLI::App& command = *data.add_subcommand("synth", "render order-sensitive clips: every action and its time reversal");
  auto a = std::make_shared<Arguments>();
  command.add_option("-o,--output", a->options.out, "the folder to fill; must be empty or new")->required();
  a->flags = std::make_unique<OptionFlags>(command);
  Fields fields = a->options.fields();
  std::erase_if(fields, [](const Field& field) { return field.name == "out"; });  // it is --output
  a->flags->add("synth", fields);
  a->flags->add_config();
  on_run(command, [a] {
    a->flags->apply();
    TerminalProgress progress;
    const data::SynthesisReport report = data::synthesise(a->options, progress.fn(), interrupt_token());
    progress.clear();
    std::puts(fmt::format("{} clips of {} classes ({} to train on, {} to test on), {} frames\n{}", report.clips,
                          report.classes.size(), report.train, report.test, report.frames, report.labels_csv)
                  .c_str());
    return 0;
  });
}

constexpr const char* kDataHelp =
    "a folder with one folder per class, also in train and val, a CSV, UCF101 or HMDB51 with their lists, or a list";

// File names may hold line ends and what moves the cursor.
std::string one_line(std::string text) {
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return text;
}

std::string count_text(std::int64_t count, const char* thing, const char* things) {
  return fmt::format("{} {}", count, count == 1 ? thing : things);
}

std::string heading(const data::Dataset& dataset) {
  return one_line(fmt::format("{}: layout {}, {}, {}{}", dataset.source, name_of(dataset.layout),
                              count_text(static_cast<std::int64_t>(dataset.classes.size()), "class", "classes"),
                              count_text(static_cast<std::int64_t>(dataset.items.size()), "clip", "clips"),
                              dataset.protocol.empty() ? "" : ", " + dataset.protocol));
}

data::Split split_of(const data::Dataset& dataset, const data::DatasetOptions& options) {
  return options.validation_share == 0 ? data::divide(dataset, options) : data::split_dataset(dataset, options);
}

struct ClassCount {
  std::string name;
  std::int64_t clips = 0, train = 0, validation = 0, test = 0;
};

// One row per class, and the sum.
std::vector<ClassCount> count_classes(const data::Dataset& dataset, const data::Split& split) {
  std::vector<ClassCount> rows;
  for (const std::string& name : dataset.classes) rows.push_back({name});
  rows.push_back({"all"});
  const auto count = [&](const std::vector<data::Item>& items, std::int64_t ClassCount::* number) {
    for (const data::Item& item : items) {
      for (ClassCount* row : {&rows[static_cast<std::size_t>(item.class_index)], &rows.back()}) ++(row->*number);
    }
  };
  count(dataset.items, &ClassCount::clips);
  count(split.train, &ClassCount::train);
  count(split.validation, &ClassCount::validation);
  count(split.test, &ClassCount::test);
  return rows;
}

// What is printed of a class besides its clips.
using Columns = std::vector<std::pair<const char*, std::int64_t ClassCount::*>>;

Columns columns_of(const data::Dataset& dataset, const data::DatasetOptions& options, const data::Split& split) {
  const bool divided = data::is_divided(dataset, options),
             validated = options.validation_share != 0 || !split.validation.empty();
  Columns columns;
  if (divided || validated) columns.emplace_back("train", &ClassCount::train);
  if (validated) columns.emplace_back("validation", &ClassCount::validation);
  if (divided) columns.emplace_back("test", &ClassCount::test);
  return columns;
}

std::string list_text(const data::Dataset& dataset, const std::vector<ClassCount>& rows, const Columns& columns) {
  std::size_t width = 5;
  for (const ClassCount& row : rows) width = std::max(width, row.name.size());
  std::string text = fmt::format("{}\n\n{:<{}}  {:>7}", heading(dataset), "class", width, "clips");
  for (const auto& [name, number] : columns) text += fmt::format("  {:>7}", name);
  text += "\n";
  for (const ClassCount& row : rows) {
    text += fmt::format("{:<{}}  {:>7}", one_line(row.name), width, row.clips);
    for (const auto& [name, number] : columns) text += fmt::format("  {:>{}}", row.*number, std::max<std::size_t>(7, std::strlen(name)));
    text += "\n";
  }
  return text;
}

Json list_json(const data::Dataset& dataset, const std::vector<std::string>& warnings, const std::vector<ClassCount>& rows,
               const Columns& columns) {
  Json json = {{"dataset", dataset.source}, {"layout", name_of(dataset.layout)},   {"protocol", dataset.protocol},
               {"classes", Json::array()},  {"ignored", dataset.ignored}, {"warnings", warnings}};
  for (const ClassCount& row : rows) {
    Json entry = {{"clips", row.clips}};
    for (const auto& [name, number] : columns) entry[name] = row.*number;
    if (&row == &rows.back()) {
      json.update(entry);
    } else {
      entry["name"] = row.name;
      json["classes"].push_back(entry);
    }
  }
  return json;
}

void add_list(CLI::App& data) {
  struct Arguments {
    std::string data;
    bool json = false;
    data::DatasetOptions options;
    std::unique_ptr<OptionFlags> flags;
  };
  CLI::App& command =
      *data.add_subcommand("list", "print the classes of a dataset and how many clips each has in which part");
  auto a = std::make_shared<Arguments>();
  command.add_option("DATA", a->data, kDataHelp)->required();
  command.add_flag("--json", a->json, "as JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->options);
  a->flags->add_config();
  on_run(command, [a] {
    a->flags->apply();
    const data::Dataset dataset = data::load_dataset(a->data, a->options);
    const data::Split split = split_of(dataset, a->options);
    const Columns columns = columns_of(dataset, a->options, split);
    const std::vector<ClassCount> rows = count_classes(dataset, split);
    std::vector<std::string> warnings = dataset.warnings;
    std::ranges::move(data::split_warnings(dataset, split), std::back_inserter(warnings));
    std::fputs(a->json ? (json_text(list_json(dataset, warnings, rows, columns), 2) + "\n").c_str()
                       : list_text(dataset, rows, columns).c_str(),
               stdout);
    if (!a->json) print_remarks(dataset.ignored, warnings);
    return 0;
  });
}

std::string findings_text(const data::ClipScan& clip, const data::Dataset& dataset) {
  std::vector<std::string> texts;
  for (const data::Finding& finding : clip.findings)
    texts.push_back(fmt::format("{}: {}", data::finding_name(finding.kind), finding.text));
  return one_line(fmt::format("{}  {}", dataset.items[clip.item].path, fmt::join(texts, "; "))) + "\n";
}

std::string scan_text(const data::ScanReport& report, const data::Dataset& dataset) {
  constexpr std::int64_t kShownRemarks = 20;
  std::string text = heading(dataset) + "\n\n";
  std::int64_t clean = 0, remarks = 0;
  std::string bad_lines, remark_lines;
  for (const data::ClipScan& clip : report.clips) {
    if (clip.findings.empty()) {
      clean += clip.scanned ? 1 : 0;
    } else if (clip.bad()) {
      bad_lines += findings_text(clip, dataset);
    } else if (++remarks <= kShownRemarks) {
      remark_lines += findings_text(clip, dataset);
    }
  }
  text += fmt::format("{:<26} {:>7}\n{:<26} {:>7}\n", "decoded clips", report.scanned(), "without a finding", clean);
  for (const data::FindingKind kind : data::kFindingKinds) {
    if (const std::int64_t count = report.count(kind); count > 0) {
      text += fmt::format("{:<26} {:>7}{}\n", data::finding_name(kind), count, data::is_bad(kind) ? "" : "  (remark)");
    }
  }
  if (!bad_lines.empty()) text += "\n" + bad_lines;
  if (!remark_lines.empty()) text += "\n" + remark_lines;
  if (remarks > kShownRemarks)
    text += fmt::format("and {} more clips with remarks only; --json has them all\n", remarks - kShownRemarks);
  return text;
}

struct ScanArguments {
  std::string data;
  std::string json;
  data::DatasetOptions dataset;
  data::ScanOptions scan;
  std::unique_ptr<OptionFlags> flags;
};

// What no single clip tells: actio data check.
void tell_check(const data::Dataset& dataset, const ScanArguments& a) {
  TerminalProgress progress;
  data::CheckOptions options;
  options.limits = a.scan.limits;
  const data::CheckReport report = data::check_dataset(dataset, a.dataset, options, progress.fn(), interrupt_token());
  progress.clear();
  throw_if_interrupted();
  std::fputs(fmt::format("\n{}", data::check_text(report, dataset)).c_str(), stdout);
}

int run_scan(ScanArguments& a) {
  a.flags->apply();
  const bool to_stdout = a.json == "-";
  if (!a.json.empty() && !to_stdout) check_writable(a.json);
  const data::Dataset dataset = data::load_dataset(a.data, a.dataset);
  print_remarks(dataset.ignored, dataset.warnings);
  TerminalProgress progress;
  const data::ScanReport report = data::scan_dataset(dataset, a.dataset, a.scan, progress.fn(), interrupt_token());
  progress.clear();
  if (to_stdout) {
    data::write_json(std::cout, report, dataset);
    std::cout.flush();
  } else {
    std::fputs(scan_text(report, dataset).c_str(), stdout);
    if (!a.json.empty())
      write_file_atomically(a.json, [&](std::ostream& stream) { data::write_json(stream, report, dataset); });
  }
  if (report.stopped) {
    throw Error(ErrorCode::kInterrupted,
                fmt::format("interrupted after {} of {} clips", report.scanned(), report.clips.size()));
  }
  if (!to_stdout) tell_check(dataset, a);
  return report.bad() > 0 ? static_cast<int>(ErrorCode::kBadData) : 0;
}

void add_scan(CLI::App& data) {
  CLI::App& command =
      *data.add_subcommand("scan", "decode every clip of a dataset and tell what is damaged, short, missing or there twice");
  auto a = std::make_shared<ScanArguments>();
  command.add_option("DATA", a->data, kDataHelp)->required();
  command.add_option("--json", a->json, "also write everything as JSON to this file; - prints it in place of the table")
      ->type_name("FILE");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->dataset);
  a->flags->add("scan", a->scan.fields());
  a->flags->add(a->scan.limits);
  a->flags->add_config();
  on_run(command, [a] { return run_scan(*a); });
}

void add_check(CLI::App& data) {
  struct Arguments {
    std::string data;
    bool json = false;
    data::DatasetOptions dataset;
    data::CheckOptions check;
    std::unique_ptr<OptionFlags> flags;
  };
  CLI::App& command =
      *data.add_subcommand("check", "tell what gives labels away without looking, which clips are there twice and which groups leak");
  auto a = std::make_shared<Arguments>();
  command.add_option("DATA", a->data, kDataHelp)->required();
  command.add_flag("--json", a->json, "as JSON, with the facts of every clip");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(a->dataset);
  a->flags->add("check", a->check.fields());
  a->flags->add(a->check.limits);
  a->flags->add_config();
  on_run(command, [a] {
    a->flags->apply();
    const data::Dataset dataset = data::load_dataset(a->data, a->dataset);
    TerminalProgress progress;
    const data::CheckReport report = data::check_dataset(dataset, a->dataset, a->check, progress.fn(), interrupt_token());
    progress.clear();
    print_remarks(dataset.ignored, dataset.warnings);
    print_warnings(report.warnings);
    throw_if_interrupted();
    const std::string text = a->json ? json_text(data::check_json(report, dataset), 1) + "\n"
                                     : fmt::format("{}\n\n{}", heading(dataset), data::check_text(report, dataset));
    std::fputs(text.c_str(), stdout);
    return report.found() ? static_cast<int>(ErrorCode::kBadData) : 0;
  });
}

}  // namespace

void add_data(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("data", "make and inspect datasets");
  command.require_subcommand(1);
  add_list(command);
  add_scan(command);
  add_check(command);
  add_synth(command);
}

}  // namespace actio::cli
