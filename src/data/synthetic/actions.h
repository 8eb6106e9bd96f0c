// data/synthetic: what the actors do. In: an action and how far it has got. Out: a picture of that moment. Five actions
// exist; each played backwards is the other class of its pair, so that only the order of the frames tells the two apart.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "core/rng.h"
#include "data/synthetic/canvas.h"
#include "data/synthetic/figure.h"

namespace actio::data::synthetic {

struct ActionPair {
  std::string_view forward, backward;
};

inline constexpr std::array<ActionPair, 5> kActionPairs = {{{"stand_up", "sit_down"},
                                                            {"raise_arms", "lower_arms"},
                                                            {"approach", "retreat"},
                                                            {"pick_up", "put_down"},
                                                            {"push", "pull"}}};

// Where an action takes place, body units: the view must show all of it.
struct Extent {
  double left = -0.3, right = 0.3, top = 1.05;
};

// One performance: the actors, their clothes and habits are drawn once, then any moment of it can be painted.
class Performance {
 public:
  virtual ~Performance() = default;
  virtual Extent extent() const = 0;
  // `progress` runs from 0 to 1 in the forward action; `sway` is a small unrest of the body, body units.
  virtual void paint(Canvas& canvas, const View& view, double progress, double sway) const = 0;
};

// `pair` is an index into kActionPairs.
std::unique_ptr<Performance> make_performance(std::size_t pair, Rng& rng);

}  // namespace actio::data::synthetic
