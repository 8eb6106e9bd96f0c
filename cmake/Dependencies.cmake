find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
# Debian's package file for oneDNN asks for OpenCL headers, which the CPU engine does not need.
find_path(DNNL_INCLUDE oneapi/dnnl/dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(DNNL::dnnl UNKNOWN IMPORTED)
set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION ${DNNL_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE})
# As with oneDNN: Debian's package file for ONNX names targets that LibTorch's names, too.
find_path(ONNX_INCLUDE onnx/onnx_pb.h REQUIRED)
find_library(ONNX_LIBRARY onnx REQUIRED)
find_library(ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
pkg_check_modules(PROTOBUF REQUIRED IMPORTED_TARGET protobuf)
add_library(ONNX::onnx UNKNOWN IMPORTED)
set_target_properties(ONNX::onnx PROPERTIES IMPORTED_LOCATION ${ONNX_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${ONNX_INCLUDE}
                      INTERFACE_COMPILE_DEFINITIONS "ONNX_NAMESPACE=onnx;ONNX_ML=1"
                      INTERFACE_LINK_LIBRARIES "${ONNX_PROTO_LIBRARY};PkgConfig::PROTOBUF")
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil libswscale)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)

find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)  # header-only

if(ACTIO_TORCH)
  include(Torch)
endif()
if(ACTIO_TESTS)
  find_package(GTest REQUIRED)
  # In tests and benchmarks only: the oracle of TV-L1, and a reader of the ONNX files.
  find_package(OpenCV REQUIRED COMPONENTS core imgproc optflow dnn)
  include(GoogleTest)
endif()
