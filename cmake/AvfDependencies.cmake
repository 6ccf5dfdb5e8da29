# Debian packages that we build on; docs/dependencies.md gives the reasons.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp>=2.5)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libssl>=3.0 libcrypto>=3.0)
pkg_check_modules(LZMA REQUIRED IMPORTED_TARGET liblzma)
# The archive: the VMM writes one device tree, and only on arm64.
find_library(FDT_LIBRARY NAMES libfdt.a fdt REQUIRED)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
# Unit tests run where they are built.
if(AVF_TESTS AND NOT CMAKE_CROSSCOMPILING)
	pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
endif()
