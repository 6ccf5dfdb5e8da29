#!/bin/sh
# Check an installation as a stranger would use it: example programs, copied
# into an empty folder, built with pkg-config only and with find_package, and
# started; the same against the archive.
#
#   scripts/check_install.sh BUILD
set -eu

build=$(realpath "$1")
repo=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

prefix=$dir/prefix
cmake --install "$build" --prefix "$prefix" >"$dir/log"
pc=$(dirname "$(find "$prefix" -name libvirtualization.pc)")
lib=$(dirname "$pc")

mkdir "$dir/empty"
cd "$dir/empty"
for example in probe_host run_kernel; do
	cp "$repo/examples/$example.c" .
	# shellcheck disable=SC2046 # flags are words
	PKG_CONFIG_PATH=$pc gcc -std=c11 -Wall -Werror "$example.c" \
		-o "$example" \
		$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs libvirtualization)
done
LD_LIBRARY_PATH=$lib ./probe_host
cat >binder.c <<END
#include <android/binder_status.h>
int main(void) { return !AStatus_isOk(AStatus_newOk()); }
END
# shellcheck disable=SC2046
PKG_CONFIG_PATH=$pc gcc -std=c17 -Wall -Werror binder.c -o binder \
	$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs libvirtualization-binder)
LD_LIBRARY_PATH=$lib ./binder
cat >tls.c <<END
#include <android/binder_rpc_tls.h>
int main(void) { return AvfRpcTls_makeSelfSigned(AvfRpcTls_new(), 60); }
END
# shellcheck disable=SC2046
PKG_CONFIG_PATH=$pc gcc -std=c17 -Wall -Werror tls.c -o tls \
	$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs libvirtualization-binder-tls)
LD_LIBRARY_PATH=$lib ./tls
! ldd "$lib/libvirtualization-binder.so" | grep -q libssl
echo "pkg-config: good"

# shellcheck disable=SC2046
PKG_CONFIG_PATH=$pc gcc -std=gnu11 -Wall -Werror \
	"$repo/examples/raw_vm_ndk.c" -o raw_vm_ndk \
	$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs libavf)
LD_LIBRARY_PATH=$lib ./raw_vm_ndk 2>usage || grep -q KERNEL usage
echo "libavf: good"

# A name that the library uses inside must not clash.
echo 'int gmem_map(void); int gmem_map(void) { return 0; }' >clash.c
# shellcheck disable=SC2046
gcc -std=c11 -I"$prefix/include" probe_host.c clash.c -o static \
	"$lib/libvirtualization.a" \
	$(pkg-config --libs jansson libzstd liblz4 liblzma zlib)
./static >/dev/null
echo "static archive: good"

mkdir -p com/example
cp "$repo/tests/aidl/com/example/ICallback.aidl" com/example
cat >aidl.cpp <<END
#include <aidl/com/example/ICallback.h>
using aidl::com::example::ICallback;
int main() { return ICallback::fromBinder(nullptr) != nullptr; }
END
cat >payload.cpp <<END
#include <aidl/com/example/BnCallback.h>
#include <avf/rpc.h>
#include <avf/vm_payload.h>
#include <string>
struct Callback : aidl::com::example::BnCallback {
	ndk::ScopedAStatus done(int32_t code, int32_t *r) override
	{
		*r = std::stoi(std::to_string(code));
		return ndk::ScopedAStatus::ok();
	}
	ndk::ScopedAStatus later(const std::string &) override
	{
		return ndk::ScopedAStatus::ok();
	}
};
int AVmPayload_main(void)
{
	AVmPayload_runVsockRpcServer(
		ndk::SharedRefBase::make<Callback>()->asBinder().get(), 5678,
		nullptr, nullptr);
}
END
echo helper >helper.sh
cat >CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.25)
project(stranger LANGUAGES C CXX)
find_package(libvirtualization 0.1 REQUIRED)
avf_add_aidl(callback FILES com/example/ICallback.aidl)
add_executable(aidl aidl.cpp)
target_link_libraries(aidl PRIVATE callback)
add_executable(shared probe_host.c)
target_link_libraries(shared PRIVATE libvirtualization::avf)
add_executable(android "$repo/examples/raw_vm_ndk.c")
target_link_libraries(android PRIVATE libvirtualization::avf_ndk)
add_executable(archive probe_host.c)
target_link_libraries(archive PRIVATE libvirtualization::avf_static)
add_executable(binder binder.c)
target_link_libraries(binder PRIVATE libvirtualization::binder)
avf_add_payload(served SOURCES payload.cpp LIBRARIES callback PACKAGE
	PROGRAMS helper.sh \$<TARGET_FILE:binder>)
END
cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" >"$dir/log"
cmake --build build >"$dir/log"
build/shared >/dev/null
build/archive >/dev/null
build/binder
build/aidl
echo "find_package: good"

# The guest has no C++ runtime, and the C library under these names.
needed=$(readelf -d build/libserved.so |
	sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
	grep -Ev '^(libvm_payload\.so|libvirtualization-binder\.so\.0|libc\.so\.6|libm\.so\.6|ld-linux.*)$' || :)
[ -z "$needed" ] || { echo "the guest has no $needed"; exit 1; }
[ "$(od -An -tx4 -j1024 -N4 build/served.avfpkg)" = " e0f5e1e2" ]
echo "avf_add_payload: good"
