#include "core/error.h"

#include <gtest/gtest.h>

#include <cerrno>

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

TEST(Error, of_the_system_may_pass_or_not) {
  for (const int number : {EMFILE, ENFILE, ENOMEM, EIO, ETIMEDOUT, ESTALE, EAGAIN})
    EXPECT_EQ(code_of_system_error(number), ErrorCode::kTransient);
  for (const int number : {ENOENT, EACCES, EISDIR, ENOSPC, EINVAL, 0, -1}) EXPECT_EQ(code_of_system_error(number), ErrorCode::kFailed);
}

}  // namespace
}  // namespace actio
