// The table of backends: what is refused, and in which words.
#include "runtime/backends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "fixture.h"
#include "runtime/run_options.h"

namespace actio::testing {
namespace {

using runtime::BackendEntry;
using runtime::RunOptions;
using ::testing::HasSubstr;

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "nothing was refused";
}

std::string refusal_of(const std::string& backend, const std::string& device, runtime::Precision precision = runtime::Precision::kAuto) {
  return refusal([&] { RunOptions{.backend = backend, .precision = precision, .device = device}.check(); });
}

bool has(std::string_view backend) { return std::ranges::any_of(runtime::backends(), [&](const BackendEntry& entry) { return entry.name == backend; }); }

std::vector<std::string> some_devices() { return {"CPU", "GPU.0", "GPU.1", "AUTO"}; }

TEST(BackendTable, has_the_two_that_every_build_has_in_falling_order) {
  EXPECT_TRUE(has("onednn"));
  EXPECT_TRUE(has("reference"));
  EXPECT_TRUE(std::ranges::is_sorted(runtime::backends(), std::ranges::greater{}, &BackendEntry::priority));
}

TEST(BackendTable, names_what_this_build_has_where_an_optional_one_is_asked_for) {
  if (has("openvino")) GTEST_SKIP() << "this build has openvino, so nothing is refused; the plain build runs this test";
  const char* line = "backend openvino: this build lacks it; it has onednn, reference (docs/building.md says how to add it)";
  EXPECT_EQ(refusal_of("openvino", ""), line);
  EXPECT_EQ(refusal([] { runtime::make_backend("openvino", 1); }), line);
  EXPECT_EQ(refusal([] { runtime::chosen_precision(runtime::Precision::kAuto, {}, "openvino"); }), line);
}

TEST(BackendTable, names_the_nearest_where_a_name_is_misspelt) { EXPECT_THAT(refusal_of("onedn", ""), HasSubstr("the nearest is 'onednn'")); }

TEST(BackendTable, refuses_a_device_where_there_is_nothing_to_choose) {
  EXPECT_EQ(refusal_of("onednn", "GPU"), "device GPU: backend onednn has no devices to choose from");
  EXPECT_EQ(refusal_of("reference", "cpu"), "device cpu: backend reference has no devices to choose from");
  EXPECT_EQ(refusal_of("onednn", ""), "nothing was refused");
}

TEST(BackendTable, finds_a_device_in_any_case_and_by_the_first_of_its_kind) {
  const BackendEntry entry{.name = "some", .devices = some_devices};
  EXPECT_EQ(runtime::device_named(entry, ""), "");
  EXPECT_EQ(runtime::device_named(entry, "cpu"), "CPU");
  EXPECT_EQ(runtime::device_named(entry, "gpu"), "GPU.0");
  EXPECT_EQ(runtime::device_named(entry, "gpu.1"), "GPU.1");
  EXPECT_EQ(refusal([&] { runtime::device_named(entry, "npu"); }),
            "device npu: backend some finds none of that name on this machine; it finds CPU, GPU.0, GPU.1, AUTO");
}

TEST(BackendTable, refuses_a_precision_that_a_backend_lacks) {
  EXPECT_EQ(refusal_of("reference", "", runtime::Precision::kInt8), "precision int8: backend reference computes f32 alone");
  for (const BackendEntry& entry : runtime::backends()) {
    for (const runtime::Precision each : entry.precisions) EXPECT_EQ(refusal_of(std::string(entry.name), "", each), "nothing was refused");
  }
}

TEST(BackendTable, auto_is_f32_for_a_backend_that_quantize_does_not_measure) {
  net::Quantization quantization;
  quantization.borne = {"int8", "bf16"};
  for (const BackendEntry& entry : runtime::backends()) {
    const auto chosen = runtime::chosen_precision(runtime::Precision::kAuto, quantization, entry.name);
    EXPECT_EQ(chosen, entry.takes_auto ? runtime::Precision::kInt8 : runtime::Precision::kF32) << entry.name;
  }
}

TEST(RunOptions, but_for_a_precision_or_a_backend_or_both) {
  const RunOptions first{.backend = "onednn", .threads = 3, .precision = runtime::Precision::kBf16, .device = "GPU"};
  EXPECT_EQ(first.but("int8").precision, runtime::Precision::kInt8);
  EXPECT_EQ(first.but("int8").device, "GPU");
  EXPECT_EQ(first.but("reference").backend, "reference");
  EXPECT_EQ(first.but("reference").precision, runtime::Precision::kBf16);
  EXPECT_EQ(first.but("reference").device, "");
  EXPECT_EQ(first.but("reference:f32").precision, runtime::Precision::kF32);
  EXPECT_EQ(first.but("reference:f32").threads, 3);
  EXPECT_THAT(refusal([&] { first.but("f31"); }), HasSubstr("f31"));
  EXPECT_THAT(refusal([&] { first.but("reference:f31"); }), HasSubstr("unknown precision 'f31'"));
}

}  // namespace
}  // namespace actio::testing
