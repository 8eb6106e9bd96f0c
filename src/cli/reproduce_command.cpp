#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/child_runner.h"
#include "cli/commands.h"
#include "cli/embedded_configs.h"
#include "cli/interrupt.h"
#include "cli/option_flags.h"
#include "cli/run_command.h"
#include "cli/terminal_progress.h"
#include "core/error.h"
#include "core/file.h"
#include "core/json_text.h"
#include "core/toml_text.h"
#include "data/flow_cache.h"
#include "data/protocol.h"
#include "eval/table_list.h"
#include "recognize/row_speed.h"
#include "training/reproduce/row_network.h"
#include "training/reproduce/reproduction.h"

namespace actio::cli {
namespace {

struct ReproduceArguments {
  std::vector<std::string> tables;
  std::vector<std::string> rows, overrides;
  std::string protocol;
  training::ReproduceOptions options;
  data::FlowCacheOptions cache;
  bool list = false, json = false, speed = false;
  std::unique_ptr<OptionFlags> flags;
};

std::vector<eval::PaperTable> all_paper_tables() {
  std::vector<eval::PaperTable> tables;
  for (const EmbeddedConfig& config : embedded_configs()) {
    if (!config.path.starts_with("papers/")) continue;
    const std::string name = "configs/" + std::string(config.path);
    std::ranges::move(eval::read_paper_tables(parse_toml(config.text, name), name), std::back_inserter(tables));
  }
  return tables;
}

void check_rows(const ReproduceArguments& a, const std::vector<eval::PaperTable>& tables) {
  std::vector<std::string> labels;
  for (const eval::PaperTable& table : tables) {
    for (const eval::PaperRow& row : table.rows) labels.push_back(row.label);
  }
  for (const std::string& wanted : a.rows) {
    const auto names_it = [&](const eval::PaperTable& table) {
      return std::ranges::any_of(table.rows, [&](const eval::PaperRow& row) { return eval::is_label_of(wanted, row); });
    };
    if (!std::ranges::any_of(tables, names_it)) fail_usage("--row: {}", unknown_name_text("row", wanted, labels));
  }
}

std::vector<std::string> stages_of(const std::vector<eval::PaperTable>& tables) {
  std::vector<std::string> known;
  for (const eval::PaperTable& table : tables) {
    for (const eval::PaperRow& row : table.rows) {
      for (const eval::PaperPart& part : row.parts) {
        for (const EmbeddedConfig& config : embedded_configs()) {
          if (config.path != part.config) continue;
          for (const std::string& name : training::stage_names(parse_toml(config.text, part.config), part.config)) {
            if (std::ranges::find(known, name) == known.end()) known.push_back(name);
          }
        }
      }
    }
  }
  return known;
}

void check_stages(const std::vector<training::ConfigChange>& changes, const std::vector<std::string>& known, const std::string& where) {
  for (const training::ConfigChange& change : changes) {
    if (change.stage.empty() || std::ranges::find(known, change.stage) != known.end()) continue;
    fail_usage("{}: {}: {}", where, training::change_text(change), unknown_name_text("stage", change.stage, known));
  }
}

// A change of a stage that no row has would be lost without a word; one file may serve several tables.
void check_stages(const ReproduceArguments& a, const std::vector<eval::PaperTable>& tables, const std::vector<eval::PaperTable>& all) {
  std::vector<training::ConfigChange> overrides;
  for (const std::string& text : a.overrides) overrides.push_back(training::parse_change(text));
  check_stages(overrides, stages_of(tables), "--override");
  check_stages(a.options.changes, stages_of(all), a.flags->config_path());
}

// What was chosen of [data], for the trainer and for evaluation; the file that --config names is not passed on.
std::vector<Setting> data_options_of(const OptionFlags& flags, const Fields& fields) {
  std::vector<Setting> options;
  for (const Field& field : fields) {
    const std::string flag = "the flag " + flag_name(field.name);
    if (flags.chosen().has_name("data." + field.name)) options.push_back({"data", field.name, field_text(field), flag});
  }
  return options;
}

Json config_named(const std::string& name) {
  for (const EmbeddedConfig& config : embedded_configs()) {
    if (config.path == name) return parse_toml(config.text, "configs/" + name);
  }
  fail("configs/{}: is not part of this program", name);
}

void settle(ReproduceArguments& a) {
  a.flags->apply();
  a.options.flow_cache = a.cache.flow_cache;
  if (!a.options.flow_cache.empty()) {
    data::make_cache_folder(a.options.flow_cache);
    std::error_code code;
    const auto folder = std::filesystem::absolute(a.options.flow_cache, code);
    if (code) fail("{}: has no full name: {}", a.options.flow_cache, code.message());
    a.options.flow_cache = folder.string();
  }
  Json file = a.flags->file().is_object() ? a.flags->file() : Json::object();
  file.erase("data");  // is in the flags
  a.options.changes = training::changes_of(file, a.flags->config_path());
  for (const std::string& text : a.overrides) {
    const training::ConfigChange change = training::parse_change(text);
    std::erase_if(a.options.changes, [&](const training::ConfigChange& earlier) { return training::is_same_option(earlier, change); });
    a.options.changes.push_back(change);
  }
  a.options.data_options = data_options_of(*a.flags, a.options.dataset.fields());
  if (!a.protocol.empty()) a.options.protocol = value_named<data::ProtocolName>("protocol", a.protocol);
  if (a.options.seeds.empty()) fail_usage("--seeds: needs a seed");
  for (std::size_t i = 0; i < a.options.seeds.size(); ++i) {
    const auto rest = a.options.seeds.begin() + static_cast<std::ptrdiff_t>(i) + 1;
    if (std::find(rest, a.options.seeds.end(), a.options.seeds[i]) != a.options.seeds.end()) {
      fail_usage("--seeds: {} is given twice", a.options.seeds[i]);
    }
  }
}

void save(const ReproduceArguments& a, const eval::TableReport& report) {
  const std::filesystem::path folder = a.options.output;
  write_file_atomically(folder / (report.table.name + ".md"), eval::markdown_of(report));
  write_file_atomically(folder / (report.table.name + ".json"), json_text(eval::to_json(report), 2) + "\n");
}

int run_speed(const ReproduceArguments& a, const std::vector<eval::PaperTable>& tables) {
  std::vector<std::string> videos;
  for (const data::Item& item : data::load_dataset(a.options.data, a.options.dataset).items) videos.push_back(item.path);
  TerminalProgress progress;
  Json json = Json::array();
  for (const eval::PaperTable& table : tables) {
    const auto network = [&](const eval::PaperPart& part) {
      return training::untrained_model(config_named(part.config), a.options.changes, table.keep, 101, part.config);
    };
    const std::vector<recognize::RowSpeed> rows =
        recognize::measure_table(table, a.rows, network, videos, {.progress = progress.fn(), .warn = print_warning, .stop = interrupt_token()});
    progress.clear();
    if (a.json) json.push_back(recognize::to_json(table.name, rows));
    else std::puts(recognize::markdown_of(table.caption, rows).c_str());
  }
  if (a.json) std::puts(json_text(json, 2).c_str());
  return 0;
}

int run_reproduce(ReproduceArguments& a) {
  const std::vector<eval::PaperTable> all = all_paper_tables();
  if (a.tables.empty() && !a.list) fail_usage("reproduce needs the name of a table; 'actio reproduce --list' lists them");
  const std::vector<eval::PaperTable> tables = a.tables.empty() ? all : eval::choose_tables(all, a.tables);
  check_rows(a, tables);
  if (a.list) {
    std::fputs(eval::list_text(tables).c_str(), stdout);
    return 0;
  }
  if (a.options.data.empty()) fail_usage("reproduce needs --data: the videos");
  if (a.options.output.empty() && !a.speed) fail_usage("reproduce needs -o: the folder for the trainings and tables");
  settle(a);
  check_stages(a, tables, all);
  if (a.speed) return run_speed(a, tables);
  std::error_code code;
  std::filesystem::create_directories(a.options.output, code);
  if (code) fail("{}: cannot be made: {}", a.options.output, code.message());
  ChildRunner runner;
  training::Reproduction reproduction(a.options, runner,
                                      {.config = config_named,
                                       .note = print_note,
                                       .command = [](const std::string& command) { std::puts(command.c_str()); },
                                       .stop = interrupt_token()});
  Json json = Json::array();
  bool failed = false;
  for (const eval::PaperTable& table : tables) {
    const auto saved = [&](const eval::TableReport& report) {
      if (!a.options.dry_run) save(a, report);
    };
    const eval::TableReport report = reproduction.run(table, a.rows, saved);
    failed = failed || std::ranges::any_of(report.rows, [](const eval::RowReport& row) { return !row.error.empty(); });
    if (a.options.dry_run) continue;
    if (a.json)
      json.push_back(eval::to_json(report));
    else
      std::puts(eval::markdown_of(report).c_str());
    std::fflush(stdout);
  }
  if (a.json && !a.options.dry_run) std::puts(json_text(json, 2).c_str());
  return failed ? static_cast<int>(ErrorCode::kFailed) : 0;
}

}  // namespace

void add_reproduce(CLI::App& app) {
  CLI::App& command = *app.add_subcommand("reproduce", "train and test the rows of the papers' tables on your videos");
  auto a = std::make_shared<ReproduceArguments>();
  training::ReproduceOptions& options = a->options;
  command.add_option("TABLE", a->tables,
                     "stfn-1 to stfn-6, if-ttn-1 to if-ttn-6, all tables of a paper (stfn, if-ttn), or all");
  command.add_option("--data", options.data,
                     "a folder with one folder per class, a CSV, UCF101 or HMDB51 with their lists, or a list");
  command.add_option("-o,--output", options.output,
                     "the folder for the trainings and tables; the same command goes on there");
  command.add_flag("--list", a->list, "print the tables and how their rows are run, and exit");
  command.add_flag("--speed", a->speed, "train nothing: how many frames of the videos a second each row's networks go through, beside the paper's");
  command.add_flag("--dry-run", options.dry_run,
                   "print the commands that are still to run, and write the files that they name");
  command.add_option("--row", a->rows, "only this row, by its label; may be given several times")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("LABEL");
  command.add_option("--init", options.init, "first weights of the first stages: a file, or one for each backbone")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->delimiter(',')
      ->type_name("[BACKBONE=]FILE,...");
  command.add_option("--seeds", options.seeds, "train every row with each of these seeds [1]")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->delimiter(',')
      ->type_name("INT,...");
  command
      .add_option("--folds", options.folds,
                  "as for train; else the paper's splits of UCF101 and HMDB51, or every group in turn")
      ->type_name("all|NAME,...");
  command.add_option("--protocol", a->protocol,
                     "views of the test clips in every row, as for evaluate; else those that the table states for each row");
  command
      .add_option("--override", a->overrides, "change an option in every row, or with 'STAGE:' in the stages of that name")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("TABLE.KEY=VALUE");
  command.add_option("--data-name", options.data_name, "what the tables call the data [the file and its filters]");
  command.add_flag("--json", a->json, "print JSON");
  a->flags = std::make_unique<OptionFlags>(command);
  a->flags->add(options.dataset);
  a->flags->add(a->cache);
  for (const char* table : {"network", "preprocess", "train", "stage"}) a->flags->tolerate(table);  // changes of every row
  a->flags->add_config();
  on_run(command, [a] { return run_reproduce(*a); });
}

}  // namespace actio::cli
