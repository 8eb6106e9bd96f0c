// What the machine can do in the simplest loops, to compare the flow's iterations with.
#pragma once

namespace actio::bench {

// Vector instructions per nanosecond, times the lanes of a vector, of independent multiply-adds and additions on registers,
// in equal parts.
double peak_lane_operations_per_ns();

// Nanoseconds per pixel of a loop that only loads 20 and stores 8 floats per pixel, as one fused step of the flow does, over
// rows of `width` pixels that stay in the cache of first level.
double load_store_ns_per_pixel(int width);

}  // namespace actio::bench
