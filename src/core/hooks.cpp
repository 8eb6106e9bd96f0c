#include "core/hooks.h"

#include "core/error.h"

namespace actio {
namespace {

constexpr std::int64_t kShown = 10;

}  // namespace

FewWarnings::~FewWarnings() {
  if (count_ > kShown && warn_) warn_(fmt::format("and {} more like these", count_ - kShown));
}

void FewWarnings::add(const std::string& message) {
  if (++count_ <= kShown && warn_) warn_(message);
}

void FewWarnings::add(const std::vector<std::string>& messages) {
  for (const std::string& message : messages) add(message);
}

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kInterrupted, "interrupted");
}

}  // namespace actio
