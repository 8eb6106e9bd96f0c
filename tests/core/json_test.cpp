#include "core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace actio {
namespace {

std::string refusal_of(const std::string& text) {
  try {
    parse_json(text, "net: 'spec'");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    return error.what();
  }
  return "no error";
}

std::string nested(int depth) {
  const auto times = static_cast<std::size_t>(depth);
  return std::string(times, '[') + std::string(times, ']');
}

TEST(ParseJson, gives_the_document_with_its_keys_in_order) {
  const Json json = parse_json(R"({"b": [1, 2.5, "x"], "a": null})", "text");
  EXPECT_EQ(json.dump(), R"({"b":[1,2.5,"x"],"a":null})");
}

TEST(ParseJson, refuses_what_is_no_json_with_its_place) {
  EXPECT_EQ(refusal_of("{\"a\": }"), "net: 'spec' is not JSON: error at byte 7");
  EXPECT_EQ(refusal_of(""), "net: 'spec' is not JSON: error at byte 1");
  EXPECT_EQ(refusal_of("\"\xff\""), "net: 'spec' is not JSON: error at byte 2");
}

TEST(ParseJson, refuses_a_number_that_no_type_holds) {
  EXPECT_EQ(refusal_of("[1e999]"), "net: 'spec' holds a number that is too large");
}

TEST(ParseJson, refuses_nesting_that_would_exhaust_the_stack_of_whoever_copies_it) {
  EXPECT_EQ(parse_json(nested(100), "text").dump(), nested(100));
  EXPECT_EQ(refusal_of(nested(1'000'000)), "net: 'spec' is nested deeper than 100");
  EXPECT_EQ(refusal_of(std::string(1'000'000, '[')), "net: 'spec' is nested deeper than 100");
}

}  // namespace
}  // namespace actio
