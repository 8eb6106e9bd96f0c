// training: a training's configuration with what the user changes in every row of a table. In: a staged TOML file as JSON, and
// changes. Out: the same with the changes where they belong.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"

namespace actio::training {

struct ConfigChange {
  std::string stage;  // empty: every stage
  std::string table;  // "network", "preprocess", "data" or "train"
  std::string key;
  Json value;
};

// "train.epochs=3", or "fusion:train.epochs=3" for one stage. Throws: Error(kUsage) naming the nearest table or option, or
// what the value must be; for an option that the tables compare, and for the seed, which has a flag of its own.
ConfigChange parse_change(const std::string& text);

// Those of a TOML file: its tables, and its [[stage]] tables, which change the stages of these names.
// Throws: Error(kUsage) as parse_change, naming `where`.
std::vector<ConfigChange> changes_of(const Json& file, const std::string& where);

// Whether both change one option of one stage, or of every stage.
bool is_same_option(const ConfigChange& a, const ConfigChange& b);

// "fusion:train.epochs = 3".
std::string change_text(const ConfigChange& change);

// Names of the stages, in their order. Throws: Error(kUsage) where there are none: `where` is the file.
std::vector<std::string> stage_names(const Json& config, const std::string& where);

// A change of every stage holds in all of them where the option means something: an option of some networks in the stages
// that have such a network, motion where there is some, kept features where parts are frozen. A change of one stage wins
// over those. `keep` stays as it is.
Json changed_config(Json config, const std::vector<ConfigChange>& changes, const std::vector<std::string>& keep);

// Flow files for the stages on flow: others refuse them.
void set_flow_cache(Json& config, const std::string& folder);

// What a stage says, else the file. Null where neither does.
Json effective(const Json& config, const Json& stage, const std::string& table, const std::string& key);

}  // namespace actio::training
