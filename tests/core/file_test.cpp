#include "core/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "core/error.h"
#include "support/temp_dir.h"

namespace actio {
namespace {

std::size_t file_count(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kUsage, "no error");
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

TEST(AtomicFile, writes_to_where_links_lead_and_keeps_the_links) {
  const testing::TempDir dir;
  std::filesystem::create_directories(dir / "deep");
  write_file_atomically(dir / "deep/real", "old");
  std::filesystem::create_symlink("deep/real", dir / "link");
  std::filesystem::create_symlink(dir / "link", dir / "link2");
  write_file_atomically(dir / "link2", "new");
  EXPECT_EQ(read_text_file(dir / "deep/real"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link"));
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link2"));
  std::filesystem::create_symlink("deep/later", dir / "dangling");
  write_file_atomically(dir / "dangling", "x");
  EXPECT_EQ(read_text_file(dir / "deep/later"), "x");
  EXPECT_EQ(file_count(dir / "deep"), 2U);
  EXPECT_EQ(file_count(dir.path()), 4U);
  std::filesystem::create_symlink("circle", dir / "circle");
  EXPECT_THAT(error_of([&] { write_file_atomically(dir / "circle", "x"); }).what(),
              ::testing::HasSubstr("circle: cannot be written"));
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "circle"));
}

TEST(AtomicFile, and_its_check_refuse_pipes_devices_folders_and_what_cannot_be_made) {
  const testing::TempDir dir;
  const std::string pipe = dir / "pipe", folder = dir / "folder";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::filesystem::create_directory(folder);
  std::filesystem::create_symlink("pipe", dir / "to_pipe");
  const auto expect_refused = [](const std::string& path, const std::string& why) {
    const Error written = error_of([&] { write_file_atomically(path, "x"); });
    EXPECT_EQ(written.code(), ErrorCode::kFailed) << path;
    EXPECT_THAT(written.what(), ::testing::HasSubstr(path + why));
    EXPECT_STREQ(error_of([&] { check_writable(path); }).what(), written.what());
  };
  for (const std::string& path : {pipe, dir / "to_pipe", folder, folder + "/", std::string("/dev/null")}) {
    expect_refused(path, ": is not a regular file");
  }
  for (const std::string& path : {dir / "none/a", dir / std::string(300, 'x'), std::string("/dev/null/a")}) {
    expect_refused(path, ": cannot be written: ");
  }
  expect_refused("", "cannot be written: the name is empty");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(file_count(dir.path()), 3U);
  EXPECT_EQ(file_count(folder), 0U);
}

TEST(AtomicFile, check_passes_where_writing_does_and_leaves_nothing) {
  const testing::TempDir dir;
  check_writable(dir / "new");
  EXPECT_EQ(file_count(dir.path()), 0U);
  write_file_atomically(dir / "a", "old");
  check_writable(dir / "a");
  EXPECT_EQ(read_text_file(dir / "a"), "old");
  EXPECT_EQ(file_count(dir.path()), 1U);
}

TEST(AtomicFile, check_finds_a_folder_without_permission) {
  const testing::TempDir dir;
  using std::filesystem::perms;
  std::filesystem::permissions(dir.path(), perms::owner_read | perms::owner_exec | perms::others_read | perms::others_exec);
  // The administrator may write everywhere, so the check runs as nobody there.
  const bool administrator = ::geteuid() == 0;
  ASSERT_EQ(administrator ? ::seteuid(65534) : 0, 0);
  const std::string message = error_of([&] { check_writable(dir / "a"); }).what();
  ASSERT_EQ(administrator ? ::seteuid(0) : 0, 0);
  std::filesystem::permissions(dir.path(), perms::owner_all);
  EXPECT_THAT(message, ::testing::HasSubstr("a: cannot be written: Permission"));
}

TEST(ReadFile, refuses_pipes_devices_and_more_than_a_gibibyte) {
  const testing::TempDir dir;
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  std::ofstream(dir / "large").close();
  std::filesystem::resize_file(dir / "large", (std::uintmax_t{1} << 30) + 1);
  EXPECT_EQ(std::string(error_of([&] { read_text_file(dir / "pipe"); }).what()), (dir / "pipe") + ": is not a regular file");
  EXPECT_THAT(error_of([] { read_text_file("/dev/zero"); }).what(), ::testing::HasSubstr("is not a regular file"));
  EXPECT_EQ(error_of([&] { read_text_file(dir / "large"); }).code(), ErrorCode::kBadData);
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
