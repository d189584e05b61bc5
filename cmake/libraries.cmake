# Debian ships no CMake files for these (and libevhtp's do not load), so pkg-config finds them all.
find_package(PkgConfig REQUIRED)
pkg_check_modules(libevent REQUIRED IMPORTED_TARGET libevent_core>=2.1)
pkg_check_modules(evhtp REQUIRED IMPORTED_TARGET evhtp>=1.2)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(openssl REQUIRED IMPORTED_TARGET openssl>=3.0)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1>=0.2)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
find_package(Threads REQUIRED)
if(DRAGOMAN_TESTS)
  pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)
  find_package(Python3 REQUIRED COMPONENTS Interpreter) # the wire tests speak raw bytes from Python
endif()
