#include "core/toml_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace actio {
namespace {

using ::testing::HasSubstr;

TEST(TomlText, reads_as_what_was_written) {
  const Json tables = {
      {"network", {{"backbone", "resnet18"}, {"width", 0.125}, {"odd key", "a \"b\" \\ \n c"}}},
      {"train", {{"learning_rate", 1e-7}, {"steps", {0.4, 0.8}}, {"freeze", Json::array()}, {"bf16", true}, {"epochs", 3}}},
      {"stage",
       {{{"name", "a"}, {"train", {{"epochs", 1}, {"freeze", {"rgb", "motion"}}}}}, {{"name", "b"}, {"init", "a"}}}}};
  const std::string text = toml_text(tables);
  EXPECT_THAT(text, HasSubstr("[[stage]]\nname = \"a\"\ntrain = {epochs = 1, freeze = [\"rgb\", \"motion\"]}\n"));
  // Tables are read in the order of their names.
  EXPECT_EQ(nlohmann::json(parse_toml(text, "x")), nlohmann::json(tables)) << text;
}

TEST(TomlText, refuses_values_outside_of_tables) {
  EXPECT_THROW(toml_text({{"epochs", 3}}), Error);
  EXPECT_EQ(toml_text(Json::object()), "");
}

TEST(TomlText, names_the_text_with_line_and_column_in_errors) {
  try {
    parse_toml("[a]\nb = = 3\n", "configs/x.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("configs/x.toml:2:5"));
  }
}

}  // namespace
}  // namespace actio
