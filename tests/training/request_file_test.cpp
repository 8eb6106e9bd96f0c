#include "training/request_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "core/error.h"
#include "core/file.h"
#include "core/toml_text.h"
#include "net/builder.h"
#include "support/temp_dir.h"
#include "training/reproduce/runner.h"

namespace actio::training {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TempDir;

// With something in everything that it can hold.
TrainRequest full_request() {
  TrainRequest request;
  request.data = "videos/labels.csv";
  request.output = "out/model.actio";
  request.spec = paper_spec("stfn");
  for (const Setting& setting : {Setting{"network", "fusion_weights", "1,1.5", "the flag --fusion-weights"},
                                 Setting{"preprocess", "motion", "flow", "the flag --motion"},
                                 Setting{"data", "fold", "person 1,person 2", "the flag --fold"},
                                 Setting{"train", "learning_rate", "0.1234567890123456", "the flag --learning-rate"},
                                 Setting{"train", "seed", "9007199254740993", "the flag --seed"},
                                 Setting{"cache", "flow_cache", "/flow", "the flag --flow-cache"}}) {
    apply(setting, request.spec);
    request.settings.push_back(setting);
  }
  request.spec.train.epochs = 7;  // by the caller, who left it open
  request.stages = read_stages(parse_toml("[[stage]]\nname = \"a\"\ntrain = {epochs = 3}\n[[stage]]\nname = \"b\"\n"
                                          "init = [\"first_weights\", \"a\"]\nnetwork = {streams = \"rgb\"}\ntrain = {learning_rate = 1e-5}\n",
                                          "t"),
                               "t");
  request.config = "mine.toml";
  request.init = {"a,b.actio", "second.pth"};
  request.partial = true;
  request.existing = Existing::kReplaceChanged;
  request.folds = "all";
  request.stage_cache = "stages";
  request.scores = "scores.csv";
  request.log = "log.jsonl";
  request.tensorboard = "events";
  return request;
}

Json tables_of(TrainSpec spec) {
  Json tables;
  for (const std::string& table : spec_tables()) {
    for (const Field& field : spec.fields(table)) {
      const std::string name = table + "." + field.name;
      tables[name] = {fields_to_json({field}).at(field.name), spec.chosen.has_name(name)};
    }
  }
  return tables;
}

void expect_same(const TrainRequest& a, const TrainRequest& b) {
  EXPECT_EQ(tables_of(a.spec), tables_of(b.spec));
  EXPECT_EQ(std::tie(a.data, a.output, a.config, a.init, a.partial, a.existing, a.folds, a.stage_cache, a.scores, a.log, a.tensorboard),
            std::tie(b.data, b.output, b.config, b.init, b.partial, b.existing, b.folds, b.stage_cache, b.scores, b.log, b.tensorboard));
  ASSERT_EQ(a.stages.size(), b.stages.size());
  const std::vector<TrainSpec> specs_a = resolve(a.spec, a.stages, a.settings, "a"), specs_b = resolve(b.spec, b.stages, b.settings, "b");
  for (std::size_t i = 0; i < a.stages.size(); ++i) {
    EXPECT_EQ(a.stages[i].name, b.stages[i].name);
    EXPECT_EQ(a.stages[i].init, b.stages[i].init);
    EXPECT_EQ(a.stages[i].tables, b.stages[i].tables);
    EXPECT_EQ(tables_of(specs_a[i]), tables_of(specs_b[i]));
  }
}

class RequestFile : public ::testing::Test {
 protected:
  std::string path() const { return dir_ / "request.json"; }

  // The file of full_request() with other text at one place.
  void change(const std::string& from, const std::string& to) const {
    write_request(path(), full_request());
    std::string text = read_text_file(path());
    ASSERT_NE(text.find(from), std::string::npos) << from;
    write_file_atomically(path(), text.replace(text.find(from), from.size(), to));
  }

