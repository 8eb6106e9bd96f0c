// training: what a training tells: lines on the terminal, a file of JSON lines, and TensorBoard's event files.
#pragma once

#include <chrono>
#include <fstream>
#include <memory>
#include <string>

#include "core/progress.h"
#include "training/event_file.h"
#include "training/train.h"

namespace actio::training {

Json record_json(training::EpochRecord record);

// Without what differs from run to run: the same training makes the same model file.
Json lasting_record(const Json& record);

// "epoch   3/40  rate 0.01  loss 0.5123  train  80.0 %  test  75.0 %  3.3 s, 14.6 clips/s, waiting 3 %"
std::string record_text(const training::EpochRecord& record, std::int64_t epochs);

// A failure to write is told once, as a warning; training goes on.
class TrainLog {
 public:
  // Empty paths: none. `first_step`: where a resumed training goes on. Throws: Error(kFailed) for files that cannot be made.
  TrainLog(const std::string& path, const std::string& tensorboard, std::int64_t first_step, const Json& config);

  void on_warning(WarnFn warn) { warn_ = std::move(warn); }
  void step(std::int64_t step, double loss, double learning_rate);
  void epoch(const training::EpochRecord& record);
  void flush();  // the steps so far

 private:
  void scalars(const training::EpochRecord& record);

  std::string path_;
  std::ofstream lines_;
  std::unique_ptr<training::EventFile> events_;
  std::int64_t step_ = 0;
  std::chrono::steady_clock::time_point flushed_ = std::chrono::steady_clock::now();
  WarnFn warn_;
};

}  // namespace actio::training
