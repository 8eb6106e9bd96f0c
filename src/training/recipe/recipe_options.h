// training: what a user says of how a training is chosen for the data. In: flags and TOML. Out: a filled struct.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/options.h"

namespace actio::training {

// Names of recipes that are no files.
inline constexpr std::string_view kAutoRecipe = "auto", kQuickRecipe = "quick", kPaperRecipe = "paper";

struct RecipeOptions {
  static constexpr std::string_view kTable = "recipe";

  std::string recipe{kAutoRecipe};  // or quick, paper, or a TOML file
  double minutes = 0;               // of the whole training, that auto and quick are to stay below; 0: no limit
  bool check_data = true;           // auto and quick look at every clip for what makes its figures doubtful
  bool allow_lost_clips = false;    // a class may lose most of its clips

  Fields fields();
};

}  // namespace actio::training
