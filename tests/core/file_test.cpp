#include "core/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "support/temp_dir.h"

namespace actio {
namespace {

std::size_t file_count(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(AtomicFile, holds_what_was_written_and_leaves_nothing_beside_it) {
  const testing::TempDir dir;
  write_file_atomically(dir / "a", "one");
  write_file_atomically(dir / "a", std::string_view("t\0wo", 4));
  EXPECT_EQ(read_text_file(dir / "a"), std::string("t\0wo", 4));
  EXPECT_EQ(file_count(dir.path()), 1U);
}

TEST(AtomicFile, keeps_the_old_content_when_the_writer_fails) {
  const testing::TempDir dir;
  write_file_atomically(dir / "a", "old");
  EXPECT_THROW(write_file_atomically(dir / "a", [](std::ostream& out) {
    out << "half";
    fail("no more");
  }), Error);
  EXPECT_EQ(read_text_file(dir / "a"), "old");
  EXPECT_EQ(file_count(dir.path()), 1U);
}

TEST(AtomicFile, names_the_file_when_the_folder_does_not_exist) {
  try {
    write_file_atomically("/nonexistent-folder/a", "x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("/nonexistent-folder/a: cannot be written"));
  }
}

TEST(AtomicFile, is_refused_on_a_full_disk_without_touching_the_old_one) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  EXPECT_THROW(write_file_atomically("/dev/full/a", "x"), Error);
}

TEST(ReadFile, tells_a_missing_file_from_a_folder) {
  const testing::TempDir dir;
  EXPECT_THROW(read_text_file(dir / "none"), Error);
  try {
    read_text_file(dir.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("is a directory"));
  }
}

TEST(ContentHash, differs_for_one_flipped_bit_and_agrees_between_memory_and_file) {
  const testing::TempDir dir;
  std::string content(3'000'000, 'x');
  write_file_atomically(dir / "a", content);
  const auto bytes = [&] { return std::as_bytes(std::span(content)); };
  const std::string before = content_hash(bytes());
  EXPECT_EQ(content_hash_of_file(dir / "a"), before);
  EXPECT_EQ(before.size(), 32U);
  content[2'999'999] ^= 1;
  EXPECT_NE(content_hash(bytes()), before);
}

}  // namespace
}  // namespace actio
