# LibTorch as the target actio_libtorch. Its own flags (an old C++ standard, warning switches) stay out of ours, and its headers
# are system headers.
find_package(Torch REQUIRED)
add_library(actio_libtorch INTERFACE)
target_include_directories(actio_libtorch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(actio_libtorch INTERFACE ${TORCH_LIBRARIES})
message(STATUS "LibTorch ${Torch_VERSION}")
