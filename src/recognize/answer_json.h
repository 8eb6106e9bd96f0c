// recognize: answers as JSON, the same for a program's output, an archive and a server. In: a recognition. Out: an object.
#pragma once

#include <cstdint>
#include <string>

#include "core/json.h"
#include "recognize/recognize_all.h"

namespace actio::recognize {

// {"video", "frames", "damaged_frames", "sampled_frames", "warnings", "top": [{"label", "class", "probability", "score"}]}, the most
// probable class first. Where the model knows a probability that few right answers stay below, also "reject_below" and "rejected".
Json to_json(const Recognition& recognition, const Recognizer& recognizer, const std::string& video, std::int64_t top);

// The same, or {"video", "error"}.
Json to_json(const Answer& answer, const Recognizer& recognizer, const std::string& video, std::int64_t top);

}  // namespace actio::recognize
