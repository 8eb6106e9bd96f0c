#include "recognize/answer_json.h"

namespace actio::recognize {

Json to_json(const Recognition& recognition, const Recognizer& recognizer, const std::string& video, std::int64_t top) {
  Json json = {{"video", video},
               {"frames", recognition.frames},
               {"damaged_frames", recognition.damaged},
               {"sampled_frames", recognition.sampled},
               {"warnings", recognition.warnings},
               {"top", Json::array()}};
  for (const ClassScore& best : recognizer.top(recognition, top)) {
    json["top"].push_back({{"label", best.label}, {"class", best.index}, {"probability", best.probability}, {"score", best.score}});
  }
  const double below = recognizer.reject_below();
  if (below > 0) json.update({{"reject_below", below}, {"rejected", recognizer.top(recognition, 1).front().probability < below}});
  return json;
}

Json to_json(const Answer& answer, const Recognizer& recognizer, const std::string& video, std::int64_t top) {
  if (const Recognition* recognition = std::get_if<Recognition>(&answer)) return to_json(*recognition, recognizer, video, top);
  return {{"video", video}, {"error", std::get<Error>(answer).what()}};
}

}  // namespace actio::recognize
