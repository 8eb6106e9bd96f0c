// training: a request to train as one JSON file, for a child process, a queue or another machine. In: a request. Out: the same.
#pragma once

#include <filesystem>

#include "training/request.h"

namespace actio::training {

// Files are named as the request names them: where the names are relative, they count from where the training is started.
// Throws: as write_request_json; Error(kUsage) for settings and tables of stages that no training could have.
void write_request(const std::filesystem::path& path, const TrainRequest& request);

// Throws: as read_request_json; Error(kUsage) for stages, as read_stages and resolve.
TrainRequest read_request(const std::filesystem::path& path);

}  // namespace actio::training
