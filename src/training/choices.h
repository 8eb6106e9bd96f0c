// training: the options of a training that are a choice, each with its table of names.
#pragma once

#include "core/names.h"

namespace actio {
namespace training {

enum class StepRule { kSgd, kRmsprop, kAdamw };
enum class RateSchedule { kSteps, kCosine, kPlateau, kConstant };
enum class Balance { kNone, kWeights, kSampling };  // of classes of different size: in the loss, or each drawn equally often
enum class CropPairs { kNear, kAll };               // widths and heights of crops: at most one step apart (TSN's code), or any (STFN)
enum class Device { kCpu, kCuda };
// What the weights of a network's heads are fitted on, of clips that it did not learn from: nothing (they stay as they are), the validation
// part, or parts of the training clips that networks which are trained for this alone leave out in turn.
enum class HeadFit { kNone, kValidation, kInner };

}  // namespace training

template <>
inline constexpr auto kNames<training::StepRule> = NameTable<training::StepRule, 3>{
    {{training::StepRule::kSgd, "sgd"}, {training::StepRule::kRmsprop, "rmsprop"}, {training::StepRule::kAdamw, "adamw"}}};
template <>
inline constexpr auto kNames<training::RateSchedule> = NameTable<training::RateSchedule, 4>{
    {{training::RateSchedule::kSteps, "steps"}, {training::RateSchedule::kCosine, "cosine"},
     {training::RateSchedule::kPlateau, "plateau"}, {training::RateSchedule::kConstant, "constant"}}};
template <>
inline constexpr auto kNames<training::Balance> = NameTable<training::Balance, 3>{
    {{training::Balance::kNone, "none"}, {training::Balance::kWeights, "weights"}, {training::Balance::kSampling, "sampling"}}};
template <>
inline constexpr auto kNames<training::CropPairs> =
    NameTable<training::CropPairs, 2>{{{training::CropPairs::kNear, "near"}, {training::CropPairs::kAll, "all"}}};
template <>
inline constexpr auto kNames<training::Device> =
    NameTable<training::Device, 2>{{{training::Device::kCpu, "cpu"}, {training::Device::kCuda, "cuda"}}};
template <>
inline constexpr auto kNames<training::HeadFit> = NameTable<training::HeadFit, 3>{
    {{training::HeadFit::kNone, "none"}, {training::HeadFit::kValidation, "validation"}, {training::HeadFit::kInner, "inner"}}};

}  // namespace actio
