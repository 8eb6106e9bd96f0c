#include "eval/score_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "core/error.h"
#include "core/file.h"
#include "eval/score_array.h"
#include "support/temp_dir.h"
#include "tables.h"

namespace actio::eval {
namespace {

using testing::bytes_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::table_of;
using testing::TempDir;
using testing::write_bytes;

class ScoreFile : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& bytes) const {
    write_bytes(dir_ / name, bytes);
    return dir_ / name;
  }

  // Expects one line that has all of `parts`.
  void expect_error(const std::string& path, ErrorCode code, const std::vector<std::string>& parts) const {
    try {
      read_scores(path);
      ADD_FAILURE() << path << " was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
      for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }

  std::string npy(const std::string& header, const std::string& data, const std::string& name = "a.npy") const {
    write_bytes(dir_ / "a.index.txt", "x 0\ny 1\n");
    const auto length = static_cast<std::uint16_t>(header.size());
    return file(name, std::string("\x93NUMPY\x01\x00", 8) + bytes_of<std::uint16_t>({length}) + header + data);
  }

  TempDir dir_;
};

ScoreTable example() {
  ScoreTable table = table_of({"a b/x, \"1\".avi", "y\n2.avi", "z.avi"}, {1, 0, -1}, 3,
                              {0.1F, -1.5e-42F, 3e38F, 1.0F / 3, 16777217.0F, -0.0F, 1e-45F, 123456.789F, 2});
  table.classes = {"Baby, Crawling", "say \"hi\"", "3"};
  table.kind = ScoreKind::kLogits;
  return table;
}

void expect_same(const ScoreTable& a, const ScoreTable& b) {
  EXPECT_EQ(a.paths, b.paths);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.kind, b.kind);
  ASSERT_EQ(a.scores.shape(), b.scores.shape());
  EXPECT_EQ(std::memcmp(a.scores.raw(), b.scores.raw(), a.scores.bytes()), 0);
}

TEST_F(ScoreFile, csv_gives_back_every_bit_and_every_name) {
  const ScoreTable table = example();
  write_scores(dir_ / "s.csv", table);
  expect_same(read_scores(dir_ / "s.csv"), table);
}

TEST_F(ScoreFile, arrays_give_back_every_bit_with_their_index) {
  ScoreTable table = example();
  table.paths[1] = "with blanks 7.avi";
  for (const std::string name : {"s.npy", "s.f32"}) {
    write_scores(dir_ / name, table);
    EXPECT_THAT(score_sources_of(dir_ / name), ElementsAre(dir_ / name, dir_ / "s.index.txt"));
    ScoreTable expected = table;
    expected.classes.clear();  // an array has no place for them
    expected.kind = ScoreKind::kUnknown;
    expect_same(read_scores(dir_ / name), expected);
  }
}

TEST_F(ScoreFile, a_table_without_class_names_stays_one) {
  ScoreTable table = example();
  table.classes.clear();
  write_scores(dir_ / "s.csv", table);
  expect_same(read_scores(dir_ / "s.csv"), table);
  EXPECT_THAT(read_text_file(dir_ / "s.csv"), HasSubstr("path,label,kind,0,1,2\n"));
}

TEST_F(ScoreFile, csv_without_kind_with_names_numbers_or_nothing_as_labels_is_read) {
  const ScoreTable table = read_scores(
      file("s.csv",
           "\xEF\xBB\xBFpath,label,run,jump\r\na.avi,jump,1, +2.5 \r\nb.avi,0,1e-60,2\r\nc.avi,,3,4\r\nd.avi,-1,3,4\r\n"));
  EXPECT_THAT(table.labels, ElementsAre(1, 0, -1, -1));
  EXPECT_THAT(table.classes, ElementsAre("run", "jump"));
  EXPECT_EQ(table.kind, ScoreKind::kUnknown);
  EXPECT_THAT(table.scores.values<float>(), ElementsAre(1, 2.5, 0, 2, 3, 4, 3, 4));
}

