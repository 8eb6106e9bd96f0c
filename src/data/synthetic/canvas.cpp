#include "data/synthetic/canvas.h"

#include <algorithm>
#include <cmath>

namespace actio::data::synthetic {
namespace {

// Normal deviates to be read from any place; drawing them anew for every pixel would take longer than all the rest.
const std::vector<float>& noise_table() {
  static const std::vector<float> table = [] {
    std::vector<float> values(std::size_t{1} << 17);
    Rng rng(0x6e6f697365ULL);
    for (float& value : values) value = static_cast<float>(rng.normal());
    return values;
  }();
  return table;
}

// How light a surface is at an offset from its axis, in radii: a little brighter towards the top, darker at the rim.
float roundness(double x, double y) { return static_cast<float>(1.0 - 0.22 * (x * x + y * y) - 0.14 * y); }

float band_factor(int bands, double along) {
  if (bands == 0) return 1.0F;
  const double phase = along * bands;
  return phase - std::floor(phase) < 0.5 ? 1.0F : 0.68F;
}

}  // namespace

// Calls shade(x, y, colour) for the pixels of the rectangle; it returns how much of the pixel is covered, 0..1.
template <typename Shade>
void Canvas::paint(Point low, Point high, const Shade& shade) {
  const int left = static_cast<int>(std::floor(std::clamp<double>(low.x - 1, 0, width_)));
  const int right = static_cast<int>(std::ceil(std::clamp<double>(high.x + 1, 0, width_)));
  const int top = static_cast<int>(std::floor(std::clamp<double>(low.y - 1, 0, height_)));
  const int bottom = static_cast<int>(std::ceil(std::clamp<double>(high.y + 1, 0, height_)));
  for (int y = top; y < bottom; ++y) {
    float* pixel = row(y) + 3 * left;
    for (int x = left; x < right; ++x, pixel += 3) {
      Colour colour;
      const float cover = shade(x + 0.5, y + 0.5, colour);
      if (cover <= 0) continue;
      pixel[0] += cover * (colour.red - pixel[0]);
      pixel[1] += cover * (colour.green - pixel[1]);
      pixel[2] += cover * (colour.blue - pixel[2]);
    }
  }
}

void Canvas::draw(const Capsule& capsule) {
  const Point axis = capsule.to - capsule.from;
  const double length_squared = std::max(axis.x * axis.x + axis.y * axis.y, 1e-9);
  const double radius = std::max(capsule.from_radius, capsule.to_radius);
  const Point low{std::min(capsule.from.x, capsule.to.x) - radius, std::min(capsule.from.y, capsule.to.y) - radius};
  const Point high{std::max(capsule.from.x, capsule.to.x) + radius, std::max(capsule.from.y, capsule.to.y) + radius};
  paint(low, high, [&](double x, double y, Colour& colour) {
    const Point offset = Point{x, y} - capsule.from;
    const double along = std::clamp((offset.x * axis.x + offset.y * axis.y) / length_squared, 0.0, 1.0);
    const Point across = offset - along * axis;
    const double here = capsule.from_radius + along * (capsule.to_radius - capsule.from_radius);
    const double outer = here + 0.5;
    const double squared = across.x * across.x + across.y * across.y;
    if (squared >= outer * outer) return 0.0F;
    colour = band_factor(capsule.bands, along) * roundness(across.x / here, across.y / here) * capsule.colour;
    return static_cast<float>(std::min(1.0, outer - std::sqrt(squared)));
  });
}

void Canvas::draw(const Box& box) {
  const Point extent{box.half_width, box.half_height};
  paint(box.centre - extent, box.centre + extent, [&](double x, double y, Colour& colour) {
    const double dx = std::fabs(x - box.centre.x) - (box.half_width - box.rounding);
    const double dy = std::fabs(y - box.centre.y) - (box.half_height - box.rounding);
    const double outside = std::hypot(std::max(dx, 0.0), std::max(dy, 0.0));
    const double distance = outside + std::min(std::max(dx, dy), 0.0) - box.rounding;
    const double along = (x - box.centre.x) / (2 * box.half_width) + 0.5;
    const double rim = distance > -1.5 ? 0.75 : 1.0;
    colour = static_cast<float>(rim * (1.0 - 0.12 * (y - box.centre.y) / box.half_height)) * box.colour;
    colour = band_factor(box.bands, along) * colour;
    return static_cast<float>(std::clamp(0.5 - distance, 0.0, 1.0));
  });
}

void Canvas::shadow(Point centre, double half_width, double half_height, double strength) {
  const Point extent{half_width, half_height};
  paint(centre - extent, centre + extent, [&](double x, double y, Colour&) {
    const double dx = (x - centre.x) / half_width, dy = (y - centre.y) / half_height;
    return static_cast<float>(strength * std::max(0.0, 1.0 - dx * dx - dy * dy));
  });
}

void Canvas::develop(double noise, Rng& rng, Tensor& rgb) const {
  const std::vector<float>& table = noise_table();
  const std::int64_t count = static_cast<std::int64_t>(width_) * 3;
  const float scale = static_cast<float>(noise);
  std::uint8_t* out = rgb.data<std::uint8_t>();
  for (int y = 0; y < height_; ++y, out += count) {
    const float* value = pixels_.data() + y * count;
    const float* deviate = table.data() + rng.below(static_cast<std::int64_t>(table.size()) - count);
    for (std::int64_t i = 0; i < count; ++i) {
      const float noisy = value[i] + scale * deviate[i] + 0.5F;
      out[i] = static_cast<std::uint8_t>(std::min(std::max(noisy, 0.0F), 255.0F));
    }
  }
}

}  // namespace actio::data::synthetic
