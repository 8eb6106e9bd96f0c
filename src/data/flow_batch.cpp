#include "data/flow_batch.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <mutex>
#include <regex>
#include <set>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "data/dataset.h"
#include "data/flow_cache.h"
#include "data/video_files.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// How many fields there are in all, guessed from the videos that were opened so far.
class FieldCount {
 public:
  FieldCount(std::size_t videos, const ProgressFn& progress) : videos_(videos), left_(videos), progress_(progress) {}

  void begin() {
    const std::lock_guard lock(mutex_);
    --left_;
    ++begun_;
  }
  // The video that was begun has no fields to be computed.
  void skip() {
    const std::lock_guard lock(mutex_);
    --begun_;
    ++finished_;
  }
  // One video went from `before` to `now` fields of about `claimed`.
  void advance(std::int64_t before, std::int64_t now, std::int64_t claimed) {
    const std::lock_guard lock(mutex_);
    done_ += now - before;
    if (before == 0) claimed_ += std::max(claimed, now);
    if (!progress_) return;
    const std::int64_t started = std::max(done_, claimed_);
    const auto total = started + static_cast<std::int64_t>(left_) * started / std::max<std::int64_t>(1, begun_);
    progress_({"computing flow", done_, total,
               fmt::format("{:.1f}/s, video {}/{}", static_cast<double>(done_) / seconds_since(start_), finished_ + 1, videos_)});
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    ++finished_;
  }

 private:
  std::mutex mutex_;
  std::size_t videos_, left_, finished_ = 0;
  std::int64_t begun_ = 0, done_ = 0, claimed_ = 0;
  const ProgressFn& progress_;
  Clock::time_point start_ = Clock::now();
};

class BatchRun {
 public:
  BatchRun(const FlowBatch& batch, const ProgressFn& progress, std::stop_token stop)
      : batch_(batch), stop_(std::move(stop)), count_(batch.videos.size(), progress) {}

  FlowBatchReport run() {
    const auto start = Clock::now();
    report_.videos = static_cast<std::int64_t>(batch_.videos.size());
    const auto threads = static_cast<std::size_t>(std::max(1, batch_.threads));
    const std::size_t workers = std::clamp<std::size_t>(batch_.videos.size(), 1, threads);
    threads_each_ = static_cast<int>(threads / workers);
    {
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < workers; ++i) others.emplace_back([this] { work(); });
      work();
    }
    if (problem_) std::rethrow_exception(problem_);
    report_.seconds = seconds_since(start);
    return std::move(report_);
  }

 private:
  void work() {
    for (std::size_t i = next_++; i < batch_.videos.size(); i = next_++) {
      try {
        if (stop_.stop_requested()) fail(ErrorCode::kInterrupted, "interrupted");
        extract(batch_.videos[i]);
      } catch (const FlowStoreError&) {
        give_up();
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kInterrupted || error.code() == ErrorCode::kUsage) {
          give_up();
          continue;
        }
        count_.finish();
        const std::lock_guard lock(mutex_);
        report_.failures.emplace_back(error.what());
      } catch (...) {
        give_up();
      }
    }
  }

  // What is thrown now ends the run; the first such problem tells why.
  void give_up() {
    next_ = batch_.videos.size();
    own_stop_.request_stop();
    const std::lock_guard lock(mutex_);
    if (!problem_) problem_ = std::current_exception();
  }

  // Whether the video's flow is there already.
  bool is_done(const fs::path& path) {
    if (!path_exists(path)) return false;
    try {
      const FlowFile file(path);
      file.verify();
      if (!batch_.replace) require_parameters(file, path, batch_.settings);
      return file.header().parameters == flow_parameters(batch_.settings);
    } catch (const FlowFileDamage& damage) {
      const std::lock_guard lock(mutex_);
      report_.warnings.push_back(fmt::format("{}; it is computed anew", damage.what()));
      return false;
    }
  }

  void extract(const std::string& video) {
    count_.begin();
    const fs::path path = flow_path(batch_.folder, video);
    if (is_done(path)) {
      count_.skip();
      const std::lock_guard lock(mutex_);
      ++report_.skipped;
      return;
    }
    FlowExtraction extraction{video, path, batch_.settings, threads_each_, {}, batch_.limits};
    std::int64_t before = 0;
    extraction.progress = [&](std::int64_t fields, std::int64_t claimed) {
      count_.advance(before, fields, claimed);
      before = fields;
    };
    const std::stop_callback forward(stop_, [this] { own_stop_.request_stop(); });
    const ClipFacts facts = extract_flow(extraction, own_stop_.get_token());
    count_.finish();
    std::error_code code;
    const std::uintmax_t size = fs::file_size(path, code);
    const std::int64_t bytes = code ? 0 : static_cast<std::int64_t>(size);  // somebody was quick to take it away
    const std::lock_guard lock(mutex_);
    ++report_.computed;
    report_.fields += facts.frames;
    report_.bytes += bytes;
    for (std::string& warning : warnings_of(video, facts)) report_.warnings.push_back(std::move(warning));
  }

  const FlowBatch& batch_;
  std::stop_token stop_;
  std::stop_source own_stop_;  // of the caller, or because another video's problem ends the run
  FieldCount count_;
  int threads_each_ = 1;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  FlowBatchReport report_;
  std::exception_ptr problem_;
};

// What a killed process leaves behind: parts of files whose writer is gone. The writer may be another computer's process, so
// they must have lain untouched for a while too.
void remove_abandoned_parts(const fs::path& folder) {
  constexpr auto kAbandoned = std::chrono::minutes(10);
  std::error_code code;
  // What cannot be listed is cleaned up another time.
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    // NAME.flow.PROCESS.COUNT.partial, as write_file_atomically names them.
    static const std::regex pattern(R"(.*\.flow\.([0-9]{1,9})\.[0-9]+\.partial)");
    std::smatch match;
    if (name.size() > 255 || !std::regex_match(name, match, pattern)) continue;
    const bool gone = ::kill(static_cast<pid_t>(std::stoi(match[1])), 0) != 0 && errno == ESRCH;
    std::error_code ignored;
    const auto time = entry->last_write_time(ignored);
    if (gone && !ignored && fs::file_time_type::clock::now() - time > kAbandoned) fs::remove(entry->path(), ignored);
  }
}

std::vector<std::string> videos_below(const fs::path& folder) {
  std::vector<std::string> videos;
  list_below(folder, [&](const fs::directory_entry& entry) {
    std::error_code ignored;
    const bool hidden = entry.path().filename().string().starts_with("."), inner = entry.is_directory(ignored);
    if (!hidden && !inner && is_video(entry.path())) videos.push_back(entry.path().string());
    return !hidden;
  });
  if (videos.empty()) fail_data("{}: holds no video", folder.string());
  std::ranges::sort(videos);
  return videos;
}

}  // namespace

FlowBatchReport extract_flows(const FlowBatch& batch, const ProgressFn& progress, const std::stop_token& stop) {
  FlowBatchReport report = BatchRun(batch, progress, stop).run();
  remove_abandoned_parts(batch.folder);
  return report;
}

std::vector<std::string> find_videos(const std::string& source) {
  std::error_code code;
  if (!fs::exists(source, code)) fail("{}: no such file", source);
  if (fs::is_directory(source, code)) return videos_below(source);
  const std::string ending = fs::path(source).extension().string();
  if (ending != ".csv" && ending != ".txt") return {source};
  std::vector<std::string> videos;
  std::set<std::string> seen;
  for (const Item& item : load_dataset(source).items) {
    if (seen.insert(item.path).second) videos.push_back(item.path);
  }
  return videos;
}

}  // namespace actio::data
