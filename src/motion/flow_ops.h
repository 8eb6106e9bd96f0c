// motion: the inner loops of the dense flow, compiled for several instruction sets and chosen at run time. In: rows of
// padded f32 planes. Out: rows of other planes. Nothing here allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace actio::motion {

inline constexpr int kRowAlign = 16;  // floats: rows start at such a boundary

// Rows of f32 values that come in groups of `parts`: row y holds part 0, then part 1, ... each of `stride` floats. In front
// of every part there are kRowAlign floats that belong to it, behind its `width` values at least one; rows -1 and `height`
// exist.
struct Plane {
  float* data = nullptr;  // of part 0 of row 0
  int width = 0, height = 0;
  int parts = 1;
  std::ptrdiff_t stride = 0;  // floats; the same for all planes that work together

  float* row(int y) const { return data + y * parts * stride; }
  float* row(int y, int part) const { return data + (y * parts + part) * stride; }
};

// Floats from one part of a row to the next.
std::ptrdiff_t part_stride(int width);

// One fused step: the flow u of row r, then the dual variables p of row r - 1, which need the extrapolated flow of both
// rows. u has 2 parts, x and y. p has 4: the duals of the derivatives of u.x by x and y, then of u.y. All p have a zero in
// front of part 0 and 2. Row r may be updated in place.
struct StepRows {
  int width = 0;
  std::ptrdiff_t stride = 0;
  const float* u_from = nullptr;   // row r
  float* u_to = nullptr;           // row r
  float* ahead = nullptr;          // 2 parts, the flow extrapolated: of row r - 1 before the step, of row r after it
  const float* p_from = nullptr;   // row r
  const float* p_above = nullptr;  // row r - 1, before its update; zeros where r is 0
  float* p_to = nullptr;           // row r - 1
  const float* data = nullptr;     // row r, 4 parts: rho, its derivatives by u.x and u.y, and gain / |derivatives|^2
  float* change = nullptr;         // receives the sum of squared changes of u in row r; may be null
};

struct StepWeights {
  float primal = 0;  // step of the flow
  float limit = 0;   // of the data term: lambda primal
  float ahead = 0;   // how far the flow is extrapolated, in steps
  float dual = 0;    // step of the dual variables
  float keep = 1;    // factor of dual variables that are not cut to length 1
};

enum class StepPart { kFirstRow, kMiddleRow, kLastRow };  // u only, u and p, p only

void step_rows(StepPart part, const StepRows& rows, const StepWeights& weights);

// The data term of row y, linearised around the flow u: 4 parts as StepRows::data. It is zero where the flow leaves the
// picture. `second` has a replicated border of one pixel.
struct WarpRow {
  Plane second;
  const float* first = nullptr;
  const float* u = nullptr;  // 2 parts, as `out` stride floats apart
  float* out = nullptr;
  int y = 0;
  float gain = 1;
};
void linearise_row(const WarpRow& row);

// Median of side x side pixels, 3 or 5, with replicated borders. rows[side] are the source rows, clamped by the caller;
// scratch has side * part_stride(width) floats.
void median_row(const float* const* rows, int side, int width, float* scratch, float* out);

void bytes_to_floats(const std::uint8_t* from, int count, float* to);

// out[x] = lerp of the two rows by `fy`, sampled at columns left[x] + fx[x] and times `gain`; scratch has
// part_stride(from_width) floats.
struct ResizeRow {
  const float* top = nullptr;
  const float* bottom = nullptr;
  int from_width = 0, to_width = 0;
  float fy = 0, gain = 1;
  const std::int32_t* left = nullptr;
  const float* fx = nullptr;
  float* scratch = nullptr;
};
void resize_row(const ResizeRow& row, float* out);

// The instruction set that the loops above use on this machine: "AVX3", "AVX2", "SSE4", "SSSE3", "SCALAR", ...
std::string flow_ops_target();

}  // namespace actio::motion
