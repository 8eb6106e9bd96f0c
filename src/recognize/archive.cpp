#include "recognize/archive.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
  for (std::string line : whole_lines(content)) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const auto [earlier, fresh] = seen.emplace(line, number);
    if (!fresh) fail_data("{}:{}: '{}' is in line {}, too", path, number, line, earlier->second);
    videos.push_back(fs::path(line).is_absolute() ? line : (fs::path(path).parent_path() / line).string());
  }
  if (videos.empty()) fail_data("{}: names no video", path);
  return videos;
}

ArchiveOutput::ArchiveOutput(const std::string& path, const Json& job) : path_(path), partial_(path + ".partial") { open(job); }

ArchiveOutput::~ArchiveOutput() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ArchiveOutput::open(const Json& job) {
  descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("{}: cannot be written: {}", partial_, std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) fail("{}: another process writes to it", partial_);
  const std::string first = json_text(job) + "\n";
  std::int64_t kept = 0;
  std::ifstream earlier(partial_, std::ios::binary);
  if (!earlier.is_open()) fail("{}: cannot be read: {}", partial_, std::strerror(errno));
  std::int64_t number = 0;
  for (std::string line; std::getline(earlier, line) && !earlier.eof();) {  // the last one, without its end, was cut
    kept += static_cast<std::int64_t>(line.size()) + 1;
    if (++number > 1) take(line, number);
    else if (line + "\n" != first) {
      fail_usage("{}: belongs to another job ({}); remove it to begin anew", partial_, job_difference(Json::parse(line, nullptr, false), job));
    }
  }
  if (earlier.bad()) fail("{}: cannot be read: {}", partial_, std::strerror(errno));
  if (::ftruncate(descriptor_, kept) != 0 || ::lseek(descriptor_, kept, SEEK_SET) < 0) {
    fail("{}: cannot be written: {}", partial_, std::strerror(errno));
  }
  first_line_ = static_cast<std::int64_t>(first.size());
  if (kept == 0) write(first);
}

void ArchiveOutput::take(const std::string& line, std::int64_t number) {
  const Json answer = Json::parse(line, nullptr, false);
  if (!answer.is_object() || !answer.contains("video") || !answer.at("video").is_string()) {
    fail_data("{}:{}: is not an answer to a video", partial_, number);
  }
  done_.insert(answer.at("video").get<std::string>());
  failed_ += answer.contains("error") ? 1 : 0;
}

void ArchiveOutput::write(const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(descriptor_, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("{}: cannot be written: {}; what was written before stays", partial_, std::strerror(errno));
    written += static_cast<std::size_t>(count);
  }
}

void ArchiveOutput::add(const std::string& video, const Json& answer) {
  write(json_text(answer) + "\n");
  done_.insert(video);
  failed_ += answer.contains("error") ? 1 : 0;
}

void ArchiveOutput::finish() {
  std::ifstream answers(partial_, std::ios::binary);
  if (!answers.is_open()) fail("{}: cannot be read: {}", partial_, std::strerror(errno));
  if (!answers.seekg(first_line_)) fail("{}: cannot be read: {}", partial_, std::strerror(errno));
  write_file_atomically(path_, [&](std::ostream& stream) {
    std::array<char, 1 << 16> block;
    while (answers.read(block.data(), block.size()) || answers.gcount() > 0) stream.write(block.data(), answers.gcount());
    if (answers.bad()) fail("{}: cannot be read: {}", partial_, std::strerror(errno));
  });
  std::error_code ignored;
  fs::remove(partial_, ignored);
}

}  // namespace actio::recognize
