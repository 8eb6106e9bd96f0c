// cli: option structs as flags and as tables of a TOML file, from their one list of fields. Flags win over the file.
#pragma once

#include <CLI/CLI.hpp>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/chosen.h"
#include "core/options.h"

namespace actio::cli {

class OptionFlags {
 public:
  explicit OptionFlags(CLI::App& app) : app_(app) {}

  // The fields become --name flags under the heading `table`, and the TOML table [table]. They must outlive this object.
  void add(const std::string& table, const Fields& fields);
  template <class Options>
  void add(Options& options) {
    add(std::string(Options::kTable), options.fields());
  }

  // A table that the file may hold for another command: it is not read.
  void tolerate(const std::string& table) { tolerated_.push_back(table); }

  // Tables of the file ([[table]]) that the command reads by itself, of options that flags win over; --print-config repeats them.
  void carry(const std::string& tables) {
    tolerate(tables);
    carried_.push_back(tables);
  }

  // Adds --config FILE, and --print-config, which prints what the flags and the file add up to. Call last.
  void add_config();

  // Reads the file, then the flags. Call after parsing, before the options are used. Throws: Error(kUsage).
  void apply();

  // What the file holds, tolerated tables too; empty without a file. After apply().
  const Json& file() const { return file_; }
  // Of --config; empty where there is none.
  const std::string& config_path() const { return config_; }

  // Sets the fields of `tables` ({"train": {"epochs": 3}}), then the flags again, which win. Throws: Error(kUsage).
  void overlay(const Json& tables, const std::string& where);

  // What the flags said, for those who read tables of the file by themselves.
  std::vector<Setting> settings() const;

  // Every table as TOML, each field with its help as a comment. What the user left open is commented out, for it may follow
  // from something else: the network's paper, or the first weights.
  std::string toml_text() const;

  // What the user chose by flag or file, also of tables by overlay().
  const Chosen& chosen() const { return chosen_; }

 private:
  struct Table {
    std::string name;
    Fields fields;
  };

  CLI::App& app_;
  std::deque<Table> tables_;
  std::vector<std::string> tolerated_, carried_;
  std::vector<std::pair<const Field*, std::string>> flags_;
  void read_tables(const Json& tables, const std::string& where);
  Json carried_tables() const;

  Chosen chosen_;
  std::string config_;
  Json file_;
};

}  // namespace actio::cli
