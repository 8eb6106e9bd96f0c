#include "openvino/backend.h"
#include "runtime/backends.h"

namespace actio::openvino {
namespace {

using runtime::Precision;

const bool added = runtime::add_backend({.name = "openvino",
                                         .priority = 50,
                                         .precisions = {Precision::kF32, Precision::kBf16, Precision::kInt8},
                                         .make = make_backend,
                                         .devices = devices});

}  // namespace
}  // namespace actio::openvino

// Asked for by the linker's command line (CMakeLists.txt), so that this file is not left in its archive.
extern "C" bool actio_openvino_backend() { return actio::openvino::added; }