TEST_F(ScoreFile, malformed_csv_is_one_line_that_names_place_and_value) {
  const auto expect_bad = [&](const std::string& text, const std::vector<std::string>& parts) {
    expect_error(file("bad.csv", text), ErrorCode::kBadData, parts);
  };
  expect_bad("", {"bad.csv"});
  expect_bad("clip,label,a\nx,0,1\n", {"bad.csv line 1", "path, label", "clip,label,a"});
  expect_bad("path,label\nx,0\n", {"bad.csv line 1", "no column of scores"});
  expect_bad("path,label,kind\nx,0,logits\n", {"bad.csv line 1", "no column of scores"});
  expect_bad("path,label,a,b\n", {"bad.csv", "no rows"});
  expect_bad("path,label,a,b\nx,0,1,2\nx,0,1,2\n", {"bad.csv", "'x'", "twice", "1 and 2"});
  expect_bad("path,label,a,b\nx,0,1,2\ny,c,1,2\n", {"bad.csv line 3", "'c'", "2 classes"});
  expect_bad("path,label,a,b\nx,2,1,2\n", {"bad.csv line 2", "'2'", "2 classes"});
  expect_bad("path,label,a,b\nx,-2,1,2\n", {"bad.csv line 2", "'-2'"});
  expect_bad("path,label,a,b\nx,0,1,zwei\n", {"bad.csv line 2", "'zwei'"});
  expect_bad("path,label,a,b\nx,0,1,\n", {"bad.csv line 2", "''"});
  expect_bad("path,label,a,b\nx,0,1,2 3\n", {"bad.csv line 2", "'2 3'"});
  expect_bad("path,label,a,b\nx,0,1,nan\n", {"bad.csv", "'x'", "class 1", "nan"});
  expect_bad("path,label,a,b\nx,0,1,1e39\n", {"bad.csv", "'x'", "class 1", "inf"});
  expect_bad("path,label,a,b\nx,0,1\n", {"bad.csv line 2", "3 fields", "4"});
  expect_bad("path,label,a,\nx,0,1,2\n", {"bad.csv line 1", "column 4 has no name"});
  expect_bad("path,label,a,a\nx,0,1,2\n", {"bad.csv line 1", "'a' occurs twice"});
  expect_bad("path,label,a,b\n,0,1,2\n", {"bad.csv line 2", "path is empty"});
  expect_bad("path,label,kind,a,b\nx,0,odds,1,2\n", {"bad.csv line 2", "'odds'"});
  expect_bad("path,label,kind,a,b\nx,0,logits,1,2\ny,0,probabilities,1,0\n",
             {"bad.csv line 3", "'probabilities'", "'logits'"});
  expect_bad("path,label,kind,a,b\nx,0,logits,1,2\ny,0,,1,0\n", {"bad.csv line 3", "''", "'logits'"});
  expect_bad("path,label,kind,a,b\nx,0,probabilities,0.5,0.6\n", {"bad.csv", "'x'", "1.1"});
  expect_bad("path,label,kind,a,b\nx,0,probabilities,1.5,-0.5\n", {"bad.csv", "'x'", "class 0", "1.5"});
}

TEST_F(ScoreFile, numpy_arrays_of_both_widths_and_any_key_order_are_read) {
  const std::string header = "{'shape': (2, 2), 'fortran_order': False, \"descr\": '<f8'}        \n";
  EXPECT_THAT(read_scores(npy(header, bytes_of<double>({1, 2.5, 1e-300, -4}))).scores.values<float>(),
              ElementsAre(1, 2.5, 0, -4));
  const std::string wide = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
  for (const char version : {'\2', '\3'}) {
    write_bytes(dir_ / "a.npy", std::string("\x93NUMPY") + version + '\0' +
                                    bytes_of<std::uint32_t>({static_cast<std::uint32_t>(wide.size())}) + wide +
                                    bytes_of<float>({1, 2, 3, 4}));
    EXPECT_THAT(read_scores(dir_ / "a.npy").scores.values<float>(), ElementsAre(1, 2, 3, 4));
  }
}

