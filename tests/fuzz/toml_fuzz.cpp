// A TOML file as options are read from it.
#include "core/options.h"
#include "core/preprocess.h"
#include "fuzz/support.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static actio::fuzz::MemoryFile file;
  file.write(actio::fuzz::text_of(data, size));
  actio::fuzz::takes([&] {
    const actio::Json json = actio::read_toml(file.path());
    json.dump();
    actio::Preprocess preprocess;
    fields_from_json(preprocess.fields(), json, "config.toml");
  });
  return 0;
}
