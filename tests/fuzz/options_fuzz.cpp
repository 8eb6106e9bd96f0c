// Options as text, one "name=value" a line, or as JSON after a first line "json". What is set can be printed and set again.
#include <algorithm>

#include "core/json.h"
#include "core/options.h"
#include "core/preprocess.h"
#include "fuzz/support.h"

namespace actio {
namespace {

// A field of every type that Preprocess has none of.
struct Extra {
  bool flag = false;
  std::string name;
  double bare = 0;
  std::vector<std::int64_t> counts;
  std::vector<std::string> names, modes;

  Fields fields() {
    return {{"flag", &flag, "a switch"},
            {"name", &name, "any text"},
            {"bare", &bare, "any number"},
            {"counts", &counts, "whole numbers", {}, -5, 1e6},
            {"names", &names, "texts"},
            {"modes", &modes, "some of two", {"fast", "slow"}}};
  }
};

void set_from_text(const Fields& fields, std::string_view line) {
  const std::string_view name = fuzz::take_until(line, '=');
  const auto field = std::ranges::find(fields, name, &Field::name);
  if (field == fields.end()) {
    std::vector<std::string> names;
    for (const Field& known : fields) names.push_back(known.name);
    unknown_name_text("option", name, names);
  } else if (fuzz::takes([&] { set_field(*field, line, "--option"); })) {
    const std::string shown = field_text(*field);
    set_field(*field, shown, "again");
    fuzz::require(field_text(*field) == shown, "a field's text sets the field");
  }
}

void set_from_json(const Fields& fields, std::string_view text) {
  if (!fuzz::takes([&] { fields_from_json(fields, parse_json(text, "preprocess"), "preprocess"); })) return;
  const Json shown = fields_to_json(fields);
  fields_from_json(fields, shown, "again");
  fuzz::require(fields_to_json(fields) == shown, "the fields' JSON sets the fields");
}

}  // namespace
}  // namespace actio

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  actio::Preprocess preprocess;
  actio::Extra extra;
  actio::Fields fields = preprocess.fields();
  for (const actio::Field& field : extra.fields()) fields.push_back(field);
  std::string_view text = actio::fuzz::text_of(data, size);
  if (text.starts_with("json\n")) {
    actio::set_from_json(fields, text.substr(5));
  } else {
    while (!text.empty()) actio::set_from_text(fields, actio::fuzz::take_until(text, '\n'));
  }
  return 0;
}
