// data: whether two names lead to one file. In: a path. Out: a text that is equal for all names of a file.
#pragma once

#include <string>

namespace actio::data {

// By what the system says, so that links, hard links and absolute paths are seen through; of a file that is not there, its
// absolute path.
std::string file_identity(const std::string& path);

}  // namespace actio::data
