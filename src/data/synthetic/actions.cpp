#include "data/synthetic/actions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace actio::data::synthetic {
namespace {

constexpr double kPi = std::numbers::pi;

double smooth(double t) {
  const double x = std::clamp(t, 0.0, 1.0);
  return x * x * (3 - 2 * x);
}

void draw_shadow(Canvas& canvas, const View& view, double x, double half_width) {
  canvas.shadow(view.at({x, 0.0}), view.scale * half_width, view.scale * 0.05, 0.45);
}

void draw_person(Canvas& canvas, const View& view, const Pose& pose, const Outfit& outfit) {
  draw_far_side(canvas, view, pose, outfit);
  draw_near_side(canvas, view, pose, outfit);
}

Pose standing(double x, double sway) {
  Pose pose;
  pose.hip = {x + 0.3 * sway, 0.525};
  pose.lean = 0.02 + 1.5 * sway;
  pose.foot = {{{x - 0.04, 0.035}, {x + 0.04, 0.035}}};
  const Point shoulder = shoulder_of(pose);
  pose.hand = {{shoulder + Point{-0.01, -0.295}, shoulder + Point{0.035, -0.295}}};
  return pose;
}

// Legs and arms of somebody who has walked `distance` from where the step was even; `stride` 0 stands, 1 walks.
Pose walking(double x, double distance, double stride, double sway) {
  constexpr double kStep = 0.36;
  Pose pose = standing(x, sway);
  const double phase = kPi * distance / kStep;
  const double swing = 0.05 + stride * (kStep / kPi - 0.05);
  pose.hip.y = 0.512 + 0.012 * stride * std::cos(2 * phase);
  const Point shoulder = shoulder_of(pose);
  for (std::size_t side = 0; side < 2; ++side) {
    const double angle = phase + (side == 0 ? kPi : 0.0);
    pose.foot[side] = {x + swing * std::cos(angle), 0.035 + 0.07 * stride * std::max(0.0, -std::sin(angle))};
    pose.hand[side] = shoulder + Point{0.01 - 0.12 * stride * std::cos(angle), -0.285};
  }
  return pose;
}

// 1 while the progress of a walk is well under way, 0 where it starts and stops.
double stride_of(double progress) { return smooth(7 * std::min(progress, 1 - progress)); }

class StandUp final : public Performance {
 public:
  explicit StandUp(Rng& rng)
      : outfit_(Outfit::random(rng)),
        colour_(vivid_colour(rng)),
        seat_(rng.uniform(0.23, 0.3)),
        lean_(rng.uniform(0.35, 0.75)),
        reach_(rng.uniform(0.0, 0.16)),
        has_back_(rng.chance(0.5)),
        is_block_(rng.chance(0.35)) {}

  Extent extent() const override { return {-0.42, 0.25, 1.05}; }

  void paint(Canvas& canvas, const View& view, double progress, double sway) const override {
    draw_shadow(canvas, view, -0.12, 0.3);
    const double risen = smooth(progress);
    Pose pose = standing(0, sway);
    const Point sitting{-0.24, seat_ + 0.055};
    pose.hip = {sitting.x + (pose.hip.x - sitting.x) * smooth(1.15 * progress),
                sitting.y + (pose.hip.y - sitting.y) * risen};
    pose.lean += 0.04 + lean_ * std::sin(kPi * smooth(1.1 * progress)) * (1 - 0.2 * progress);
    pose.foot = {{{-0.02, 0.035}, {0.05, 0.035}}};
    const Point shoulder = shoulder_of(pose);
    for (std::size_t side = 0; side < 2; ++side) {
      const Point on_knee{-0.06 + 0.03 * static_cast<double>(side), seat_ + 0.14};
      const Point hanging = shoulder + Point{0.02 * static_cast<double>(side), -0.295};
      pose.hand[side] = mix(on_knee, hanging, risen) + Point{reach_ * std::sin(kPi * risen), 0};
    }
    draw_chair(canvas, view);
    draw_person(canvas, view, pose, outfit_);
  }

