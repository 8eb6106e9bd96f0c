// recognize: a long list of videos, answered into a file that the same call goes on with. In: a request. Out: how many there are, and how many failed.
#pragma once

#include <cstdint>
#include <string>

#include "core/hooks.h"
#include "recognize/recognizer.h"

namespace actio::recognize {

struct ArchiveRequest {
  std::string model, manifest, output;
  std::string shard = "1/1";  // "2/4": the second of four parts
  std::int64_t workers = 2;   // videos decoded ahead
  std::int64_t top = 5;       // classes of each answer
  bool retry_failed = false;  // ask again for the videos whose answer is an error
};

struct ArchiveOutcome {
  std::string file;
  std::int64_t videos = 0, done_before = 0, failed = 0;
};

// Every answer is in the file before the next video begins; the same call goes on after a kill.
// Throws: as parse_shard, read_manifest, check_output and ArchiveOutput; Error(kInterrupted) on hooks.stop, with how many are done.
ArchiveOutcome run_archive(const ArchiveRequest& request, const RecognizeOptions& options, const Hooks& hooks = {});

}  // namespace actio::recognize
