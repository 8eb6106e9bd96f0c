// What the golden tests need of Debian's Python: whether PyTorch is there, and runs of the scripts in tools/golden.
#pragma once

#include <string>
#include <vector>

namespace actio::testing {

bool python_has_torchvision();

// Runs tools/golden/SCRIPT with the arguments. Returns what it printed. Throws: Error with that text where it failed.
std::string run_golden_script(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace actio::testing
