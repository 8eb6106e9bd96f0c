// own_video MODEL VIDEO: the same video from memory and through functions, as from an archive or a network; and its frames.
#include <actio/recognizer.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

void print(const actio::Recognizer& recognizer, const actio::VideoSource& source) {
  const actio::ClassScore best = recognizer.top(recognizer.recognize(source), 1).front();
  std::printf("%s: %.6f %s\n", source.name().c_str(), best.probability, best.label.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: own_video MODEL VIDEO\n", stderr), 2;
  try {
    const actio::Recognizer recognizer(actio::Model::open(argv[1]));
    std::ifstream file(argv[2], std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const auto memory = actio::VideoSource::memory(std::as_bytes(std::span(bytes)), "memory");
    print(recognizer, memory);

    file.clear();
    const auto read = [&](std::span<std::byte> target, const std::stop_token&) -> std::size_t {
      file.read(reinterpret_cast<char*>(target.data()), static_cast<std::streamsize>(target.size()));
      return static_cast<std::size_t>(file.gcount());
    };
    const auto seek = [&](std::int64_t position) {
      file.clear();
      return static_cast<bool>(file.seekg(position));
    };
    print(recognizer, actio::VideoSource::callback(read, seek, "functions", static_cast<std::int64_t>(bytes.size())));

    actio::Video video(memory, {.vectors = true, .vectors_optional = true});
    std::printf("%s, %d x %d\n", video.info().codec.c_str(), video.info().width, video.info().height);
    while (const std::optional<actio::Frame> frame = video.next()) {
      const actio::Tensor rgb = frame->rgb();  // u8 [height, width, 3]
      std::printf("%3lld  %6.3f s  %s  %zu vectors\n", static_cast<long long>(frame->index), frame->time_seconds,
                  actio::shape_text(rgb.shape()).c_str(), frame->vectors.size());
    }
  } catch (const actio::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
