// cli: the files of configs/, which the program carries along. CMake writes the source (cmake/EmbedConfigs.cmake).
#pragma once

#include <span>
#include <string_view>

namespace actio::cli {

struct EmbeddedConfig {
  std::string_view path;  // below configs/: "stfn/table1_design_a.toml"
  std::string_view text;
};

std::span<const EmbeddedConfig> embedded_configs();

}  // namespace actio::cli
