#include "training/recipe/recipe_options.h"

namespace actio::training {

Fields RecipeOptions::fields() {
  return {
      {"recipe", &recipe,
       "What decides the settings that are left open: auto (the data, the machine and the first weights), quick (the same, for a first "
       "figure soon), paper (what the network's paper has), or a file that --config takes, such as MODEL.recipe.toml of an earlier training. "
       "With a --config, or with --network or --streams and no word of a recipe or of minutes, it is paper"},
      {"minutes", &minutes, "With recipe auto or quick: as many minutes as the whole training may take on this machine; 0: no limit", {}, 0, 1e6},
      {"check_data", &check_data, "With recipe auto or quick: tell what gives labels away without looking, as actio data check does"},
      {"allow_lost_clips", &allow_lost_clips,
       "Train although a class loses half of its clips or more, because they have no motion vectors or cannot be read"},
  };
}

}  // namespace actio::training