TEST_F(ScoreFile, malformed_arrays_are_one_line_that_names_both_values) {
  const std::string four = bytes_of<float>({1, 2, 3, 4});
  const auto header = [](const std::string& descr, const std::string& order, const std::string& shape) {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  };
  const auto expect_bad = [&](const std::string& head, const std::string& data, const std::vector<std::string>& parts) {
    expect_error(npy(head, data), ErrorCode::kBadData, parts);
  };
  expect_bad(header(">f4", "False", "(2, 2)"), four, {"a.npy", "'<f4'", "'>f4'"});
  expect_bad(header("<i8", "False", "(2, 2)"), four, {"'<i8'"});
  expect_bad(header("<f4", "True", "(2, 2)"), four, {"fortran_order", "'True'"});
  expect_bad(header("<f4", "False", "(4,)"), four, {"[clips, classes]", "[4]"});
  expect_bad(header("<f4", "False", "()"), four, {"[clips, classes]", "[]"});
  expect_bad(header("<f4", "False", "(2, 2, 1)"), four, {"[2, 2, 1]"});
  expect_bad(header("<f4", "False", "(2, 3)"), four, {"[2, 3]", "16 bytes"});
  expect_bad(header("<f4", "False", "(2, 1)"), four, {"[2, 1]", "16 bytes"});
  expect_bad(header("<f4", "False", "(4, 1)"), four, {"4 rows", "2 clips"});
  expect_bad(header("<f4", "False", "(0, 2)"), "", {"[0, 2]"});
  expect_bad(header("<f4", "False", "(4611686018427387905, 4)"), four, {"4611686018427387905"});  // 4 elements, modulo 2^64
  expect_bad(header("<f4", "False", "(4611686018427387905, 1)"), four, {"16 bytes"});             // 4 bytes, modulo 2^64
  expect_bad(header("<f4", "False", "(99999999999999999999, 1)"), four, {"not NumPy's"});
  expect_bad(header("<f4", "False", "(-2, 2)"), four, {"not NumPy's"});
  expect_bad("{'descr': '<f4'", four, {"not NumPy's"});
  expect_bad("{'descr': [('a', '<f4')], }", four, {"not NumPy's"});
  expect_bad("{'evil': 'x'}", four, {"'evil'"});
  expect_bad("", four, {"not NumPy's"});
  expect_bad(header("<f4", "False", "(2, 2)"), bytes_of<float>({1, 2, 3, std::numeric_limits<float>::infinity()}),
             {"'y'", "inf"});
  expect_bad(header("<f8", "False", "(1, 2)"), bytes_of<double>({1, 1e300}), {"a.npy"});
  for (const std::string& bytes :
       {std::string(), std::string("\x93NUM"), std::string("\x93NUMPY\x01"), std::string("\x93NUMPY\x09\0\0\0\0\0\0\0", 14),
        std::string("\x93NUMPY\x01\0\xFF\xFF{}", 12), std::string("\x93NUMPY\x02\0\xFF\xFF\xFF\xFF{}", 14)}) {
    expect_error(file("a.npy", bytes), ErrorCode::kBadData, {"a.npy"});
  }
}

TEST_F(ScoreFile, raw_floats_must_fill_the_rows_of_their_index) {
  write_bytes(dir_ / "r_index.txt", "x 0\ny 1\n");
  EXPECT_THAT(read_scores(file("r.f32", bytes_of<float>({1, 2, 3, 4}))).scores.shape(), ElementsAre(2, 2));
  expect_error(file("r.f32", bytes_of<float>({1, 2, 3})), ErrorCode::kBadData, {"r.f32", "12 bytes", "2 rows"});
  expect_error(file("r.f32", ""), ErrorCode::kBadData, {"r.f32", "0 bytes"});
  expect_error(file("r.f32", bytes_of<float>({1, std::nanf(""), 3, 4})), ErrorCode::kBadData,
               {"r.f32", "'x'", "class 1", "nan"});
  expect_error(file("r.f32", bytes_of<float>({1, 2})), ErrorCode::kBadData, {"r.f32", "label 1", "1 classes"});
}