 private:
  void draw_chair(Canvas& canvas, const View& view) const {
    const double u = view.scale;
    if (is_block_) {
      canvas.draw(Box{view.at({-0.26, seat_ / 2}), 0.13 * u, 0.5 * seat_ * u, 1.5, colour_});
    } else {
      canvas.draw(Box{view.at({-0.25, seat_ - 0.02}), 0.14 * u, 0.022 * u, 1, colour_});
      for (const double x : {-0.365, -0.15})
        canvas.draw(Box{view.at({x, seat_ / 2}), 0.018 * u, 0.5 * seat_ * u, 0.5, 0.8F * colour_});
    }
    if (has_back_) canvas.draw(Box{view.at({-0.375, seat_ + 0.13}), 0.02 * u, 0.17 * u, 1, colour_});
  }

  Outfit outfit_;
  Colour colour_;
  double seat_, lean_, reach_;
  bool has_back_, is_block_;
};

class RaiseArms final : public Performance {
 public:
  explicit RaiseArms(Rng& rng)
      : outfit_(Outfit::random(rng)),
        frontal_(rng.chance(0.6)),
        low_(rng.uniform(-1.45, -1.25)),
        high_(rng.uniform(0.9, 1.4)),
        reach_(rng.uniform(0.28, 0.306)),
        uneven_(rng.uniform(-0.15, 0.15)) {}

  Extent extent() const override { return {frontal_ ? -0.42 : -0.2, 0.42, 1.2}; }

  void paint(Canvas& canvas, const View& view, double progress, double sway) const override {
    draw_shadow(canvas, view, 0, 0.22);
    Pose pose = standing(0, sway);
    pose.frontal = frontal_;
    if (frontal_) {
      pose.lean = sway;
      pose.foot = {{{-0.085, 0.035}, {0.085, 0.035}}};
    }
    const Point shoulder = shoulder_of(pose);
    for (std::size_t side = 0; side < 2; ++side) {
      const double sign = side == 0 ? -1.0 : 1.0;
      const double angle = low_ + (high_ - low_ + sign * uneven_) * smooth(progress);
      const double out = frontal_ ? sign : 1.0;
      pose.hand[side] =
          shoulder + Point{frontal_ ? sign * 0.095 : 0.0, 0} + reach_ * Point{out * std::cos(angle), std::sin(angle)};
    }
    draw_person(canvas, view, pose, outfit_);
  }

 private:
  Outfit outfit_;
  bool frontal_;
  double low_, high_, reach_, uneven_;
};

class Approach final : public Performance {
 public:
  explicit Approach(Rng& rng)
      : walker_(Outfit::random(rng)),
        other_(Outfit::random(rng)),
        far_(rng.uniform(0.95, 1.35)),
        near_(rng.uniform(0.34, 0.48)),
        size_(rng.uniform(0.85, 1.1)),
        other_first_(rng.chance(0.5)) {}

  Extent extent() const override { return {-far_ - 0.22, 0.22, 1.15}; }

  void paint(Canvas& canvas, const View& view, double progress, double sway) const override {
    const View other{view.origin, view.scale * size_, -view.facing};
    const double x = -far_ + (far_ - near_) * smooth(progress);
    draw_shadow(canvas, view, 0, 0.18);
    draw_shadow(canvas, view, x, 0.18);
    const auto stand = [&] { draw_person(canvas, other, standing(0, -sway), other_); };
    if (other_first_) stand();
    draw_person(canvas, view, walking(x, x + far_, stride_of(progress), sway), walker_);
    if (!other_first_) stand();
  }

 private:
  Outfit walker_, other_;
  double far_, near_, size_;
  bool other_first_;
};

class PickUp final : public Performance {
 public:
  explicit PickUp(Rng& rng)
      : outfit_(Outfit::random(rng)),
        colour_(vivid_colour(rng)),
        half_(rng.uniform(0.055, 0.085)),
        round_(rng.chance(0.4)),
        bands_(rng.chance(0.5) ? 3 : 0),
        lift_(rng.uniform(-0.06, 0.05)),
        grasp_(rng.uniform(0.45, 0.55)) {}

  Extent extent() const override { return {-0.3, 0.48, 1.05}; }

