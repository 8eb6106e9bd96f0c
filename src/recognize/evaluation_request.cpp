#include "recognize/evaluation_request.h"

#include "core/request_json.h"

namespace actio::recognize {
namespace {

RequestForm form_of(EvaluationRequest& request) {
  const auto table = [](auto& options) { return RequestForm::Table{std::string(options.kTable), options.fields()}; };
  return {.kind = "evaluate",
          .keys = {{"model", &request.model, ""},
                   {"data", &request.data, ""},
                   {"part", &request.part, "", {"", "test", "train", "validation", "all"}},
                   {"report", &request.report, ""},
                   {"scores", &request.scores, ""},
                   {"workers", &request.workers, "", {}, 1, 64}},
          .required = {"model", "data"},
          .tables = {table(request.dataset), table(request.test), table(request.runtime), table(request.cache), table(request.limits)},
          .others = {}};
}

}  // namespace

void write_request(const std::filesystem::path& path, const EvaluationRequest& request) {
  EvaluationRequest copy = request;
  write_request_json(path, form_of(copy), copy.chosen, Json::object());
}

EvaluationRequest read_request(const std::filesystem::path& path) {
  EvaluationRequest request;
  read_request_json(path, form_of(request), request.chosen);
  return request;
}

}  // namespace actio::recognize