TEST_F(ScoreFile, index_lines_are_checked) {
  write_bytes(dir_ / "r.f32", bytes_of<float>({1, 2}));
  for (const auto& [text, part] : {std::pair{"x\n", "'x'"},
                                   {"x y\n", "'x y'"},
                                   {"x -2\n", "'x -2'"},
                                   {"x 1.5\n", "'x 1.5'"},
                                   {"", "empty"},
                                   {"x 99999999999999999999\n", "PATH LABEL"}}) {
    write_bytes(dir_ / "r.index.txt", text);
    expect_error(dir_ / "r.f32", ErrorCode::kBadData, {"r.index.txt", part});
  }
  write_bytes(dir_ / "r.index.txt", "a clip  with blanks 12.avi \t 1 \r\n");
  EXPECT_THAT(read_scores(dir_ / "r.f32").paths, ElementsAre("a clip  with blanks 12.avi"));
}

TEST_F(ScoreFile, missing_files_and_unknown_extensions_are_named) {
  expect_error(dir_ / "none.csv", ErrorCode::kFailed, {"none.csv", "no such file"});
  expect_error(dir_ / "none.f32", ErrorCode::kFailed, {"none.f32", "no such file"});
  expect_error(file("r.f32", "1234"), ErrorCode::kFailed, {"r.f32", "r.index.txt", "r_index.txt"});
  expect_error(dir_ / "scores.pkl", ErrorCode::kUsage, {"scores.pkl", ".csv, .npy or .f32", "'.pkl'"});
  EXPECT_THROW(write_scores(dir_ / "scores.txt", example()), Error);
}

TEST_F(ScoreFile, an_index_can_be_named) {
  write_bytes(dir_ / "r.f32", bytes_of<float>({1, 2}));
  write_bytes(dir_ / "r.index.txt", "wrong 0\n");
  write_bytes(dir_ / "other.txt", "right 0\n");
  EXPECT_THAT(read_scores(dir_ / "r.f32", dir_ / "other.txt").paths, ElementsAre("right"));
}

TEST_F(ScoreFile, what_cannot_be_written_leaves_the_old_file) {
  write_bytes(dir_ / "s.csv", "old");
  ScoreTable table = example();
  for (const std::string name : {"path", "label", "kind", "say \"hi\"", ""}) {
    table.classes[0] = name;
    EXPECT_THROW(check_storable(dir_ / "s.csv", table), Error) << name;
    EXPECT_THROW(write_scores(dir_ / "s.csv", table), Error) << name;
  }
  EXPECT_EQ(read_text_file(dir_ / "s.csv"), "old");
  EXPECT_NO_THROW(check_storable(dir_ / "s.csv", example()));
  for (const std::string path : {"a\nb", " a", "a\t", ""}) {
    table = example();
    table.paths[1] = path;
    EXPECT_THROW(check_storable(dir_ / "s.npy", table), Error);
    EXPECT_THROW(write_scores(dir_ / "s.npy", table), Error);
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "s.npy"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "s.index.txt"));
}

TEST_F(ScoreFile, damaged_bytes_are_read_or_refused_but_never_crash) {
  ScoreTable table = example();
  table.paths[1] = "y.avi";
  Rng rng(3);
  for (const std::string name : {"s.csv", "s.npy", "s.f32"}) {
    write_scores(dir_ / name, table);
    const std::string good = read_text_file(dir_ / name);
    int refused = 0;
    for (int i = 0; i < 400; ++i) {
      std::string bad = good;
      if (rng.chance(0.3)) bad.resize(static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(bad.size()))));
      for (std::int64_t k = rng.below(4); k > 0 && !bad.empty(); --k) {
        bad[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(bad.size())))] = static_cast<char>(rng.below(256));
      }
      write_bytes(dir_ / name, bad);
      try {
        read_scores(dir_ / name);
      } catch (const Error& error) {
        ++refused;
        EXPECT_EQ(error.code(), ErrorCode::kBadData) << error.what();
      }
    }
    EXPECT_GT(refused, 50) << name;
  }
}

}  // namespace
}  // namespace actio::eval
