#include "core/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "core/preprocess.h"
#include "support/temp_dir.h"

namespace actio {
namespace {

using ::testing::HasSubstr;

struct Sample {
  bool fast = false;
  std::int64_t count = 3;
  double rate = 0.5;
  std::string kind = "a";
  std::vector<std::int64_t> sizes = {1};
  std::vector<double> steps;
  std::vector<std::string> names;
  Fields fields() {
    return {{"fast", &fast, "whether"}, {"count", &count, "how many", {}, 1, 10}, {"rate", &rate, "how fast", {}, 0, 1},
            {"kind", &kind, "which", {"a", "b"}}, {"sizes", &sizes, "sizes"}, {"steps", &steps, "steps"},
            {"names", &names, "names"}};
  }
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "no error";
}

void set(Sample& sample, const std::string& name, const std::string& text) {
  for (const Field& field : sample.fields()) {
    if (field.name == name) set_field(field, text, "--" + name);
  }
}

TEST(Options, read_every_type_from_text) {
  Sample s;
  set(s, "fast", "true");
  set(s, "count", "7");
  set(s, "rate", "1e-3");
  set(s, "kind", "b");
  set(s, "sizes", "2,-3");
  set(s, "steps", "0.5,0.25");
  set(s, "names", "x,y");
  EXPECT_TRUE(s.fast);
  EXPECT_EQ(s.count, 7);
  EXPECT_DOUBLE_EQ(s.rate, 1e-3);
  EXPECT_EQ(s.kind, "b");
  EXPECT_THAT(s.sizes, ::testing::ElementsAre(2, -3));
  EXPECT_THAT(s.steps, ::testing::ElementsAre(0.5, 0.25));
  EXPECT_THAT(s.names, ::testing::ElementsAre("x", "y"));
}

TEST(Options, survive_the_way_through_json_and_through_text) {
  Sample s;
  s.count = 9;
  s.steps = {0.1, 0.30000000000000004};
  s.names = {"p", "q"};
  Sample from_json, from_text;
  fields_from_json(from_json.fields(), fields_to_json(s.fields()), "test");
  EXPECT_EQ(fields_to_json(from_json.fields()), fields_to_json(s.fields()));
  for (const Field& field : s.fields()) set(from_text, field.name, field_text(field));
  EXPECT_EQ(fields_to_json(from_text.fields()), fields_to_json(s.fields()));
}

TEST(Options, refuse_what_is_not_a_value_of_their_type_and_name_both) {
  Sample s;
  EXPECT_THAT(message_of([&] { set(s, "count", "seven"); }), HasSubstr("count must be a whole number, got 'seven'"));
  EXPECT_THAT(message_of([&] { set(s, "count", "7.5"); }), HasSubstr("whole number"));
  EXPECT_THAT(message_of([&] { set(s, "count", "11"); }), HasSubstr("between 1 and 10, got 11"));
  EXPECT_THAT(message_of([&] { set(s, "rate", "nan"); }), HasSubstr("between"));
  EXPECT_THAT(message_of([&] { set(s, "rate", ""); }), HasSubstr("a number"));
  EXPECT_THAT(message_of([&] { set(s, "fast", "yes"); }), HasSubstr("true or false"));
  EXPECT_THAT(message_of([&] { set(s, "kind", "c"); }), HasSubstr("unknown value 'c'"));
  EXPECT_THAT(message_of([&] { fields_from_json(s.fields(), Json{{"count", "x"}}, "f"); }), HasSubstr("whole number"));
  EXPECT_THAT(message_of([&] { fields_from_json(s.fields(), Json{{"names", {1}}}, "f"); }), HasSubstr("texts"));
  EXPECT_THAT(message_of([&] { fields_from_json(s.fields(), Json::array(), "f"); }), HasSubstr("table"));
}

TEST(Options, name_the_nearest_option_for_an_unknown_key) {
  Sample s;
  EXPECT_EQ(message_of([&] { fields_from_json(s.fields(), Json{{"cuont", 3}}, "x.toml: [train]"); }),
            "x.toml: [train]: unknown option 'cuont'; the nearest is 'count'");
  EXPECT_THAT(message_of([&] { fields_from_json(s.fields(), Json{{"zzzzzzzz", 3}}, "x"); }), HasSubstr("known: fast, count"));
}

TEST(Options, come_from_toml_with_file_line_and_column_in_errors) {
  const testing::TempDir dir;
  write_file_atomically(dir / "good.toml", "[train]\nrate = 0.25\nsizes = [4, 5]\nfast = true\n");
  Sample s;
  fields_from_json(s.fields(), read_toml(dir / "good.toml").at("train"), "good.toml");
  EXPECT_DOUBLE_EQ(s.rate, 0.25);
  EXPECT_THAT(s.sizes, ::testing::ElementsAre(4, 5));
  write_file_atomically(dir / "bad.toml", "[train]\nrate = = 3\n");
  EXPECT_THAT(message_of([&] { read_toml(dir / "bad.toml"); }), HasSubstr("bad.toml:2:8"));
}

TEST(Options, refuse_toml_with_characters_where_none_can_be) {
  const testing::TempDir dir;
  for (const char* text : {"[/train]\nrate = 1\n", "[[*]]\n", "rate = \xcf\xa5\n", "rate = \xe3\x81\x82\n", "\xc3\xa9 = 1\n"}) {
    write_file_atomically(dir / "odd.toml", text);
    EXPECT_THAT(message_of([&] { read_toml(dir / "odd.toml"); }), HasSubstr("odd.toml")) << text;
  }
}

TEST(Options, of_preprocessing_survive_the_way_through_json) {
  Preprocess p;
  p.motion = Motion::kVectors;
  p.rgb_mean = {127.5, 127.5, 127.5};
  Preprocess q;
  fields_from_json(q.fields(), fields_to_json(p.fields()), "test");
  EXPECT_EQ(fields_to_json(q.fields()), fields_to_json(p.fields()));
}

TEST(Options, leave_out_the_empty_names_of_a_list) {
  std::vector<std::string> names;
  const Field field{"names", &names, "names"};
  for (const char* text : {"x,,", ",x", "x", "x,"}) {
    set_field(field, text, "test");
    EXPECT_EQ(names, std::vector<std::string>{"x"}) << text;
    EXPECT_EQ(field_text(field), "x");
  }
}

TEST(Options, refuse_numbers_that_would_wrap) {
  Sample s;
  for (const char* text : {R"({"sizes": [9223372036854775808]})", R"({"sizes": [18446744073709551615]})"}) {
    EXPECT_THAT(message_of([&] { fields_from_json(s.fields(), Json::parse(text), "x"); }),
                HasSubstr("sizes must be 9223372036854775807 at most, got '"));
  }
  fields_from_json(s.fields(), Json::parse(R"({"sizes": [9223372036854775807]})"), "x");
  EXPECT_THAT(s.sizes, ::testing::ElementsAre(INT64_MAX));
}

TEST(Preprocess, has_its_choices_by_name_and_refuses_others) {
  Preprocess preprocess;
  fields_from_json(preprocess.fields(), {{"key_frames", "zero"}, {"motion", "flow"}, {"motion_window", "centred"}, {"resize", "stretch"}}, "x");
  EXPECT_EQ(preprocess.key_frames, KeyFrames::kZero);
  EXPECT_EQ(preprocess.motion, Motion::kFlow);
  EXPECT_EQ(preprocess.motion_window, MotionWindow::kCentred);
  EXPECT_EQ(preprocess.resize, Resize::kStretch);
  EXPECT_EQ(message_of([&] { fields_from_json(preprocess.fields(), {{"key_frames", "cary"}}, "x"); }),
            "x: key_frames: unknown value 'cary'; the nearest is 'carry'");
  EXPECT_EQ(message_of([&] { fields_from_json(preprocess.fields(), {{"motion", 1}}, "x"); }), "x: motion must be text, got '1'");
  EXPECT_EQ(preprocess.key_frames, KeyFrames::kZero) << "a value that is refused changes nothing";
}

TEST(Names, are_those_of_one_table) {
  EXPECT_EQ(name_of(Motion::kVectors), "mv");
  EXPECT_EQ(value_named<Motion>("motion", "rgbdiff"), Motion::kRgbDifference);
  EXPECT_EQ(message_of([] { value_named<Motion>("motion", "optic"); }), "unknown motion 'optic'; known: none, mv, rgbdiff, flow");
}

}  // namespace
}  // namespace actio
