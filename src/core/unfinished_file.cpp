#include "core/unfinished_file.h"

#include <unistd.h>

#include <filesystem>

#include "core/error.h"

namespace actio {

void write_then_rename(const std::string& path, const std::function<void(const std::string& unfinished)>& write) {
  const std::filesystem::path target(path);
  const std::string name = fmt::format("{}.{}.partial{}", target.stem().string(), ::getpid(), target.extension().string());
  const std::string unfinished = (target.parent_path() / name).string();
  const auto remove = [&] {
    std::error_code ignored;
    std::filesystem::remove(unfinished, ignored);
  };
  try {
    write(unfinished);
    std::error_code code;
    std::filesystem::rename(unfinished, target, code);
    if (code) fail("{}: cannot be written: {}", path, code.message());
  } catch (const Error& error) {
    remove();
    std::string text = error.what();
    const std::size_t at = text.find(unfinished);
    if (at != std::string::npos) text.replace(at, unfinished.size(), path);  // the name that the user knows
    throw Error(error.code(), text);
  } catch (...) {
    remove();
    throw;
  }
}

}  // namespace actio
