#include "eval/table_report.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>

#include "core/error.h"

namespace actio::eval {
namespace {

std::string figure_text(const std::optional<double>& figure) { return figure ? fmt::format("{:.1f}", *figure) : "-"; }

// Fit for a cell.
std::string cell(std::string text) {
  std::string safe;
  for (const char c : text) safe += c == '|' ? "\\|" : c == '\n' || c == '\r' ? " " : std::string(1, c);
  return safe;
}

std::string paper_text(const PaperRow& row, std::size_t column) {
  const std::string figure = figure_text(row.paper[column]);
  return row.with.empty() ? figure : fmt::format("{} ({} with {})", figure, figure_text(row.paper_with[column]), row.with);
}

// The row that the others are compared with.
const RowReport* reference_of(const TableReport& report) {
  const auto is_measured = [](const RowReport& row) { return row.ours.has_value(); };
  if (std::ranges::count_if(report.rows, is_measured) < 2) return nullptr;
  return &*std::ranges::find_if(report.rows, is_measured);
}

std::string above_text(const RowReport& row, const RowReport& reference) {
  std::vector<std::string> paper;
  for (std::size_t c = 0; c < row.row.paper.size(); ++c) {
    const auto& a = row.row.paper[c];
    const auto& b = reference.row.paper[c];
    paper.push_back(a && b ? fmt::format("{:+.1f}", *a - *b) : "-");
  }
  return fmt::format("{:+.1f} ({})", 100 * (row.ours->top1 - reference.ours->top1), fmt::join(paper, ", "));
}

bool has_speeds(const TableReport& report) {
  return std::ranges::any_of(report.rows, [](const RowReport& row) { return row.row.speed.has_value(); });
}

std::vector<std::string> header_of(const TableReport& report, const RowReport* reference) {
  std::vector<std::string> header = {"row"};
  for (const std::string& column : report.table.columns) header.push_back("paper: " + column);
  if (has_speeds(report)) header.push_back("paper: frames a second");
  header.insert(header.end(), {"ours", "95 % interval"});
  if (report.own_column) header.push_back("difference");
  if (reference != nullptr) header.push_back(fmt::format("above \"{}\": ours (paper)", reference->row.label));
  header.push_back("clips");
  return header;
}

std::vector<std::string> cells_of(const TableReport& report, const RowReport& row, const RowReport* reference) {
  std::vector<std::string> cells = {row.row.label};
  if (!row.row.note.empty()) cells[0] += ", " + row.row.note;
  for (std::size_t c = 0; c < row.row.paper.size(); ++c) cells.push_back(paper_text(row.row, c));
  if (has_speeds(report)) cells.push_back(row.row.speed ? fmt::format("{:g}", *row.row.speed) : "-");
  const std::size_t columns = header_of(report, reference).size();
  if (!row.ours) {
    const auto& [paper, ours, error] = row;
    cells.push_back(!paper.absent.empty() ? "absent: " + paper.absent : !error.empty() ? "failed: " + error : "not run");
    cells.resize(columns);
    return cells;
  }
  cells.push_back(fmt::format("{:.1f}", 100 * row.ours->top1));
  cells.push_back(fmt::format("{:.1f} to {:.1f}", 100 * row.ours->low, 100 * row.ours->high));
  if (report.own_column) {
    const auto& paper = row.row.paper[*report.own_column];
    cells.push_back(paper ? fmt::format("{:+.1f}", 100 * row.ours->top1 - *paper) : "-");
  }
  if (reference != nullptr) cells.push_back(above_text(row, *reference));
  cells.push_back(fmt::format("{}", row.ours->clips));
  return cells;
}

std::string line_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& text : cells) line += " " + cell(text) + " |";
  return line + "\n";
}

std::string interval_note(const TableReport& report) {
  for (const RowReport& row : report.rows) {
    if (!row.ours) continue;
    if (row.ours->seeds.size() == 1)
      return "The interval is Wilson's, for the test clips; it leaves out how trainings differ.";
    return fmt::format("Ours is the mean over {} seeds; the interval is that of the mean (Student's t), for the same clips.",
                       row.ours->seeds.size());
  }
  return {};
}

// Labels of the rows of which this holds, but for those that are not run.
std::string labels_where(const TableReport& report, const std::function<bool(const PaperRow&)>& holds) {
  std::vector<std::string> labels;
  for (const RowReport& row : report.rows) {
    if (row.row.absent.empty() && holds(row.row)) labels.push_back(row.row.label);
  }
  return fmt::format("{}", fmt::join(labels, ", "));
}

