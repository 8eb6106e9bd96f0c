#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "openvino/lower.h"

namespace actio::openvino {

// OpenVINO writes "Exception from FILE:LINE:" and "Check 'CONDITION' failed at FILE:LINE:" before what it means, on lines of their own.
std::string message_of(const std::exception& error) {
  std::string text;
  std::string_view rest = error.what();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t first = line.find_first_not_of(" \t"), last = line.find_last_not_of(" \t");
    if (first == std::string_view::npos) continue;
    line = line.substr(first, last - first + 1);
    if (line.starts_with("Exception from ") || line.starts_with("Check '")) continue;
    text += text.empty() ? "" : " ";
    text += line;
  }
  return text.empty() ? "no reason given" : text;
}

}  // namespace actio::openvino
