// recognize: the parts of a clip, one after the other, become one answer. In: what was read of each part. Out: a recognition.
#pragma once

#include <stop_token>

#include "data/clip_reader.h"
#include "recognize/recognizer.h"

namespace actio::recognize {

class PartsMean {
 public:
  explicit PartsMean(const Recognizer& recognizer) : recognizer_(recognizer) {}

  // Throws: as Recognizer::add.
  void add(data::ClipInput clip, double read_seconds, const std::stop_token& stop);

  // Throws: Error where nothing was added.
  Recognition recognition();

 private:
  const Recognizer& recognizer_;
  Recognition recognition_;
  ViewMean mean_;
};

}  // namespace actio::recognize
