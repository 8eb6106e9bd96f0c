#include "recognize/archive.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/json_text.h"
#include "core/error.h"
#include "core/file.h"

namespace actio::recognize {
namespace {

namespace fs = std::filesystem;

std::int64_t positive(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size() ? number : 0;
}

// "top: 5 there, 3 here"
std::string job_difference(const Json& there, const Json& here) {
  for (const auto& [name, value] : here.items()) {
    const Json other = there.is_object() && there.contains(name) ? there.at(name) : Json();
    if (other != value) return fmt::format("{}: {} there, {} here", name, json_text(other), json_text(value));
  }
  return "its first line is another";
}

std::vector<std::string> whole_lines(const std::string& content) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = content.find('\n'); end != std::string::npos; end = content.find('\n', begin)) {
    lines.push_back(content.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  const std::size_t slash = text.find('/');
  Shard shard;
  if (slash != std::string::npos) {
    shard.index = positive(std::string_view(text).substr(0, slash));
    shard.count = positive(std::string_view(text).substr(slash + 1));
  }
  if (slash == std::string::npos || shard.index < 1 || shard.count < 1 || shard.index > shard.count) {
    fail_usage("--shard: '{}' is not of the form 2/4 (the second of four)", text);
  }
  return shard;
}

std::string shard_file(const std::string& output, const Shard& shard) {
  if (shard.count == 1) return output;
  const fs::path path(output);
  return (path.parent_path() / fmt::format("{}.{}-of-{}{}", path.stem().string(), shard.index, shard.count, path.extension().string()))
      .string();
}

std::vector<std::string> read_manifest(const std::string& path) {
  std::string content = read_text_file(path);
  if (content.starts_with("\xEF\xBB\xBF")) content.erase(0, 3);
  if (!content.empty() && content.back() != '\n') content += '\n';
  std::vector<std::string> videos;
  std::map<std::string, std::size_t> seen;
  std::size_t number = 0;
  std::error_code code;
  const fs::path folder = fs::absolute(path, code).parent_path();
  if (code) fail("{}: has no full name: {}", path, code.message());
  for (std::string line : whole_lines(content)) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const auto [earlier, fresh] = seen.emplace((folder / line).lexically_normal().string(), number);
    if (!fresh) fail_data("{}:{}: '{}' is in line {}, too", path, number, line, earlier->second);
    videos.push_back((fs::path(path).parent_path() / line).string());
  }
  if (videos.empty()) fail_data("{}: names no video", path);
  return videos;
}

ArchiveOutput::ArchiveOutput(const std::string& path, const Json& job, bool retry_failed)
    : path_(path), partial_(path + ".partial"), job_path_(path + ".job"), job_(job), retry_failed_(retry_failed) {
  open();
}

ArchiveOutput::~ArchiveOutput() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ArchiveOutput::open() {
  descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("{}: cannot be written: {}", partial_, std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) fail("{}: another process writes to it", partial_);
  const std::string first = json_text(job_) + "\n";
  std::ifstream earlier(partial_, std::ios::binary);
  if (!earlier.is_open()) fail("{}: cannot be read: {}", partial_, std::strerror(errno));
  std::int64_t number = 0, kept = 0;
  for (std::string line; std::getline(earlier, line) && !earlier.eof();) {  // the last one, without its end, was cut
    if (++number > 1)
      take(line, number, kept);
    else if (line + "\n" != first) {
      fail_usage("{}: belongs to another job ({}); remove it to begin anew", partial_,
                 job_difference(Json::parse(line, nullptr, false), job_));
    }
    kept += static_cast<std::int64_t>(line.size()) + 1;
  }
  if (earlier.bad()) fail("{}: cannot be read: {}", partial_, std::strerror(errno));
  if (::ftruncate(descriptor_, kept) != 0 || ::lseek(descriptor_, kept, SEEK_SET) < 0) {
    fail("{}: cannot be written: {}", partial_, std::strerror(errno));
  }
  written_ = kept;
  first_line_ = static_cast<std::int64_t>(first.size());
  if (kept > 0) return;
  write(first);
  if (retry_failed_ && path_exists(path_)) begin_with_whole_file();
}

// All its answers are taken over, so that a kill loses none of them; the file itself stays until there is another whole one.
void ArchiveOutput::begin_with_whole_file() {
  const auto refuse = [&](const std::string& why) {
    std::error_code ignored;
    fs::remove(partial_, ignored);
    fail_usage("{}: {}; without --retry-failed all videos are asked anew", path_, why);
  };
  if (!path_exists(job_path_)) refuse("no file beside it says that answers are errors, and of which job they are");
  std::string there = read_text_file(job_path_);
  if (!there.empty() && there.back() == '\n') there.pop_back();
  if (there != json_text(job_))
    refuse(fmt::format("belongs to another job ({})", job_difference(Json::parse(there, nullptr, false), job_)));
  std::ifstream whole(path_, std::ios::binary);
  if (!whole.is_open()) fail("{}: cannot be read: {}", path_, std::strerror(errno));
  std::int64_t number = 0;
  for (std::string line; std::getline(whole, line);) {
    take(line, ++number, written_);
    write(line + "\n");
  }
  if (whole.bad()) fail("{}: cannot be read: {}", path_, std::strerror(errno));
}

void ArchiveOutput::take(const std::string& line, std::int64_t number, std::int64_t offset) {
  const Json answer = Json::parse(line, nullptr, false);
  if (!answer.is_object() || !answer.contains("video") || !answer.at("video").is_string()) {
    fail_data("{}:{}: is not an answer to a video", partial_, number);
  }
  count(answer.at("video").get<std::string>(), answer, offset);
}

void ArchiveOutput::count(const std::string& video, const Json& answer, std::int64_t offset) {
  const Digest digest = digest_of(video);
  if (const auto before = failed_.find(digest); before != failed_.end()) {
    replaced_.insert(before->second);
    failed_.erase(before);
  }
  const bool failed = answer.contains("error");
  if (failed) failed_.emplace(digest, offset);
  if (failed && retry_failed_)
    done_.erase(video);
  else
    done_.insert(video);
}

void ArchiveOutput::write(const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(descriptor_, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("{}: cannot be written: {}; what was written before stays", partial_, std::strerror(errno));
    written += static_cast<std::size_t>(count);
    written_ += count;
  }
}

void ArchiveOutput::add(const std::string& video, const Json& answer) {
  const std::int64_t offset = written_;
  write(json_text(answer) + "\n");
  count(video, answer, offset);
}

void ArchiveOutput::copy_answers(std::ostream& stream) const {
  std::ifstream answers(partial_, std::ios::binary);
  if (!answers.is_open() || !answers.seekg(first_line_)) fail("{}: cannot be read: {}", partial_, std::strerror(errno));
  std::int64_t offset = first_line_;
  for (std::string line; std::getline(answers, line);) {
    if (!replaced_.contains(offset)) stream << line << '\n';
    offset += static_cast<std::int64_t>(line.size()) + 1;
  }
  if (answers.bad()) fail("{}: cannot be read: {}", partial_, std::strerror(errno));
}

void ArchiveOutput::finish() {
  if (failed() > 0) write_file_atomically(job_path_, json_text(job_) + "\n");
  write_file_atomically(path_, [&](std::ostream& stream) { copy_answers(stream); });
  std::error_code ignored;
  if (failed() == 0) fs::remove(job_path_, ignored);
  fs::remove(partial_, ignored);
}

}  // namespace actio::recognize