  std::string message(ErrorCode code) const {
    try {
      read_request(path());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      EXPECT_THAT(error.what(), HasSubstr(path()));
      return error.what();
    }
    return "no error";
  }

  TempDir dir_;
};

TEST_F(RequestFile, gives_back_everything_that_was_asked_for) {
  const TrainRequest request = full_request();
  write_request(path(), request);
  const TrainRequest back = read_request(path());
  expect_same(request, back);
  EXPECT_EQ(back.settings.size() + 1, request.settings.size()) << "stages do not differ in the data";
  write_request(dir_ / "again.json", back);
  EXPECT_EQ(read_text_file(dir_ / "again.json"), read_text_file(path()));
  TrainRequest plain;
  plain.data = "d";
  plain.output = "o";
  write_request(path(), plain);
  expect_same(plain, read_request(path()));
}

TEST_F(RequestFile, may_say_no_more_than_what_differs_from_the_defaults) {
  write_file_atomically(path(), R"({"actio.request": 1, "kind": "train", "data": "d", "output": "o", "chosen": {"train": {"epochs": 3}}})");
  const TrainRequest request = read_request(path());
  EXPECT_EQ(request.spec.train.epochs, 3);
  EXPECT_TRUE(request.spec.chosen.has(&TrainOptions::epochs));
  EXPECT_FALSE(request.spec.chosen.has(&TrainOptions::seed));
  EXPECT_EQ(request.spec.train.batch_size, TrainOptions().batch_size);
  EXPECT_EQ(request.existing, Existing::kRefuse);
}

TEST_F(RequestFile, holds_a_network_of_ones_own) {
  net::Builder b("mine", 2);
  const net::Value pooled = b.apply(net::Op::kGlobalAvgPool, "pool", {b.input("rgb", {3, 16, 16})});
  const net::Value scores = b.apply(net::Op::kSegmentMean, "mean", {b.linear("fc", pooled, 2)});
  b.head("clip", scores);
  TrainRequest request;
  request.data = "clips";
  request.output = "m.actio";
  request.spec.own = std::make_shared<OwnNetwork>(b.finish(scores, b.apply(net::Op::kSoftmax, "output", {scores})),
                                                  inputs_of({"rgb"}, Preprocess{.input_size = 16}));
  write_request(path(), request);
  const TrainRequest back = read_request(path());
  ASSERT_TRUE(back.spec.own);
  EXPECT_EQ(back.spec.own->spec, request.spec.own->spec);
  EXPECT_EQ(back.spec.own->inputs, request.spec.own->inputs);
}

TEST_F(RequestFile, keeps_names_of_files_that_are_not_utf8) {
  TrainRequest request;
  request.data = "\xFF\xC3\xBC\x80.csv";
  request.output = "\xC3\xBC.actio";
  request.init = {"a", "\xE9"};
  request.spec.dataset.root = "/r\xFFt";
  write_request(path(), request);
  expect_same(request, read_request(path()));
}

TEST_F(RequestFile, is_refused_with_the_nearest_name_where_it_says_what_nobody_knows) {
  change("\"chosen\"", "\"choosen\"");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("unknown key 'choosen'; the nearest is 'chosen'"));
  change("\"stage_cache\"", "\"stage_cash\"");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("unknown key 'stage_cash'; the nearest is 'stage_cache'"));
  change("\"learning_rate\"", "\"learning_rat\"");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("chosen: [train]: unknown option 'learning_rat'; the nearest is 'learning_rate'"));
  change("\"epochs\": 3", "\"epoch\": 3");
  EXPECT_THAT(message(ErrorCode::kUsage), AllOf(HasSubstr("[[stage]] a"), HasSubstr("unknown option 'epoch'; the nearest is 'epochs'")));
  change("\"cache\": {", "\"cach\": {");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("unknown table 'cach'; the nearest is 'cache'"));
  change("\"restart_changed\"", "\"restart_change\"");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("existing: unknown value 'restart_change'; the nearest is 'restart_changed'"));
  change("\"over_stages\": {", "\"over_stages\": {\"stage\": {},");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("over_stages: unknown table 'stage'"));
  change("\"layout\": \"auto\"", "\"fold\": [], \"layout\": \"auto\"");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("data.fold is both chosen and open"));
}

