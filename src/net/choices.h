// net: what of a network is a choice, each with its table of names.
#pragma once

#include "core/names.h"

namespace actio {
namespace net {

enum class NetworkKind { kTwoStream, kTsn, kTrn, kStFusion, kStfn, kIfTtn };
enum class BackboneKind { kResnet18, kResnet34, kResnet50, kResnet101, kMobilenetV2, kInceptionV3 };
enum class PaddingKind { kTorch, kSame };  // of stride-2 3x3 convolutions: 1 on each side, or TensorFlow's
enum class StFusionKind { kAdditive, kMultiplicative };
enum class IfmKind { kAttention, kAdaptive, kAdditive, kMultiplicative, kNone };  // kNone: a TTN per stream
enum class StfnDesign { kA, kB, kC };  // of figure 4
enum class StfnFusion { kAverage, kMaximum, kMultiplication, kWeighted };
enum class StfnDirection { kBidirectional, kAFromM, kMFromA, kNone };
enum class HeadLoss { kCrossEntropy, kNll };  // of logits, of probabilities

}  // namespace net

template <>
inline constexpr auto kNames<net::NetworkKind> = NameTable<net::NetworkKind, 6>{
    {{net::NetworkKind::kTwoStream, "two_stream"}, {net::NetworkKind::kTsn, "tsn"}, {net::NetworkKind::kTrn, "trn"},
     {net::NetworkKind::kStFusion, "st_fusion"}, {net::NetworkKind::kStfn, "stfn"}, {net::NetworkKind::kIfTtn, "if_ttn"}}};
template <>
inline constexpr auto kNames<net::BackboneKind> = NameTable<net::BackboneKind, 6>{
    {{net::BackboneKind::kResnet18, "resnet18"}, {net::BackboneKind::kResnet34, "resnet34"},
     {net::BackboneKind::kResnet50, "resnet50"}, {net::BackboneKind::kResnet101, "resnet101"},
     {net::BackboneKind::kMobilenetV2, "mobilenet_v2"}, {net::BackboneKind::kInceptionV3, "inception_v3"}}};
template <>
inline constexpr auto kNames<net::PaddingKind> = NameTable<net::PaddingKind, 2>{
    {{net::PaddingKind::kTorch, "torch"}, {net::PaddingKind::kSame, "same"}}};
template <>
inline constexpr auto kNames<net::StFusionKind> = NameTable<net::StFusionKind, 2>{
    {{net::StFusionKind::kAdditive, "additive"}, {net::StFusionKind::kMultiplicative, "multiplicative"}}};
template <>
inline constexpr auto kNames<net::IfmKind> = NameTable<net::IfmKind, 5>{
    {{net::IfmKind::kAttention, "attention"}, {net::IfmKind::kAdaptive, "adaptive"}, {net::IfmKind::kAdditive, "additive"},
     {net::IfmKind::kMultiplicative, "multiplicative"}, {net::IfmKind::kNone, "none"}}};
template <>
inline constexpr auto kNames<net::StfnDesign> = NameTable<net::StfnDesign, 3>{
    {{net::StfnDesign::kA, "a"}, {net::StfnDesign::kB, "b"}, {net::StfnDesign::kC, "c"}}};
template <>
inline constexpr auto kNames<net::StfnFusion> = NameTable<net::StfnFusion, 4>{
    {{net::StfnFusion::kAverage, "average"}, {net::StfnFusion::kMaximum, "maximum"},
     {net::StfnFusion::kMultiplication, "multiplication"}, {net::StfnFusion::kWeighted, "weighted"}}};
template <>
inline constexpr auto kNames<net::StfnDirection> = NameTable<net::StfnDirection, 4>{
    {{net::StfnDirection::kBidirectional, "bidirectional"}, {net::StfnDirection::kAFromM, "a_from_m"},
     {net::StfnDirection::kMFromA, "m_from_a"}, {net::StfnDirection::kNone, "none"}}};
template <>
inline constexpr auto kNames<net::HeadLoss> =
    NameTable<net::HeadLoss, 2>{{{net::HeadLoss::kCrossEntropy, "cross_entropy"}, {net::HeadLoss::kNll, "nll"}}};

}  // namespace actio
