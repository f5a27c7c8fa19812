# Everything we stand on, all from Debian 12 (deploy/packages.txt lists the packages).

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(simdjson CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
if(PBXGW_TESTS)
  find_package(GTest REQUIRED)
endif()

# Debian's cnats has no working CONFIG package, and its cpp-httplib none at all. The latter is built
# with OpenSSL, zlib and Brotli, which changes its classes: only pkg-config knows the definitions.
find_package(PkgConfig REQUIRED)
pkg_check_modules(cnats REQUIRED IMPORTED_TARGET libnats)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
