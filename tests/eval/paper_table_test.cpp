#include "eval/paper_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "core/error.h"
#include "core/toml_text.h"

namespace actio::eval {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const fs::path kConfigs = fs::path(ACTIO_SOURCE_DIR) / "configs";

std::vector<PaperTable> tables_of(const std::string& paper) {
  return read_paper_tables(read_toml(kConfigs / "papers" / (paper + ".toml")), paper + ".toml");
}

std::vector<PaperTable> all_tables() {
  std::vector<PaperTable> tables = tables_of("stfn");
  for (PaperTable& table : tables_of("if_ttn")) tables.push_back(std::move(table));
  return tables;
}

std::string message_of(const std::string& toml) {
  try {
    read_paper_tables(parse_toml(toml, "x.toml"), "x.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "no error";
}

std::string table_with(const std::string& row) {
  return "[[table]]\nname = \"t-1\"\ncaption = \"c\"\ncolumns = [\"UCF101\"]\nrow = [" + row + "]\n";
}

TEST(PaperTables, have_every_row_of_the_papers) {
  std::map<std::string, std::size_t> rows;
  for (const PaperTable& table : all_tables()) rows[table.name] = table.rows.size();
  // Table 5 of STFN is laid out with a row for each of its 12 figures' networks and streams, table 4 of IF-TTN for each kind
  // of motion; table 1 has a row more for the second reading of figure 4b, table 2 the two weighted averages of the text,
  // section 4.3 three rows for its second reading.
  const std::map<std::string, std::size_t> expected = {
      {"stfn-1", 4},   {"stfn-2", 5},   {"stfn-3", 3},   {"stfn-4", 4},   {"stfn-4.3", 7},  {"stfn-5", 6},   {"stfn-6", 20},
      {"if-ttn-1", 3}, {"if-ttn-2", 3}, {"if-ttn-3", 5}, {"if-ttn-4", 5}, {"if-ttn-5", 10}, {"if-ttn-6", 19}};
  EXPECT_EQ(rows, expected);
}

TEST(PaperTables, name_configurations_that_exist_and_leave_out_none) {
  std::set<std::string> named;
  std::map<std::string, std::vector<std::string>> keep;
  for (const PaperTable& table : all_tables()) {
    for (const PaperRow& row : table.rows) {
      EXPECT_NE(row.parts.empty(), row.absent.empty()) << table.name << " " << row.label;
      for (const PaperPart& part : row.parts) {
        EXPECT_TRUE(fs::exists(kConfigs / part.config)) << part.config;
        // A configuration has one folder of trainings: tables may not differ in what they keep of it.
        EXPECT_EQ(keep.emplace(part.config, table.keep).first->second, table.keep) << part.config;
        named.insert(part.config);
      }
    }
  }
  for (const char* folder : {"stfn", "if_ttn"}) {
    for (const auto& entry : fs::directory_iterator(kConfigs / folder)) {
      EXPECT_TRUE(named.contains(fs::relative(entry.path(), kConfigs).string())) << entry.path() << " is no row's";
    }
  }
}

TEST(PaperTables, agree_with_each_other_and_with_the_text) {
  std::map<std::string, PaperFigures> figures;
  for (const PaperTable& table : all_tables()) {
    for (const PaperRow& row : table.rows) figures[table.name + " " + row.label] = row.paper;
  }
  const auto ucf = [&](const std::string& row) { return *figures.at(row).back(); };
  const auto hmdb = [&](const std::string& row) { return *figures.at(row).front(); };
  // STFN's default network occurs in four tables.
  EXPECT_EQ(figures.at("stfn-1 Fig. 4a"), figures.at("stfn-2 Average"));
  EXPECT_EQ(figures.at("stfn-1 Fig. 4a"), figures.at("stfn-3 A↔M"));
  EXPECT_EQ(figures.at("stfn-1 Fig. 4a"), figures.at("stfn-4 5"));
  // Differences that its text gives: sec. 4.6 (7 segments), 4.7 (backbones), 4.8 (TSN, late fusion).
  EXPECT_NEAR(hmdb("stfn-4 7") - hmdb("stfn-4 5"), 0.4, 1e-9);
  EXPECT_NEAR(ucf("stfn-4 7") - ucf("stfn-4 5"), 0.4, 1e-9);
  EXPECT_NEAR(hmdb("stfn-5 Inception-V3, Appear.") - hmdb("stfn-5 ResNet-101, Appear."), 3.0, 1e-9);
  EXPECT_NEAR(hmdb("stfn-5 Inception-V3, Motion") - hmdb("stfn-5 ResNet-101, Motion"), 1.1, 1e-9);
  EXPECT_NEAR(ucf("stfn-5 Inception-V3, Appear.") - ucf("stfn-5 ResNet-101, Appear."), 1.3, 1e-9);
  EXPECT_NEAR(ucf("stfn-5 Inception-V3, Motion") - ucf("stfn-5 ResNet-101, Motion"), 2.1, 1e-9);
  EXPECT_NEAR(hmdb("stfn-6 STFN (Inception-V3)") - hmdb("stfn-5 Inception-V3, Late Fusion"), 9.4, 1e-9);
  EXPECT_NEAR(ucf("stfn-6 STFN (Inception-V3)") - ucf("stfn-5 Inception-V3, Late Fusion"), 3.1, 1e-9);
  EXPECT_NEAR(hmdb("stfn-6 STFN (ResNet-101)") - hmdb("stfn-5 ResNet-101, Late Fusion"), 10.1, 1e-9);
  EXPECT_NEAR(ucf("stfn-6 STFN (ResNet-101)") - ucf("stfn-5 ResNet-101, Late Fusion"), 2.5, 1e-9);
  // Sec. 4.3: one block is design b, two are design a, three and four lose.
  EXPECT_EQ(figures.at("stfn-4.3 1 (fig. 4b)"), figures.at("stfn-1 Fig. 4b"));
  EXPECT_EQ(figures.at("stfn-4.3 2 (fig. 4a)"), figures.at("stfn-1 Fig. 4a"));
  EXPECT_NEAR(hmdb("stfn-1 Fig. 4a") - hmdb("stfn-4.3 3"), 3.8, 1e-9);
  EXPECT_NEAR(ucf("stfn-1 Fig. 4a") - ucf("stfn-4.3 3"), 4.1, 1e-9);
  EXPECT_NEAR(hmdb("stfn-1 Fig. 4a") - hmdb("stfn-4.3 4"), 6.5, 1e-9);
  EXPECT_NEAR(ucf("stfn-1 Fig. 4a") - ucf("stfn-4.3 4"), 6.9, 1e-9);
  EXPECT_EQ(figures.at("stfn-1 Fig. 4b without fusion"), figures.at("stfn-1 Fig. 4b")) << "two readings of one row";
  // IF-TTN sec. 4.3: 1.9 above two streams, motion vectors 0.6 below flow.
  EXPECT_NEAR(ucf("if-ttn-3 complete IF-TTN") - ucf("if-ttn-3 Two-stream CNN"), 1.9, 1e-9);
  EXPECT_NEAR(ucf("if-ttn-4 IF-TTN, optical flow") - ucf("if-ttn-4 IF-TTN, motion vectors"), 0.6, 1e-9);
  EXPECT_EQ(figures.at("if-ttn-6 MV-IF-TTN").front(), figures.at("if-ttn-5 MV-IF-TTN").front());
}

TEST(PaperTables, test_and_fuse_each_row_as_its_authors_do) {
  std::map<std::string, PaperRow> rows;
  for (const PaperTable& table : all_tables()) {
    for (const PaperRow& row : table.rows) rows[table.name + " " + row.label] = row;
  }
  for (const char* label : {"stfn-6 TSN [46]", "if-ttn-5 TSN(RGB+Optical flow) [27]", "if-ttn-6 Two stream TSN [27]"}) {
    const PaperRow& row = rows.at(label);
    EXPECT_EQ(row.protocol, data::ProtocolName::kTsn) << label;
    EXPECT_EQ(row.average, Average::kLogits) << label;
    ASSERT_EQ(row.parts.size(), 2U);
    EXPECT_EQ(row.parts[0].weight, 1);
    EXPECT_EQ(row.parts[1].weight, 1.5);
  }
  for (const char* label : {"if-ttn-5 TSN(RGB) [27]", "if-ttn-5 TSN(RGB+RGB Difference) [27]", "if-ttn-6 TSN(RGB) [27]",
                            "if-ttn-6 TSN(RGB+RGB Difference) [27]"}) {
    EXPECT_EQ(rows.at(label).protocol, data::ProtocolName::kTsn) << label;
    EXPECT_EQ(rows.at(label).average, Average::kLogits) << label;
  }
  for (const char* label : {"stfn-6 Two-stream [31]", "stfn-6 ST-ResNet [7]", "stfn-6 ST-Multiplier [8]",
                            "if-ttn-6 Two stream CNN [15]", "if-ttn-6 Spatiotemporal Multiplier Network [6]"}) {
    EXPECT_EQ(rows.at(label).protocol, data::ProtocolName::kTsn) << label;
    EXPECT_EQ(rows.at(label).average, Average::kProbabilities) << label;
  }
  EXPECT_EQ(rows.at("if-ttn-3 Two-stream CNN").average, Average::kLogits);
  EXPECT_EQ(rows.at("if-ttn-6 Full IF-TTN").average, Average::kLogits);
  EXPECT_EQ(rows.at("if-ttn-6 Full IF-TTN").protocol, data::ProtocolName::kCentre);
  EXPECT_EQ(rows.at("stfn-5 ResNet-101, Late Fusion").average, Average::kProbabilities);
  EXPECT_EQ(rows.at("stfn-6 STFN (ResNet-101)").protocol, data::ProtocolName::kStfn);
}

TEST(PaperTables, are_chosen_by_name_by_paper_or_all) {
  const std::vector<PaperTable> all = all_tables();
  const auto names = [&](const std::vector<std::string>& wanted) {
    std::vector<std::string> chosen;
    for (const PaperTable& table : choose_tables(all, wanted)) chosen.push_back(table.name);
    return chosen;
  };
  EXPECT_EQ(names({"all"}).size(), all.size());
  EXPECT_EQ(names({"stfn"}).size(), 7U);
  EXPECT_THAT(names({"if-ttn-3", "stfn-2", "if-ttn-3"}), ElementsAre("stfn-2", "if-ttn-3"));
  try {
    names({"if_ttn-3"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown table 'if_ttn-3'; the nearest is 'if-ttn-"));
  }
  EXPECT_TRUE(is_label_of("TSN", PaperRow{.label = "TSN [46]"}));
  EXPECT_FALSE(is_label_of("TS", PaperRow{.label = "TSN [46]"}));
}

TEST(PaperTables, refuse_what_no_row_can_be) {
  EXPECT_EQ(message_of(table_with("{label = \"a\", paper = [\"-\"], absent = \"b\"}")), "no error");
  EXPECT_THAT(message_of(table_with("{label = \"a\", paper = [101], absent = \"b\"}")), HasSubstr("101 is no percentage"));
  EXPECT_THAT(message_of(table_with("{label = \"a\", paper = [0.95, 1], absent = \"b\"}")),
              HasSubstr("2 figures, the table 1 columns"));
  EXPECT_THAT(message_of(table_with("{label = \"a\", paper = [95]}")), HasSubstr("either config, fuse or absent"));
  EXPECT_THAT(message_of(table_with("{label = \"a\", paper = [95], config = \"c\", absent = \"b\"}")),
              HasSubstr("either config, fuse or absent"));
  EXPECT_THAT(message_of(table_with("{label = \"a\", paper = [95], confg = \"c\"}")), HasSubstr("the nearest is 'config'"));
  EXPECT_THAT(message_of(table_with("{label = \"a\", paper = [95], fuse = [{config = \"c\"}]}")),
              HasSubstr("two parts or more"));
  EXPECT_THAT(
      message_of(table_with("{label = \"a\", paper = [95], fuse = [{config = \"c\"}, {config = \"d\", weight = 0}]}")),
      HasSubstr("weight must be above 0"));
  EXPECT_THAT(
      message_of(table_with("{label = \"a\", paper = [95], absent = \"b\"}, {label = \"a\", paper = [95], absent = \"b\"}")),
      HasSubstr("'a' occurs twice"));
  EXPECT_THAT(message_of(table_with("{label = \"a\", paper = [95], config = \"c\", protocol = \"tsnn\"}")),
              HasSubstr("unknown protocol 'tsnn'; the nearest is 'tsn'"));
  EXPECT_THAT(message_of(table_with("{label = \"a\", paper = [95], config = \"c\", average = \"scores\"}")),
              HasSubstr("average must be probabilities or logits, got 'scores'"));
  EXPECT_THAT(message_of(table_with("")), HasSubstr("needs columns and rows"));
  EXPECT_THAT(message_of("[[table]]\nname = 3\n"), HasSubstr("name must be a text"));
  EXPECT_THAT(message_of("table = 3\n"), HasSubstr("has no [[table]]"));
}

}  // namespace
}  // namespace actio::eval
