// The official lists of UCF101 (class index, training list, test list) or, after an 'h', of HMDB51 (two classes' lists),
// divided by form feeds.
#include <fstream>

#include "data/dataset.h"
#include "fuzz/support.h"
#include "support/temp_dir.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace actio;
  std::string_view text = fuzz::text_of(data, size);
  const bool hmdb = text.starts_with('h');
  if (hmdb) text.remove_prefix(1);
  const testing::TempDir lists;
  data::DatasetOptions options;
  options.layout = hmdb ? data::Layout::kHmdb51 : data::Layout::kUcf101;
  options.annotations = lists.path();
  options.split = 1;
  const std::initializer_list<const char*> names =
      hmdb ? std::initializer_list<const char*>{"run_test_split1.txt", "jump_test_split1.txt"}
           : std::initializer_list<const char*>{"classInd.txt", "trainlist01.txt", "testlist01.txt"};
  for (const char* name : names) std::ofstream(lists / name, std::ios::binary) << fuzz::take_until(text, '\f');
  fuzz::takes([&] {
    const data::Dataset dataset = data::load_dataset(lists.path(), options);
    for (const data::Item& item : dataset.items) {
      fuzz::require(dataset.classes.at(static_cast<std::size_t>(item.class_index)) == item.label, "an item has its class");
    }
    data::split_dataset(dataset, options);
  });
  return 0;
}
