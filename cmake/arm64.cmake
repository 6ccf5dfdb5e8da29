# Toolchain file of the preset "arm64": Debian's cross compiler, with headers
# and libraries from a folder that scripts/arm64_sysroot.sh makes once.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
# Below the folder's root, as in the machine that the tests run on.
set(AVF_FOREIGN_PYTHON /usr/bin/python3)
set(AVF_FOREIGN_JDK /usr/lib/jvm/java-17-openjdk-arm64)

execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/../scripts/arm64_sysroot.sh"
	OUTPUT_VARIABLE avf_sysroot RESULT_VARIABLE avf_sysroot_status
	OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT avf_sysroot_status EQUAL 0)
	message(FATAL_ERROR "${avf_sysroot}")
endif()
set(CMAKE_SYSROOT "${avf_sysroot}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# pkg-config describes the folder, not this computer.
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${CMAKE_SYSROOT}")
set(ENV{PKG_CONFIG_PATH} "")
set(ENV{PKG_CONFIG_LIBDIR}
	"${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig")