TEST_F(RequestFile, is_refused_in_one_line_where_it_is_damaged_newer_or_of_other_work) {
  change("\"actio.request\": 1", "\"actio.request\": 2");
  EXPECT_THAT(message(ErrorCode::kFailed), HasSubstr("is a request of version 2, this program reads up to 1"));
  change("\"actio.request\": 1", "\"actio.request\": \"1\"");
  EXPECT_THAT(message(ErrorCode::kBadData), HasSubstr("a version from 1 to 1 was expected"));
  change("\"actio.request\": 1,", "");
  EXPECT_THAT(message(ErrorCode::kBadData), HasSubstr("is no request"));
  change("\"train\"", "\"evaluate\"");
  EXPECT_THAT(message(ErrorCode::kBadData), HasSubstr("is no request for 'train': its kind is \"evaluate\""));
  change("\"epochs\": 7", "\"epochs\": 7, \"epochs\": 8");
  EXPECT_THAT(message(ErrorCode::kBadData), HasSubstr("the key 'epochs' occurs twice"));
  change("\"partial\": true", "\"partial\": 1");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("partial must be true or false, got '1'"));
  change("\"data\": \"videos/labels.csv\",", "");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("has no 'data'"));
  change("\"videos/labels.csv\"", "{\"latin-1\": \"\xE2\x82\xAC\"}");
  EXPECT_THAT(message(ErrorCode::kBadData), HasSubstr("has a character that is no byte"));
  change("\"flow\"", "{\"latin-1\": \"\xC3\xBF\"}");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("motion: unknown value"));
  change("\"epochs\": 7", "\"epochs\": {\"latin-1\": \"\xC3\xBF\"}");
  EXPECT_THAT(message(ErrorCode::kUsage), HasSubstr("epochs must be a whole number"));
  const std::string whole = read_text_file(path());
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 3}) {
    write_file_atomically(path(), whole.substr(0, size));
    EXPECT_THAT(message(ErrorCode::kBadData), HasSubstr("is not JSON: error at byte"));
  }
  for (const char* text : {"[]", "null", "1", "{}"}) {
    write_file_atomically(path(), text);
    EXPECT_THAT(message(ErrorCode::kBadData), HasSubstr("is no request"));
  }
}

TEST_F(RequestFile, of_a_row_is_what_its_command_says) {
  write_file_atomically(dir_ / "row.toml", "[train]\nepochs = 4\nseed = 9\n[[stage]]\nname = \"only\"\ntrain = {seed = 8}\n");
  const RowTraining work = {.data = "d",
                            .output = "o",
                            .config = dir_ / "row.toml",
                            .stage_cache = "stages",
                            .folds = "1,2",
                            .seed = 5,
                            .init = {"first.pth"},
                            .data_options = {{"data", "group", "person", "the flag --group"}}};
  const TrainRequest request = request_of(work);
  EXPECT_EQ(request.existing, Existing::kReplaceChanged);
  EXPECT_EQ(request.folds, "1,2");
  EXPECT_EQ(request.spec.dataset.group, "person");
  EXPECT_TRUE(request.spec.chosen.has(&data::DatasetOptions::group));
  const std::vector<TrainSpec> specs = resolve(request.spec, request.stages, request.settings, request.config);
  ASSERT_EQ(specs.size(), 1U);
  EXPECT_EQ(specs[0].train.seed, 5) << "flags win over stages";
  EXPECT_EQ(specs[0].train.epochs, 4);
  write_request(path(), request);
  expect_same(request, read_request(path()));
}

}  // namespace
}  // namespace actio::training
