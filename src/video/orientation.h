// video: how a coded picture is mirrored and turned for display. In: a display matrix. Out: one of eight orientations, and
// block vectors brought into it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "video/frame.h"

namespace actio::video {

// The orientation that FFmpeg's own programs apply for a matrix; empty where the turn is no multiple of 90 degrees.
// Source: ISO/IEC 14496-12, 8.5.2 (tkhd); fixed-point numbers, [a b u; c d v; x y w] times the row (x, y, 1).
std::optional<Orientation> orientation_of(const std::int32_t* matrix);

// The clockwise turn of a matrix in degrees, from -180 to 180; 0 where it has none.
double clockwise_degrees(const std::int32_t* matrix);

// Fills a display matrix of nine numbers that says `orientation`, for coded pictures of this size.
void set_display_matrix(std::int32_t* matrix, const Orientation& orientation, int width, int height);

// From the coded picture, of `width` x `height` pixels, to the displayed one.
BlockVector displayed(const BlockVector& block, int width, int height, const Orientation& orientation);

// "mirrored left to right and turned by 90 degrees"; empty where pictures are shown as they are coded.
std::string orientation_text(const Orientation& orientation);

}  // namespace actio::video
