// A zip archive, byte by byte: every entry, and the archive as a PyTorch checkpoint.
#include "fuzz/support.h"
#include "net/weights.h"
#include "net/zip_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::takes([&] {
    const net::ZipReader zip(std::as_bytes(std::span(text)), "archive");
    for (const auto& entry : zip.entries()) {
      fuzz::takes([&] { fuzz::require(zip.read(entry.first).bytes().size() == entry.second.size, "an entry has its size"); });
    }
  });
  static fuzz::MemoryFile file;
  file.write(text);
  fuzz::takes([&] { net::read_torch_checkpoint(file.path()); });
  return 0;
}
