// training: the folders in which `actio train --folds` puts its folds. In: a fold's name. Out: its folder's.
#pragma once

#include <cctype>
#include <span>
#include <string>

#include "core/error.h"
#include "core/file.h"

namespace actio::training {

// A folder's name for any group's; names that differ only in what no folder should hold get different folders.
inline std::string fold_folder(const std::string& fold) {
  std::string text;
  for (const char c : fold) text += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '_';
  if (text == fold) return "fold_" + text;
  return fmt::format("fold_{}-{:08x}", text, content_hash64(std::as_bytes(std::span(fold))) & 0xffffffffU);
}

}  // namespace actio::training
