// cli: option structs as flags and as tables of a TOML file, from their one list of fields. Flags win over the file.
#pragma once

#include <CLI/CLI.hpp>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/options.h"

namespace actio::cli {

class OptionFlags {
 public:
  explicit OptionFlags(CLI::App& app) : app_(app) {}

  // The fields become --name flags under the heading `table`, and the TOML table [table]. They must outlive this object.
  void add(const std::string& table, const Fields& fields);

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

  // Sets the fields of `tables` ({"train": {"epochs": 3}}), then the flags again, which win. Until the next overlay, was_set()
  // knows of these instead of those of the last overlay; the fields keep what nobody sets anew. Throws: Error(kUsage).
  void overlay(const Json& tables, const std::string& where);

  // Every table as TOML, each field with its help as a comment. What the user left open is commented out, for it may follow
  // from something else: the network's paper, or the first weights.
  std::string toml_text() const;

  // What the user set by flag or file: "network.segments".
  bool was_set(const std::string& field) const;
  // Of these, not by an overlay.
  bool was_set_before_overlay(const std::string& field) const { return set_before_overlay_.contains(field); }
  bool any_set() const { return !set_.empty(); }

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

  std::map<std::string, bool> set_;
  std::map<std::string, bool> set_before_overlay_;
  std::string config_;
  Json file_;
};

// "motion_length" -> "--motion-length".
std::string flag_name(const std::string& field);

}  // namespace actio::cli
