#include "data/file_identity.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

namespace fs = std::filesystem;

namespace actio::data {

std::string file_identity(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return fmt::format("{}:{}", status.st_dev, status.st_ino);
  std::error_code code;
  const fs::path whole = fs::absolute(path, code);
  const fs::path real = fs::weakly_canonical(whole, code);  // the folders may be links
  return (code ? whole.lexically_normal() : real).string();
}

}  // namespace actio::data
