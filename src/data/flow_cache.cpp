#include "data/flow_cache.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/file.h"
#include "core/time_limit.h"
#include "data/flow_extract.h"
#include "motion/flow_image.h"

namespace fs = std::filesystem;

namespace actio::data {
namespace {

constexpr std::uint64_t kFingerprintedBytes = 1 << 20;  // at either end
constexpr std::size_t kMostNameBytes = 200;             // of the video's name; file names may have 255 bytes
constexpr std::int64_t kAlgorithm = 2;                  // to be raised when the same parameters give other images

std::string value_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace

Fields FlowCacheOptions::fields() {
  return {{"flow_cache", &flow_cache, "with motion flow: a folder that keeps it; what is missing there is computed and added"}};
}

std::string video_fingerprint(const std::string& video) {
  std::error_code code;
  const std::uint64_t size = fs::file_size(video, code);
  if (code)
    fail(code_of_system_error(code.value()), "{}: cannot be read: {}", video,
         code == std::errc::no_such_file_or_directory ? "no such file" : code.message());
  const std::uint64_t head = std::min(size, kFingerprintedBytes), tail = std::min(size - head, kFingerprintedBytes);
  const auto size_bytes = std::bit_cast<std::array<std::byte, 8>>(size);
  std::vector<std::byte> content(size_bytes.begin(), size_bytes.end());
  content.resize(static_cast<std::size_t>(8 + head + tail));
  errno = 0;
  std::ifstream stream(video, std::ios::binary);
  stream.read(reinterpret_cast<char*>(content.data() + 8), static_cast<std::streamsize>(head));
  stream.seekg(static_cast<std::streamoff>(size - tail));
  stream.read(reinterpret_cast<char*>(content.data() + 8 + head), static_cast<std::streamsize>(tail));
  if (!stream) fail(code_of_system_error(errno), "{}: cannot be read: {}", video, std::strerror(errno));
  return content_hash(content).substr(0, 16);
}

fs::path flow_path(const fs::path& folder, const std::string& video) {
  const std::string name = fs::path(video).stem().string().substr(0, kMostNameBytes);
  return folder / fmt::format("{}-{}.flow", name, video_fingerprint(video));
}

Json flow_parameters(const motion::FlowSettings& settings) {
  // All of them: one that is new does not compile until it is listed here.
  const auto& [tau, lambda, theta, scale_step, epsilon, primal_step, relax, huber, carry, scales, warps, iterations, median] =
      settings.tvl1;
  return {{"flow_quality", settings.quality}, {"flow_short_side", settings.short_side}, {"motion_bound", settings.bound},
          {"algorithm", kAlgorithm}, {"tau", tau}, {"lambda", lambda}, {"theta", theta}, {"scale_step", scale_step},
          {"epsilon", epsilon}, {"primal_step", primal_step}, {"relax", relax}, {"huber", huber}, {"carry", carry},
          {"scales", scales}, {"warps", warps}, {"iterations", iterations}, {"median", median}};
}

void require_parameters(const FlowFile& file, const fs::path& path, const motion::FlowSettings& settings) {
  const Json wanted = flow_parameters(settings);
  const Json& found = file.header().parameters;
  for (const auto& [key, value] : wanted.items()) {
    const Json there = found.value(key, Json("nothing"));
    if (there == value) continue;
    fail_usage("{}: was computed with {} {}, but {} is asked for; use another folder, or replace it with 'actio flow --replace'",
               path.string(), key, value_text(there), value_text(value));
  }
}

ClipFacts extract_flow(const FlowExtraction& extraction, const std::stop_token& stop) {
  FlowHeader header{flow_parameters(extraction.settings), fs::path(extraction.video).filename().string(),
                    video_fingerprint(extraction.video), {}};
  bool stored = true;  // false: what was thrown is about the video
  TimeLimit limit(extraction.limits.max_seconds, stop);
  try {
    write_file_atomically(extraction.target, [&](std::ostream& out) {
      FlowFileWriter writer(out);
      const auto keep = [&](const PackedField& field) {
        writer.add(field);
        out.flush();
        if (!out) fail("{}: cannot be written: {}", extraction.target.string(), std::strerror(errno));
      };
      stored = false;
      const auto take = [&](const PackedField& field) {
        stored = true;
        keep(field);
        stored = false;
      };
      const auto compute = [&](const std::stop_token& token) { return compute_fields(extraction, take, token); };
      header.facts = limit.run(extraction.video, compute);
      stored = true;
      writer.finish(header);
    });
  } catch (const Error& error) {
    if (stored) throw FlowStoreError(error.what());
    throw;
  }
  return header.facts;
}

void make_cache_folder(const fs::path& folder) {
  std::error_code code;
  if (fs::is_directory(folder, code)) return;
  if (fs::exists(folder, code)) fail("{}: is not a folder", folder.string());
  if (!fs::create_directory(folder, code) && code) fail("{}: cannot be made: {}", folder.string(), code.message());
}

}  // namespace actio::data
