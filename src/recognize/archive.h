// recognize: answers to the videos of a long list, a line of JSON each, which survive a kill. In: a line per video. Out: a file that is
// there when all videos are done, and "FILE.partial" before that. Beside a file with answers that are errors lies "FILE.job", which
// says what they depend on, so that those can be asked again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/digest_set.h"
#include "core/options.h"

namespace actio::recognize {

// Shard i of n, from 1: every n-th video, beginning with the i-th.
struct Shard {
  std::int64_t index = 1, count = 1;
};

// "2/4". Throws: Error(kUsage) for anything else.
Shard parse_shard(const std::string& text);

// "out.jsonl" of shard 2 of 4 is "out.2-of-4.jsonl"; one shard keeps the name.
std::string shard_file(const std::string& output, const Shard& shard);

// A path a line; empty lines and those that begin with # are left out. Relative paths count from the file.
// Throws: Error(kBadData) without a path, and for one that occurs twice, naming both lines; "a.avi" and "/dir/a.avi" are one where the
// file lies in /dir.
std::vector<std::string> read_manifest(const std::string& path);

class ArchiveOutput {
 public:
  // `job` is what the answers depend on. A partial file of the same job is continued: what a kill cut off its end is dropped.
  // With `retry_failed`, videos whose answer is an error are not done, also those of a file that was whole already; a new answer takes
  // the place of the error.
  // Throws: Error(kUsage) where the partial or whole file is of another job, naming what differs; Error(kFailed) where it cannot be
  // written.
  ArchiveOutput(const std::string& path, const Json& job, bool retry_failed = false);
  ~ArchiveOutput();
  ArchiveOutput(const ArchiveOutput&) = delete;
  ArchiveOutput& operator=(const ArchiveOutput&) = delete;

  const DigestSet& done() const { return done_; }  // videos that have an answer already
  std::int64_t failed() const { return static_cast<std::int64_t>(failed_.size()); }  // videos whose last answer is an error

  // Throws: Error(kFailed) where it cannot be written; the lines before stay.
  void add(const std::string& video, const Json& answer);

  // Makes the file whole: flushes it to the disk, gives it its name.
  void finish();

 private:
  void open();
  void begin_with_whole_file();
  void take(const std::string& line, std::int64_t number, std::int64_t offset);
  void count(const std::string& video, const Json& answer, std::int64_t offset);
  void write(const std::string& text);
  void copy_answers(std::ostream& stream) const;

  std::string path_, partial_, job_path_;
  Json job_;
  bool retry_failed_ = false;
  int descriptor_ = -1;
  std::int64_t first_line_ = 0;  // bytes of the line that tells the job
  DigestSet done_;  // lists are long: no names
  std::map<Digest, std::int64_t> failed_;  // of the video -> where the line of its error begins
  std::set<std::int64_t> replaced_;        // where lines begin that a later answer takes the place of
  std::int64_t written_ = 0;               // bytes of the partial file
};

}  // namespace actio::recognize
