// training: what TensorBoard shows of a training. In: numbers and text with their steps. Out: an event file, of which a folder
// may hold one per run of the program. No LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace actio::training {

// Writes events.out.tfevents.TIME.HOST.actio, a name after those of every event file in the folder, so that TensorBoard
// reads it last. What was flushed survives the death of the program; a record that was cut ends the reading of its file
// only.
//
// Nothing is written after a failure, so the caller hears of a full disk once and may go on.
// Threads: all members belong to one thread.
// Source: event.proto, summary.proto and tensor.proto of TensorBoard; record_writer of TensorFlow.
class EventFile {
 public:
  // Makes the folder and the file. A resumed run passes the first step that it repeats: TensorBoard then drops that step and
  // later ones of the folder's earlier files.
  // Throws: Error(kFailed) "PATH: cannot be written: " with the system's reason.
  explicit EventFile(const std::filesystem::path& folder, std::int64_t first_step = 0);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  // Kept in memory until flush(). Units: wall_time in seconds since 1970; without it, now. Bytes of a tag or text that are
  // not UTF-8 become \xNN.
  void scalar(std::string_view tag, double value, std::int64_t step, std::optional<double> wall_time = {});
  void text(std::string_view tag, std::string_view markdown, std::int64_t step);

  // To be called after the numbers of a step or an epoch. Throws: Error(kFailed), as above; the file then ends with its last
  // whole group.
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void open(const std::filesystem::path& folder);
  void event(std::int64_t step, double wall_time, std::string_view what);

  std::filesystem::path path_;
  int descriptor_ = -1;  // -1: a write has failed
  std::int64_t written_ = 0;
  std::string pending_;
};

}  // namespace actio::training
