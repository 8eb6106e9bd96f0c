// A dataset's CSV file. A first line "?filter;group;fold;share" holds the options.
#include <cstdlib>

#include "data/dataset.h"
#include "fuzz/support.h"

namespace actio::data {
namespace {

DatasetOptions options_of(std::string_view line) {
  DatasetOptions options;
  if (const auto filter = fuzz::take_until(line, ';'); !filter.empty()) options.filter.emplace_back(filter);
  options.group = fuzz::take_until(line, ';');
  if (const auto fold = fuzz::take_until(line, ';'); !fold.empty()) options.fold.emplace_back(fold);
  options.test_share = std::strtod(std::string(line).c_str(), nullptr);
  return options;
}

}  // namespace
}  // namespace actio::data

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  std::string_view text = fuzz::text_of(data, size);
  data::DatasetOptions options;
  if (text.starts_with('?')) options = data::options_of(fuzz::take_until(text, '\n').substr(1));
  static fuzz::MemoryFile file;
  file.write(text);
  fuzz::takes([&] {
    const data::Dataset dataset = data::load_dataset(file.path(), options);
    for (const data::Item& item : dataset.items) {
      fuzz::require(dataset.classes.at(static_cast<std::size_t>(item.class_index)) == item.label, "an item has its class");
    }
    const data::Split split = data::split_dataset(dataset, options);
    fuzz::require(split.train.size() + split.test.size() == dataset.items.size(), "every item is on one side");
  });
  return 0;
}
