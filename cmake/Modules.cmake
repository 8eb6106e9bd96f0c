# actio_module(NAME [DEPENDS module...] [LINK target...] [PRIVATE_LINK target...]): the static library actio_NAME from every
# .cpp in this folder. A module sees the headers of src/ and links only what it names.
function(actio_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK;PRIVATE_LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    message(FATAL_ERROR "module ${name} has no sources in ${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  add_library(actio_${name} STATIC ${sources})
  target_include_directories(actio_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(actio_${name} PRIVATE actio_warnings ${ARG_PRIVATE_LINK})
  list(TRANSFORM ARG_DEPENDS PREPEND actio_)
  target_link_libraries(actio_${name} PUBLIC ${ARG_DEPENDS} ${ARG_LINK})
endfunction()

# actio_tests(NAME [DEPENDS module...] [LINK target...]): the program test_NAME from every .cpp in this folder; each of its
# tests is a CTest test.
function(actio_tests name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  list(TRANSFORM ARG_DEPENDS PREPEND actio_)
  target_link_libraries(test_${name} PRIVATE ${ARG_DEPENDS} actio_test_support actio_warnings GTest::gmock GTest::gtest_main
                        ${ARG_LINK})
  target_compile_definitions(test_${name} PRIVATE ACTIO_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ACTIO_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}: " DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
                       PROPERTIES TIMEOUT 600 ENVIRONMENT GOMP_SPINCOUNT=1000)
endfunction()
