// data/synthetic: a person made of capsules. In: where hips, hands and feet are. Out: limbs on a canvas; knees and elbows
// follow.
#pragma once

#include <array>

#include "core/rng.h"
#include "data/synthetic/canvas.h"

namespace actio::data::synthetic {

// Units: the height of the body is 1, x forward, y up, the floor at y = 0.
struct Pose {
  Point hip{0, 0.525};
  double lean = 0;                                             // of the trunk, radians, forward
  std::array<Point, 2> foot{{{-0.05, 0.035}, {0.05, 0.035}}};  // ankles; the second is nearer to the camera
  std::array<Point, 2> hand{{{-0.02, 0.52}, {0.04, 0.52}}};
  bool frontal = false;  // seen from the front: shoulders and hips are side by side
};

Point shoulder_of(const Pose& pose);  // between the two

// Maps body units to pixels.
struct View {
  Point origin;        // where x = 0, y = 0 is
  double scale = 100;  // pixels per body height
  int facing = 1;      // -1: mirrored

  Point at(Point p) const { return {origin.x + facing * scale * p.x, origin.y - scale * p.y}; }
};

struct Outfit {
  Colour skin, hair, shirt, trousers, shoes;
  double thickness = 1;
  int shirt_bands = 0;

  static Outfit random(Rng& rng);
};

Colour vivid_colour(Rng& rng);

// The middle joint of a limb from `root` towards `target` (which is moved into reach); `bend` +1 bends it towards +x when
// the limb hangs down, -1 the other way.
Point middle_joint(Point root, Point& target, double upper, double lower, double bend);

// What is behind the trunk, or the trunk and what is in front of it, so that things can be put in between.
void draw_far_side(Canvas& canvas, const View& view, const Pose& pose, const Outfit& outfit);
void draw_near_side(Canvas& canvas, const View& view, const Pose& pose, const Outfit& outfit);

}  // namespace actio::data::synthetic
