// recognize: gives a model what it needs to compute in 8 bits, and measures what each precision costs. In: a model, clips. Out: the same model with
// ranges of its values, and a table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/hooks.h"
#include "data/dataset.h"
#include "data/flow_cache.h"
#include "data/read_limits.h"
#include "net/model_file.h"
#include "runtime/run_options.h"

namespace actio::recognize {

struct QuantizeOptions {
  static constexpr std::string_view kTable = "quantize";

  std::int64_t clips = 64;   // to measure ranges on, and as many others to compare precisions on
  double agreement = 0.98;   // share of clips on which a precision has to give the answer of f32 to be taken by itself
  std::int64_t enough = 20;  // clips that have to be compared before any is taken

  Fields fields();
};

struct QuantizeRequest {
  std::string model, data, output;
  data::DatasetOptions dataset;
  QuantizeOptions quantize;
  runtime::RunOptions runtime;  // its precision has no meaning here
  data::FlowCacheOptions cache;
  data::ReadLimits limits;
};

struct PrecisionRow {
  runtime::Precision precision = runtime::Precision::kF32;
  bool narrow_weights = false;   // int8 with weights of 7 bits, as processors without VNNI have them
  double top1 = 0;               // share; 0 where the clips' labels are none of the model's classes
  double agreement = 1;          // share of clips with the answer of f32
  double probability_change = 0; // mean over the clips of the largest change of a probability
  double calibration_error = 0;  // share, as top1
  double seconds = 0;            // of the network, a clip: median
};

struct Quantized {
  net::Model model;  // as it was written
  std::vector<PrecisionRow> rows;
  std::int64_t measured_on = 0, compared_on = 0;  // clips
  bool enough = true;                             // clips were compared for another precision than f32 to be taken
  bool labelled = false;                          // the clips' labels are classes of the model
  bool of_training = false;                       // the clips are those of the training part; else nothing divides them
  std::vector<std::string> warnings, failures;    // one line each
};

// Measures on clips that are not for testing, every second one of an even choice; the others compare. Any labels will do: only top-1 and calibration need
// those of the model. Writes request.output.
// Throws: as load_dataset and read_model; Error(kUsage) for less than two clips; Error(kBadData) where none could be read; Error(kInterrupted) on
// hooks.stop, with nothing written.
Quantized quantize(const QuantizeRequest& request, const Hooks& hooks = {});

Json to_json(const Quantized& quantized);
std::string text_of(const Quantized& quantized);

}  // namespace actio::recognize
