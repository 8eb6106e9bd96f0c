// data: the motion images of one video in a file (docs/formats.md), any of them read without the others. In: motion images in
// order. Out: the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/options.h"
#include "core/tensor.h"
#include "data/clip_facts.h"

namespace actio::data {

// The file's bytes are not what was written: it is cut, altered, or something else.
class FlowFileDamage : public Error {
 public:
  explicit FlowFileDamage(const std::string& message) : Error(ErrorCode::kBadData, message) {}
};

// What a flow file says about itself.
struct FlowHeader {
  Json parameters;          // everything that the images depend on, besides the video; see flow_parameters()
  std::string video;        // its file name when the flow was computed
  std::string fingerprint;  // of its content
  ClipFacts facts;
  bool has_times = true;  // the facts say when frames are seen; files of earlier versions of actio do not
};

struct MotionImage {
  Tensor image;  // u8 [2, h, w] (motion/flow_image.h)
  int frame_width = 0, frame_height = 0;
};

// Threads: const members may run at the same time.
class FlowFile {
 public:
  // Reads and checks everything but the images.
  // Throws: FlowFileDamage; Error(kFailed) where the file cannot be opened.
  explicit FlowFile(const std::filesystem::path& path);
  // The same from memory, which must live as long as the object; `name` stands in messages.
  FlowFile(std::span<const std::byte> content, const std::string& name);

  const FlowHeader& header() const { return header_; }
  std::int64_t frames() const { return static_cast<std::int64_t>(index_.size()); }
  std::uint64_t bytes() const { return size_; }

  // The motion from frame `index` - 1 to frame `index`; that of frame 0 is none.
  // Throws: FlowFileDamage; Error(kInternal) for an index outside of the clip.
  MotionImage field(std::int64_t index) const;

  // Reads and checks all images. Throws: as field().
  void verify() const;

 private:
  struct Entry {
    std::uint64_t offset, hash;
    std::uint32_t bytes;
    std::uint16_t width, height, frame_width, frame_height;
  };
  using Read = std::function<void(std::uint64_t offset, std::span<std::byte> target)>;

  void open();
  void read_index(std::span<const std::byte> bytes, std::uint64_t end);
  void read_header(std::string_view text);
  std::vector<std::byte> block(std::int64_t index) const;
  template <typename... Args>
  [[noreturn]] void damaged(fmt::format_string<Args...> format, Args&&... args) const;

  std::string name_;
  std::uint64_t size_ = 0;
  Read read_;
  FlowHeader header_;
  std::vector<Entry> index_;
};

// A motion image as it lies in the file.
struct PackedField {
  std::vector<std::byte> bytes;
  std::int64_t width = 0, height = 0;
  int frame_width = 0, frame_height = 0;
};

// Threads: safe. Throws: Error(kFailed) for an image of more than 128 MiB.
PackedField pack_field(const MotionImage& field);

// Threads: one writer belongs to one thread at a time.
class FlowFileWriter {
 public:
  explicit FlowFileWriter(std::ostream& out);

  void add(const PackedField& field);       // of frame 0, 1, ...
  void finish(const FlowHeader& header);    // once, after the last

 private:
  std::ostream& out_;
  std::uint64_t offset_ = 0;
  std::vector<std::byte> index_;
  std::uint32_t frames_ = 0;
};

}  // namespace actio::data
