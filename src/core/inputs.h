// core: the inputs of a network (actio/inputs.h) as options and as JSON. In: a list. Out: the same, checked, and how it is kept.
#pragma once

#include <actio/inputs.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "core/preprocess.h"

namespace actio {

template <>
inline constexpr auto kNames<InputKind> = NameTable<InputKind, 4>{{{InputKind::kFrame, "frame"},
                                                                   {InputKind::kRgbDifference, "rgbdiff"},
                                                                   {InputKind::kFlow, "flow"},
                                                                   {InputKind::kVectors, "mv"}}};

Fields fields_of(Framing& framing);
// Those that an input of this kind has.
Fields fields_of(InputSpec& input);

// Throws: Error(kUsage) naming the input and both values: two of one name, a number of means or deviations that is not that of the
// planes, values out of range, or flow or vectors that are computed in two ways within one network.
void check_inputs(const Inputs& inputs);

// What the user's options make of inputs of these names: "rgb" is the frame, "motion" what preprocess.motion says, and "rgbdiff",
// "flow" and "mv" are motion of that kind. Throws: Error(kUsage) for another name, or for "motion" where it is "none".
Inputs inputs_of(const std::vector<std::string>& names, const Preprocess& preprocess);

// The options that make such inputs, as far as options can say it: what all inputs have of the first, and the kind of "motion".
Preprocess preprocess_of(const Inputs& inputs);

Json to_json(const Inputs& inputs);

// Throws: Error(kUsage) naming `where`, and as check_inputs.
Inputs inputs_from_json(const Json& json, std::string_view where);

}  // namespace actio
