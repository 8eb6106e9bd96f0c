set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# What the shared libraries show says so (include/actio/export.h).
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

set(ACTIO_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=LIST")
if(ACTIO_SANITIZE)
  add_compile_options(-fsanitize=${ACTIO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ACTIO_SANITIZE})
endif()

# The project's own code compiles with these; headers of others are system headers.
add_library(actio_warnings INTERFACE)
target_compile_options(actio_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                       -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # A file's own class may hold what its anonymous namespace has; it only looks like a header there.
  target_compile_options(actio_warnings INTERFACE -Wno-subobject-linkage)
endif()
if(ACTIO_WERROR)
  target_compile_options(actio_warnings INTERFACE -Werror)
endif()
