// A request to evaluate as a file.
#include "recognize/evaluation_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "support/temp_dir.h"

namespace actio::recognize {
namespace {

using ::testing::HasSubstr;

std::string message_of(const std::string& path) {
  try {
    read_request(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "no error";
}

TEST(EvaluationRequest, comes_back_from_its_file_with_what_was_chosen) {
  const testing::TempDir dir;
  EvaluationRequest request;
  request.model = "m.actio";
  request.data = "\xFF.csv";
  request.part = "validation";
  request.report = "r.json";
  request.scores = "s.npy";
  request.workers = 5;
  request.dataset.fold = {"a", "b c"};
  request.chosen.add(&data::DatasetOptions::fold);
  request.test.protocol = data::ProtocolName::kTsn;
  request.test.views.places = {0.25, 0.75};
  request.chosen.add(&data::Protocol::places);
  request.test.average = eval::Average::kLogits;
  request.runtime.backend = "reference";
  request.cache.flow_cache = "/flow";
  write_request(dir / "request.json", request);
  EvaluationRequest back = read_request(dir / "request.json");
  EXPECT_EQ(back.data, request.data);
  EXPECT_EQ(back.workers, 5);
  EXPECT_EQ(back.dataset.fold, request.dataset.fold);
  EXPECT_TRUE(back.chosen.has(&data::DatasetOptions::fold));
  EXPECT_FALSE(back.chosen.has(&data::DatasetOptions::group));
  EXPECT_EQ(back.test.chosen_protocol(back.chosen).places, request.test.views.places);
  write_request(dir / "again.json", back);
  EXPECT_EQ(read_text_file(dir / "again.json"), read_text_file(dir / "request.json"));
}

TEST(EvaluationRequest, is_refused_for_a_value_that_no_flag_takes) {
  const testing::TempDir dir;
  const std::string begin = R"({"actio.request": 1, "kind": "evaluate", "model": "m", "data": "d", )";
  write_file_atomically(dir / "request.json", begin + R"("part": "tests"})");
  EXPECT_THAT(message_of(dir / "request.json"), HasSubstr("part: unknown value 'tests'; the nearest is 'test'"));
  write_file_atomically(dir / "request.json", begin + R"("workers": 65})");
  EXPECT_THAT(message_of(dir / "request.json"), HasSubstr("workers must be between 1 and 64, got 65"));
  write_file_atomically(dir / "request.json", begin + R"("chosen": {"tests": {}}})");
  EXPECT_THAT(message_of(dir / "request.json"), HasSubstr("unknown table 'tests'; the nearest is 'test'"));
}

}  // namespace
}  // namespace actio::recognize
