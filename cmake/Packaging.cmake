# cpack -G DEB: one package with programs, libraries and headers; what it depends on is what the programs are linked to.
set(CPACK_PACKAGE_NAME actio)
set(CPACK_PACKAGE_CONTACT "the actio project")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "names human actions in video; programs and C++ library")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SECTION video)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/src/api)  # the one library needs the other
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
include(CPack)
