// training: runs the rows of a paper's table. In: tables, data and what the user changes. Out: a folder with the trainings, and
// reports.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/paper_table.h"
#include "eval/table_report.h"
#include "training/reproduce/row_config.h"
#include "training/reproduce/runner.h"

namespace actio::training {

struct ReproduceOptions {
  std::string data;
  std::string output;     // a folder
  std::string data_name;  // in the tables; empty: the file's and the filters
  data::DatasetOptions dataset;
  std::vector<Setting> data_options;    // the same as it was chosen
  std::string flow_cache;
  std::vector<std::int64_t> seeds = {1};
  std::string folds;              // as for `actio train`; empty: the official splits of the paper's table, or every group
  std::optional<data::ProtocolName> protocol;  // none: that of each row
  std::vector<std::string> init;  // files for every row, or "BACKBONE=FILE"
  std::vector<ConfigChange> changes;
  bool dry_run = false;  // commands are told instead of run
};

struct ReproduceHooks {
  std::function<Json(const std::string& name)> config;    // the staged configuration of that name. Throws: Error where there is none
  std::function<void(const std::string&)> note;           // lines on what is being done
  std::function<void(const std::string&)> command;        // of a dry run: a command that is still to run
  std::stop_token stop;
};

// In `output`: runs/CONFIG/seedN/ holds a training's folds, stages/ what trainings share, configs/ what they were configured
// by.
class Reproduction {
 public:
  // Throws: as load_dataset; Error(kUsage) for options that do not fit the data.
  Reproduction(ReproduceOptions options, Runner& runner, ReproduceHooks hooks);

  // Rows that are trained already are only read. A row that fails has its error in the report. `saved` is told after each
  // row. Throws: Error(kInterrupted).
  eval::TableReport run(const eval::PaperTable& table, const std::vector<std::string>& labels,
                        const std::function<void(const eval::TableReport&)>& saved);

 private:
  struct Training;  // a configuration with one seed

  eval::TableReport empty_report(const eval::PaperTable& table) const;
  Training training_of(const eval::PaperTable& table, const eval::PaperRow& row, const eval::PaperPart& part,
                       std::int64_t seed) const;
  std::vector<std::string> init_of(const Json& config) const;
  std::vector<std::string> folds_of(const eval::PaperTable& table) const;
  std::vector<std::string> paper_folds(const eval::PaperTable& table) const;
  std::vector<std::string> named_folds(const std::string& folds) const;
  std::string folds_flag(const std::vector<std::string>& folds) const;
  bool is_ready(const eval::PaperTable& table, const eval::PaperRow& row) const;
  bool is_trained(const Training& training) const;
  Json begin(const Training& training) const;
  void train(const Training& training);
  void evaluate(const Training& training, const std::string& fold, const eval::PaperPart& part);
  void obtain(const eval::PaperTable& table, const eval::PaperRow& row);
  eval::RowFigures figures_of(const eval::PaperTable& table, const eval::PaperRow& row) const;
  void report_row(const eval::PaperTable& table, bool chosen, eval::RowReport& row);

  ReproduceOptions options_;
  Runner& runner_;
  ReproduceHooks hooks_;
  data::Dataset dataset_;
  bool official_ = false;  // the data have official splits
  std::string clips_hash_;
  std::map<std::string, std::string> init_hashes_;  // by file
  std::map<std::string, std::string> attempts_;  // commands of this process, with why they failed; empty where they did not
};

}  // namespace actio::training
