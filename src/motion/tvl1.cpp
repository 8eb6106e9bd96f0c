#include "motion/tvl1.h"

#include "core/error.h"
#include "core/options.h"
#include "motion/tvl1_solver.h"

namespace actio::motion {
namespace {

void check(int width, int height, const Tvl1Options& o, int threads) {
  if (width < 16 || height < 16 || width > 16384 || height > 16384) {
    fail_usage("optical flow: the picture must have 16 to 16384 pixels a side, got {} x {}", width, height);
  }
  const auto within = [](const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high)) fail_usage("optical flow: {} must be {} to {}, got {}", name, low, high, value);
  };
  within("lambda", o.lambda, 1e-6, 1e6);
  within("theta", o.theta, 1e-6, 1e3);
  within("scale_step", o.scale_step, 0.1, 0.95);
  within("epsilon", o.epsilon, 0, 1e6);
  within("primal_step", o.primal_step, 1e-3, 1e3);
  within("relax", o.relax, 0, 1);
  within("tau", o.tau, 1e-6, 0.5 / (1 + 2 * o.relax));  // beyond that the iterations diverge
  within("huber", o.huber, 0, 1e3);
  within("carry", o.carry, 0, 1);
  within("scales", o.scales, 1, 64);
  within("warps", o.warps, 1, 1000);
  within("iterations", o.iterations, 1, 1000000);
  within("threads", threads, 1, 1024);
  if (o.median != 1 && o.median != 3 && o.median != 5)
    fail_usage("optical flow: median must be 1, 3 or 5, got {}", o.median);
}

}  // namespace

std::vector<std::string> tvl1_qualities() { return {"paper", "fast", "realtime"}; }

Tvl1Options tvl1_options(std::string_view quality) {
  Tvl1Options options;
  if (quality == "paper") return options;
  options.scale_step = 0.5;
  options.carry = 0.9;
  options.iterations = 10;
  options.warps = quality == "fast" ? 4 : 2;
  if (quality == "fast" || quality == "realtime") return options;
  fail_usage("{}", unknown_name_text("quality of optical flow", quality, tvl1_qualities()));
}

struct Tvl1::Impl {
  Impl(int w, int h, const Tvl1Options& options, int threads)
      : picture{h, w}, field{2, h, w}, solver(w, h, options, threads) {}

  Shape picture, field;
  Tvl1Solver solver;
};

Tvl1::Tvl1(int width, int height, const Tvl1Options& options, int threads) {
  check(width, height, options, threads);
  impl_ = std::make_unique<Impl>(width, height, options, threads);
}

Tvl1::~Tvl1() = default;
Tvl1::Tvl1(Tvl1&&) noexcept = default;
Tvl1& Tvl1::operator=(Tvl1&&) noexcept = default;
int Tvl1::width() const { return static_cast<int>(impl_->picture[1]); }
int Tvl1::height() const { return static_cast<int>(impl_->picture[0]); }

void Tvl1::run(const Tensor& first, const Tensor& second, Tensor& flow) {
  const Shape& picture = impl_->picture;
  for (const Tensor* t : {&first, &second}) {
    if (!t->defined() || t->dtype() != DType::kU8 || t->shape() != picture) {
      fail_usage("optical flow: expected a u8 picture of shape {}, got {} {}", shape_text(picture), dtype_name(t->dtype()),
                 shape_text(t->shape()));
    }
  }
  const Shape& field = impl_->field;
  if (!flow.defined() || flow.dtype() != DType::kF32 || flow.shape() != field) {
    fail_usage("optical flow: expected an f32 field of shape {}, got {} {}", shape_text(field), dtype_name(flow.dtype()),
               shape_text(flow.shape()));
  }
  impl_->solver.run(first.data<std::uint8_t>(), second.data<std::uint8_t>(), flow.data<float>());
}

}  // namespace actio::motion