  void paint(Canvas& canvas, const View& view, double progress, double sway) const override {
    draw_shadow(canvas, view, 0.03, 0.24);
    const bool held = progress >= grasp_;
    const double down = held ? smooth((1 - progress) / (1 - grasp_)) : smooth(progress / grasp_);
    Pose pose = standing(0, sway);
    pose.hip = mix(pose.hip, {-0.12, 0.275}, down);
    pose.lean += 1.15 * down;
    const Point floor{0.29, half_ + 0.005};
    const Point grip{-0.4 * half_, 0.75 * half_};  // hands from the middle of the thing
    const Point carried = shoulder_of(pose) + Point{0.2, -0.21 + lift_};
    const Point thing = held ? mix(carried, floor, down) : floor;
    for (std::size_t side = 0; side < 2; ++side) {
      const Point hanging = shoulder_of(pose) + Point{0.03 * static_cast<double>(side), -0.295};
      pose.hand[side] = held ? thing + grip : mix(hanging, thing + grip, down);
    }
    draw_far_side(canvas, view, pose, outfit_);
    const double u = view.scale;
    canvas.draw(Box{view.at(thing), half_ * u, half_ * u, round_ ? half_ * u : 1.5, colour_, bands_});
    draw_near_side(canvas, view, pose, outfit_);
  }

 private:
  Outfit outfit_;
  Colour colour_;
  double half_;
  bool round_;
  int bands_;
  double lift_, grasp_;
};

class Push final : public Performance {
 public:
  explicit Push(Rng& rng)
      : outfit_(Outfit::random(rng)),
        colour_(vivid_colour(rng)),
        distance_(rng.uniform(0.5, 0.85)),
        half_width_(rng.uniform(0.14, 0.21)),
        height_(rng.uniform(0.6, 0.8)),
        lean_(rng.uniform(0.12, 0.32)),
        bands_(rng.chance(0.6) ? static_cast<int>(2 + rng.below(4)) : 0) {
    const Pose pose = leaning(standing(0, 0));
    const Point shoulder = shoulder_of(pose);
    const double drop = shoulder.y - grip_height();
    face_ = shoulder.x + std::sqrt(kReach * kReach - drop * drop);
  }

  Extent extent() const override { return {-0.28, distance_ + face_ + 2 * half_width_ + 0.08, 1.05}; }

  void paint(Canvas& canvas, const View& view, double progress, double sway) const override {
    const double x = distance_ * smooth(progress);
    const double middle = x + face_ + half_width_;
    draw_shadow(canvas, view, x, 0.2);
    draw_shadow(canvas, view, middle, half_width_ + 0.08);
    Pose pose = leaning(walking(x, x, stride_of(progress), sway));
    const Point grip{x + face_ - 0.01, grip_height()};
    pose.hand = {{grip + Point{0.0, 0.03}, grip}};
    draw_far_side(canvas, view, pose, outfit_);
    const double u = view.scale;
    canvas.draw(Box{view.at({middle, height_ / 2}), half_width_ * u, height_ / 2 * u, 1.5, colour_, bands_});
    draw_near_side(canvas, view, pose, outfit_);
  }

 private:
  static constexpr double kReach = 0.295;  // of the arms, a little bent

  double grip_height() const { return std::min(height_ - 0.05, 0.68); }
  Pose leaning(Pose pose) const {
    pose.lean += lean_;
    pose.hip.x -= 0.06;
    return pose;
  }

  Outfit outfit_;
  Colour colour_;
  double distance_, half_width_, height_, lean_;
  int bands_;
  double face_ = 0;  // from the body to the side of the box that the hands hold
};

}  // namespace

std::unique_ptr<Performance> make_performance(std::size_t pair, Rng& rng) {
  switch (pair) {
    case 0: return std::make_unique<StandUp>(rng);
    case 1: return std::make_unique<RaiseArms>(rng);
    case 2: return std::make_unique<Approach>(rng);
    case 3: return std::make_unique<PickUp>(rng);
    default: return std::make_unique<Push>(rng);
  }
}

}  // namespace actio::data::synthetic
