// Where the time and the memory of the first answer of a process go: the model file, compiling, the clip, the network. The second answer is compared with
// the first. Use: first_answer MODEL VIDEO [f32|int8|auto]
#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/process_memory.h"
#include "recognize/recognizer.h"
#include "video/ffmpeg_log.h"

namespace {

using namespace actio;
using Clock = std::chrono::steady_clock;

// MiB of a line of /proc/self/status.
double status_mebibytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) / 1024;
  }
  return 0;
}

// Of all threads.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

class Phases {
 public:
  void done(const std::string& name) {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    fmt::print("{:<14} {:6.3f} s, {:6.3f} s of processors; resident {:6.1f} MiB ({:5.1f} of files), peak {:6.1f}\n", name, seconds,
               processor_seconds() - processors_, status_mebibytes("VmRSS"), status_mebibytes("RssFile"), status_mebibytes("VmHWM"));
    start_ = Clock::now();
    processors_ = processor_seconds();
  }

 private:
  Clock::time_point start_ = Clock::now();
  double processors_ = processor_seconds();
};

void measure(const std::string& path, const std::string& video, const std::string& precision) {
  recognize::RecognizeOptions options;
  options.run.precision = value_named<runtime::Precision>("precision", precision);
  Phases phases;
  net::Model model = net::read_model(path, net::WeightPlace::kMapped);
  phases.done("model file");
  const recognize::Recognizer recognizer(std::move(model), path, options);
  phases.done("compile");
  const data::ClipInput clip = recognizer.read(video, 0);
  phases.done("clip");
  const Tensor first = recognizer.recognize(clip.inputs).probabilities;
  phases.done("first answer");
  const Tensor second = recognizer.recognize(clip.inputs).probabilities;
  phases.done("second answer");
  if (std::memcmp(first.raw(), second.raw(), first.bytes()) != 0) fail("{}: two answers differ", path);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  keep_freed_memory();
  video::silence_ffmpeg();
  try {
    measure(argv[1], argv[2], argc > 3 ? argv[3] : "auto");
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
