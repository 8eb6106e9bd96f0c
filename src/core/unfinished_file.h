// core: a file that somebody else's code writes, such as a video. In: its name, and what writes under a name that it is given. Out: the whole file or nothing.
#pragma once

#include <functional>
#include <string>

namespace actio {

// `write` gets a name beside `path` with the same ending; what it wrote is renamed to `path` at its end, and removed where it throws.
// Throws: what `write` throws; Error(kFailed) with the system's reason where it cannot be renamed.
void write_then_rename(const std::string& path, const std::function<void(const std::string& unfinished)>& write);

}  // namespace actio
