// Lists as TSN and MMAction2 write them, divided by form feeds: training list, test list, class names.
#include "data/dataset.h"
#include "data/list_file.h"
#include "fuzz/support.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  std::string_view text = fuzz::text_of(data, size);
  static fuzz::MemoryFile train, test, names;
  train.write(fuzz::take_until(text, '\f'));
  data::DatasetOptions options;
  options.layout = data::Layout::kList;
  if (!text.empty()) {
    test.write(fuzz::take_until(text, '\f'));
    options.test_list = test.path();
  }
  if (!text.empty()) {
    names.write(text);
    options.class_names = names.path();
  }
  fuzz::takes([&] {
    const data::Dataset dataset = data::load_dataset(train.path(), options);
    for (const data::Item& item : dataset.items) {
      fuzz::require(dataset.classes.at(static_cast<std::size_t>(item.class_index)) == item.label, "an item has its class");
    }
    data::split_dataset(dataset, options);
  });
  options = {};
  fuzz::takes([&] { data::load_dataset(train.path(), options); });
  return 0;
}
