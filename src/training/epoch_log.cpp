#include "training/epoch_log.h"

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace actio::training {
namespace {

constexpr std::chrono::seconds kFlushEvery{30};

}  // namespace

Json record_json(training::EpochRecord record) { return fields_to_json(record.fields()); }

Json lasting_record(const Json& record) {
  Json kept = record;
  for (const char* name : {"seconds", "wait_share", "clips_per_second"}) kept.erase(name);
  for (const char* name : {"validation_loss", "validation_top1", "test_top1"}) {
    if (kept.contains(name) && kept.at(name).get<double>() < 0) kept.erase(name);
  }
  return kept;
}

std::string record_text(const training::EpochRecord& r, std::int64_t epochs) {
  std::string text = fmt::format("epoch {:>3}/{}  rate {:.2g}  loss {:.4f}  train {:5.1f} %", r.epoch, epochs, r.learning_rate, r.loss,
                                 100 * r.train_top1);
  if (r.validation_top1 >= 0) text += fmt::format("  validation {:5.1f} %{}", 100 * r.validation_top1, r.best ? "*" : " ");
  text += r.test_top1 >= 0 ? fmt::format("  test {:5.1f} %", 100 * r.test_top1) : std::string(14, ' ');
  return text + fmt::format("  {:.1f} s, {:.1f} clips/s, waiting {:.0f} %", r.seconds, r.clips_per_second, 100 * r.wait_share);
}

TrainLog::TrainLog(const std::string& path, const std::string& tensorboard, std::int64_t first_step, const Json& config)
    : path_(path), step_(first_step) {
  if (!path.empty()) {
    lines_.open(path, std::ios::app);
    if (!lines_) fail("{}: cannot be written: {}", path, std::strerror(errno));
    lines_ << Json({{"config", config}}).dump() << std::endl;
  }
  if (tensorboard.empty()) return;
  events_ = std::make_unique<training::EventFile>(tensorboard, first_step == 0 ? 0 : first_step + 1);
  events_->text("configuration", fmt::format("```json\n{}\n```", config.dump(2)), first_step == 0 ? 0 : first_step + 1);
  events_->flush();
}

void TrainLog::step(std::int64_t step, double loss, double learning_rate) {
  step_ = step;
  if (!events_) return;
  events_->scalar("step/loss", loss, step);
  events_->scalar("step/learning_rate", learning_rate, step);
  if (std::chrono::steady_clock::now() - flushed_ > kFlushEvery) flush();
}

void TrainLog::flush() {
  if (!events_) return;
  flushed_ = std::chrono::steady_clock::now();
  try {
    events_->flush();
  } catch (const Error& error) {
    if (warn_) warn_(error.what());
  }
}

void TrainLog::scalars(const training::EpochRecord& r) {
  events_->scalar("train/loss", r.loss, step_);
  events_->scalar("train/top1", r.train_top1, step_);
  events_->scalar("train/gradient_norm", r.gradient_norm, step_);
  if (r.validation_top1 >= 0) {
    events_->scalar("validation/loss", r.validation_loss, step_);
    events_->scalar("validation/top1", r.validation_top1, step_);
  }
  if (r.test_top1 >= 0) events_->scalar("test/top1", r.test_top1, step_);
  events_->scalar("speed/clips_per_second", r.clips_per_second, step_);
  events_->scalar("speed/wait_share", r.wait_share, step_);
  events_->flush();
}

void TrainLog::epoch(const training::EpochRecord& record) {
  if (lines_.is_open()) {
    lines_ << record_json(record).dump() << std::endl;
    if (!lines_) {
      lines_.close();
      if (warn_) warn_(fmt::format("{}: cannot be written: {}; the log ends here", path_, std::strerror(errno)));
    }
  }
  if (!events_) return;
  try {
    scalars(record);
  } catch (const Error& error) {
    if (warn_) warn_(error.what());
  }
}

}  // namespace actio::training