// How the rows were tested.
std::vector<std::string> recipe_notes(const TableReport& report) {
  std::string text = fmt::format("Protocol of the test clips: {}", name_of(report.table.protocol));
  std::set<std::string_view> others;
  for (const RowReport& row : report.rows) {
    if (row.row.absent.empty() && row.row.protocol != report.table.protocol) others.insert(name_of(row.row.protocol));
  }
  for (const std::string_view protocol : others) {
    text += fmt::format("; {} for {}", protocol,
                        labels_where(report, [&](const PaperRow& row) { return name_of(row.protocol) == protocol; }));
  }
  std::vector<std::string> notes = {text + "."};
  const std::string logits = labels_where(report, [](const PaperRow& row) { return row.average == Average::kLogits; });
  if (!logits.empty())
    notes.push_back(fmt::format("Scores before softmax are averaged, not probabilities, for {}.", logits));
  return notes;
}

Json figures_json(const PaperFigures& figures, const std::vector<std::string>& columns) {
  Json json = Json::object();
  for (std::size_t c = 0; c < columns.size(); ++c) json[columns[c]] = figures[c] ? Json(*figures[c]) : Json();
  return json;
}

Json ours_json(const RowFigures& ours) {
  Json json = {{"top1", ours.top1}, {"low", ours.low}, {"high", ours.high}, {"clips", ours.clips}, {"seeds", Json::array()}};
  for (const SeedFigures& seed : ours.seeds) {
    Json folds = Json::array();
    for (const GroupRow& fold : seed.folds)
      folds.push_back({{"fold", fold.group}, {"clips", fold.clips}, {"top1", fold.top1}});
    json["seeds"].push_back({{"seed", seed.seed},
                             {"top1", seed.top1},
                             {"low", seed.low},
                             {"high", seed.high},
                             {"mean_class_accuracy", seed.mean_class_accuracy},
                             {"folds", folds}});
  }
  return json;
}

}  // namespace

std::string markdown_of(const TableReport& report) {
  std::string text = fmt::format("# {}\n\n", report.table.caption);
  std::vector<std::string> paper;
  const std::string splits = report.table.splits == "1" ? " split 1" : " over three splits";
  for (const std::string& column : report.table.columns) paper.push_back(column + splits);
  text += fmt::format("Top-1 in %. Paper: {}; ours: {}.", fmt::join(paper, ", "), report.data);
  if (!report.own_column)
    text += " These are other data than the paper's: how rows differ can be compared, the figures cannot.";
  if (!report.changes.empty()) text += fmt::format("\nIn every row: {}.", fmt::join(report.changes, ", "));
  const RowReport* reference = reference_of(report);
  const std::vector<std::string> header = header_of(report, reference);
  text += "\n\n" + line_of(header) + line_of(std::vector<std::string>(header.size(), "---"));
  for (const RowReport& row : report.rows) text += line_of(cells_of(report, row, reference));
  std::vector<std::string> notes = recipe_notes(report);
  notes.insert(notes.end(), report.notes.begin(), report.notes.end());
  if (const std::string note = interval_note(report); !note.empty()) notes.insert(notes.begin(), note);
  if (!notes.empty()) text += fmt::format("\n{}\n", fmt::join(notes, "\n"));
  return text;
}

Json to_json(const TableReport& report) {
  Json json = {{"table", report.table.name},    {"caption", report.table.caption},   {"columns", report.table.columns},
               {"splits", report.table.splits}, {"protocol", name_of(report.table.protocol)}, {"data", report.data}};
  json["same_data"] = report.own_column ? Json(report.table.columns[*report.own_column]) : Json();
  json["changes"] = report.changes;
  json["notes"] = report.notes;
  json["rows"] = Json::array();
  for (const RowReport& row : report.rows) {
    Json entry = {{"label", row.row.label}, {"paper", figures_json(row.row.paper, report.table.columns)}};
    if (!row.row.with.empty()) {
      entry["paper_with"] = {{"what", row.row.with}, {"paper", figures_json(row.row.paper_with, report.table.columns)}};
    }
    if (row.row.speed) entry["paper_frames_per_second"] = *row.row.speed;
    if (!row.row.note.empty()) entry["note"] = row.row.note;
    if (row.row.absent.empty())
      entry.update({{"protocol", name_of(row.row.protocol)}, {"average", name_of(row.row.average)}});
    else
      entry["absent"] = row.row.absent;
    if (!row.error.empty()) entry["error"] = row.error;
    if (row.ours) entry["ours"] = ours_json(*row.ours);
    if (row.ours && report.own_column && row.row.paper[*report.own_column]) {
      entry["difference"] = row.ours->top1 - *row.row.paper[*report.own_column] / 100;
    }
    json["rows"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace actio::eval
