#include "data/synthetic/figure.h"

#include <algorithm>
#include <cmath>

namespace actio::data::synthetic {
namespace {

constexpr double kThigh = 0.25, kShin = 0.25, kTrunk = 0.29, kUpperArm = 0.16, kForearm = 0.15, kHead = 0.075, kFoot = 0.065;
constexpr double kShoulderSpread = 0.095, kHipSpread = 0.055;  // seen from the front

Point along_trunk(const Pose& pose, double distance) {
  return pose.hip + distance * Point{std::sin(pose.lean), std::cos(pose.lean)};
}

Point sideways(const Pose& pose, double spread, std::size_t side) {
  return {pose.frontal ? (side == 0 ? -spread : spread) : 0.0, 0.0};
}

// Seen from the front, knees and elbows point outwards; from the side, knees point forward and elbows back.
double bend_of(const Pose& pose, std::size_t side, double from_the_side) {
  return pose.frontal ? (side == 0 ? -1.0 : 1.0) : from_the_side;
}

struct Brush {
  Canvas& canvas;
  const View& view;
  double thickness;

  void limb(Point from, Point to, double from_radius, double to_radius, Colour colour, int bands = 0) const {
    const double unit = view.scale * thickness;
    canvas.draw(Capsule{view.at(from), view.at(to), unit * from_radius, unit * to_radius, colour, bands});
  }
};

void draw_leg(const Brush& brush, const Pose& pose, const Outfit& outfit, std::size_t side, float light) {
  const Point hip = pose.hip + sideways(pose, kHipSpread, side);
  Point ankle = pose.foot[side];
  const Point knee = middle_joint(hip, ankle, kThigh, kShin, bend_of(pose, side, 1.0));
  brush.limb(hip, knee, 0.058, 0.046, light * outfit.trousers);
  brush.limb(knee, ankle, 0.046, 0.032, light * outfit.trousers);
  const Point toe = pose.frontal ? Point{side == 0 ? -0.02 : 0.02, -0.015} : Point{kFoot, -0.012};
  brush.limb(ankle + Point{0, -0.008}, ankle + toe, 0.027, 0.022, light * outfit.shoes);
}

void draw_arm(const Brush& brush, const Pose& pose, const Outfit& outfit, std::size_t side, float light) {
  const Point shoulder = shoulder_of(pose) + sideways(pose, kShoulderSpread, side);
  Point hand = pose.hand[side];
  const Point elbow = middle_joint(shoulder, hand, kUpperArm, kForearm, bend_of(pose, side, -1.0));
  brush.limb(shoulder, elbow, 0.036, 0.031, light * outfit.shirt);
  brush.limb(elbow, hand, 0.029, 0.023, light * outfit.skin);
  brush.limb(hand, hand, 0.03, 0.03, light * outfit.skin);
}

}  // namespace

Point shoulder_of(const Pose& pose) { return along_trunk(pose, kTrunk); }

Colour vivid_colour(Rng& rng) {
  const double hue = rng.uniform(0, 6);
  const double light = rng.uniform(80, 240), dull = rng.uniform(0.05, 0.6);
  const auto channel = [&](double centre) {
    const double distance = std::fabs(std::remainder(hue - centre, 6.0));
    return static_cast<float>(light * (dull + (1 - dull) * std::clamp(2 - distance, 0.0, 1.0)));
  };
  return {channel(0), channel(2), channel(4)};
}

Outfit Outfit::random(Rng& rng) {
  Outfit outfit;
  const float tone = static_cast<float>(rng.uniform(0.45, 1.05));
  outfit.skin = tone * Colour{236, 188, 158};
  const float hair = static_cast<float>(rng.uniform(0.1, 0.9));
  outfit.hair = hair * Colour{150, 110, 70};
  outfit.shirt = vivid_colour(rng);
  outfit.trousers = vivid_colour(rng);
  outfit.shoes = static_cast<float>(rng.uniform(0.1, 1)) * Colour{220, 220, 220};
  outfit.thickness = rng.uniform(0.75, 1.3);
  outfit.shirt_bands = rng.chance(0.4) ? static_cast<int>(3 + rng.below(4)) : 0;
  return outfit;
}

Point middle_joint(Point root, Point& target, double upper, double lower, double bend) {
  Point way = target - root;
  double distance = std::hypot(way.x, way.y);
  const double reach = (upper + lower) * 0.999;
  if (distance > reach) {
    way = (reach / distance) * way;
    distance = reach;
    target = root + way;
  }
  if (distance < 1e-6) return root + Point{0, -upper};
  const double along = std::clamp((upper * upper - lower * lower + distance * distance) / (2 * distance), -upper, upper);
  const double across = std::sqrt(std::max(0.0, upper * upper - along * along));
  const Point unit = (1 / distance) * way;
  return root + along * unit + (bend * across) * Point{-unit.y, unit.x};
}

void draw_far_side(Canvas& canvas, const View& view, const Pose& pose, const Outfit& outfit) {
  const Brush brush{canvas, view, outfit.thickness};
  const float light = pose.frontal ? 1.0F : 0.72F;
  if (!pose.frontal) draw_arm(brush, pose, outfit, 0, light);
  draw_leg(brush, pose, outfit, 0, light);
}

void draw_near_side(Canvas& canvas, const View& view, const Pose& pose, const Outfit& outfit) {
  const Brush brush{canvas, view, outfit.thickness};
  draw_leg(brush, pose, outfit, 1, 1.0F);
  const Point shoulder = shoulder_of(pose);
  if (pose.frontal) {
    for (const double share : {-0.75, 0.0, 0.75}) {
      brush.limb(along_trunk(pose, 0.02) + Point{share * kHipSpread, 0}, shoulder + Point{share * kShoulderSpread, -0.025},
                 0.055, 0.05, outfit.shirt, outfit.shirt_bands);
    }
  } else {
    brush.limb(along_trunk(pose, 0.01), along_trunk(pose, kTrunk - 0.03), 0.068, 0.074, outfit.shirt, outfit.shirt_bands);
  }
  const double nod = 0.7 * pose.lean;
  const Point up{std::sin(nod), std::cos(nod)};
  const Point head = shoulder + (kHead + 0.03) * up;
  brush.limb(shoulder, head, 0.03, 0.03, 0.9F * outfit.skin);
  const Brush plain{canvas, view, 1.0};
  const Point back = pose.frontal ? Point{0, 0} : -0.02 * Point{up.y, -up.x};
  plain.limb(head + 0.022 * up + back, head + 0.022 * up + back, kHead, kHead, outfit.hair);
  plain.limb(head, head, kHead * 0.88, kHead * 0.88, outfit.skin);
  if (!pose.frontal)
    plain.limb(head + Point{kHead * 0.85, -0.005}, head + Point{kHead * 0.9, -0.008}, 0.014, 0.012, outfit.skin);
  if (pose.frontal) draw_arm(brush, pose, outfit, 0, 1.0F);
  draw_arm(brush, pose, outfit, 1, 1.0F);
}

}  // namespace actio::data::synthetic
