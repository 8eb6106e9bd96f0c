#include "recognize/run_archive.h"

#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "core/output_check.h"
#include "recognize/answer_json.h"
#include "recognize/archive.h"
#include "recognize/recognize_all.h"

namespace actio::recognize {
namespace {

Json job_of(const ArchiveRequest& request, const Recognizer& recognizer, const Shard& shard, const std::string& device) {
  Json job = {{"model", recognizer.model().hash},
              {"manifest", content_hash_of_file(request.manifest)},
              {"folder", std::filesystem::path(request.manifest).parent_path().string()},  // is part of the videos' names
              {"backend", recognizer.attributes().backend},
              {"shard", fmt::format("{}/{}", shard.index, shard.count)},
              {"top", request.top}};
  const runtime::Precision precision = recognizer.attributes().precision;
  if (precision != runtime::Precision::kF32) job["precision"] = name_of(precision);
  if (!device.empty()) job["device"] = device;
  return job;
}

}  // namespace

ArchiveOutcome run_archive(const ArchiveRequest& request, const RecognizeOptions& options, const Hooks& hooks) {
  const Shard shard = parse_shard(request.shard);
  const std::vector<std::string> all = read_manifest(request.manifest);
  ArchiveOutcome outcome;
  outcome.file = shard_file(request.output, shard);
  check_output(outcome.file, {request.model, request.manifest});
  RecognizeOptions own = options;
  own.at_once = static_cast<std::int64_t>(all.size());
  const Recognizer recognizer(request.model, own);
  for (const std::string& warning : recognizer.warnings()) {
    if (hooks.warn) hooks.warn(warning);
  }
  ArchiveOutput output(outcome.file, job_of(request, recognizer, shard, options.run.device), request.retry_failed);
  std::vector<std::string> open;
  for (std::size_t i = static_cast<std::size_t>(shard.index - 1); i < all.size(); i += static_cast<std::size_t>(shard.count)) {
    ++outcome.videos;
    if (!output.done().contains(all[i])) open.push_back(all[i]);
  }
  outcome.done_before = outcome.videos - static_cast<std::int64_t>(open.size());
  std::int64_t done = outcome.done_before;
  const auto take = [&](std::size_t i, const Answer& answer) {
    output.add(open[i], to_json(answer, recognizer, open[i], request.top));
    if (hooks.progress) hooks.progress({"recognising", ++done, outcome.videos, ""});
  };
  try {
    recognize_all(recognizer, open, take, request.workers, {.progress = {}, .warn = {}, .stop = hooks.stop});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInterrupted) throw;
    fail(ErrorCode::kInterrupted, "interrupted after {} of {} videos; the same command goes on", done, outcome.videos);
  }
  output.finish();
  outcome.failed = output.failed();
  return outcome;
}

}  // namespace actio::recognize
