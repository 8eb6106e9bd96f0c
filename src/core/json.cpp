#include "core/json.h"

#include "core/error.h"

namespace actio {
namespace {

constexpr int kDeepest = 100;

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
  const auto check_depth = [&](int depth, Json::parse_event_t, const Json&) {
    if (depth > kDeepest) fail_data("{} is nested deeper than {}", what, kDeepest);
    return true;
  };
  try {
    return Json::parse(text, check_depth);
  } catch (const Json::parse_error& error) {
    fail_data("{} is not JSON: error at byte {}", what, error.byte);
  } catch (const Json::out_of_range&) {
    fail_data("{} holds a number that is too large", what);
  }
}

}  // namespace actio
