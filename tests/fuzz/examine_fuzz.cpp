// A video file as `actio doctor` examines it.
#include "fuzz/support.h"
#include "video/examine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static actio::fuzz::MemoryFile file;
  file.write(actio::fuzz::text_of(data, size));
  actio::fuzz::takes([&] {
    const actio::video::Examination result = actio::video::examine(file.path());
    actio::fuzz::require(!to_text(result).empty(), "an examination has a text");
    actio::fuzz::require(!to_json(result).dump().empty(), "an examination has a JSON");
  });
  return 0;
}
