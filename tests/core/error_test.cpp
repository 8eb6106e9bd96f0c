#include "core/error.h"

#include <gtest/gtest.h>

namespace actio {
namespace {

TEST(Error, message_is_one_line_whatever_names_it_repeats) {
  try {
    fail_data("{} line {}: column '{}' occurs twice", "table.csv", 1, "two\r\nlines\x1b[2J");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "table.csv line 1: column 'two\\x0d\\nlines\\x1b[2J' occurs twice");
    EXPECT_EQ(error.exit_code(), 3);
  }
}

TEST(Error, message_keeps_letters_of_every_language) {
  EXPECT_EQ(one_line("größe 大きさ \\"), "größe 大きさ \\");
}

}  // namespace
}  // namespace actio
