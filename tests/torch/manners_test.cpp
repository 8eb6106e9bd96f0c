// What a library must leave to the process that it works in, and what it must know of the processor.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "nets.h"
#include "pattern_source.h"
#include "torch/graph/torch_compat.h"
#include "torch/trainer/trainer.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace actio::torch_train {
namespace {

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
TEST(Training, leaves_it_to_the_process_how_freed_memory_is_kept) {
  constexpr std::size_t kLarge = std::size_t{256} << 20;  // more than glibc keeps by itself
  const auto mapped_by_a_large_block = [] {
    const std::size_t before = ::mallinfo2().hblkhd;
    void* block = std::malloc(kLarge);
    *static_cast<volatile char*>(block) = 1;  // else the compiler may leave it out
    const std::size_t after = ::mallinfo2().hblkhd;
    std::free(block);
    return after - before;
  };
  ASSERT_GE(mapped_by_a_large_block(), kLarge);
  Training run = prepare(testing::residual_net());
  run.job.options.epochs = 1;
  PatternSource source(run.job.spec, 5, 5, 3);
  start(run, source);
  EXPECT_GE(mapped_by_a_large_block(), kLarge);
}
#endif

#if defined(__x86_64__) && defined(__linux__)
// Wide registers alone are not enough: without its instructions bfloat16 is unpacked, multiplied in f32 and packed again.
TEST(QuickBf16, is_that_of_processors_whose_flags_name_it) {
  std::ifstream file("/proc/cpuinfo");
  std::stringstream text;
  text << file.rdbuf();
  if (text.str().find("\nflags") == std::string::npos) GTEST_SKIP() << "/proc/cpuinfo names no flags";
  if (text.str().find(" avx512_bf16") == std::string::npos) {
    EXPECT_FALSE(has_quick_bf16());
  } else if (std::getenv("ONEDNN_MAX_CPU_ISA") == nullptr && std::getenv("DNNL_MAX_CPU_ISA") == nullptr) {
    EXPECT_TRUE(has_quick_bf16());
  }
}
#endif

}  // namespace
}  // namespace actio::torch_train
