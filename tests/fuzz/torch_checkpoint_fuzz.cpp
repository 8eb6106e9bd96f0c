// The pickle of a PyTorch checkpoint. The archive around it is whole and holds two storages.
#include "fuzz/support.h"
#include "net/pickle_reader.h"
#include "net/torch_fixture.h"
#include "net/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::takes([&] {
    net::read_pickle(std::as_bytes(std::span(text)), [](std::string_view) { return true; }, "pickle");
  });
  static fuzz::MemoryFile file;
  file.write(net::torch_fixture::zip({{"archive/data.pkl", std::string(text)},
                                      {"archive/data/0", std::string(48, '\x01')},
                                      {"archive/data/1", std::string(16, '\x02')}}));
  fuzz::takes([&] { net::read_weights(file.path()); });
  return 0;
}
