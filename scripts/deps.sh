#!/bin/sh
# Install the Debian packages that building, testing and the lab need.
#
#   scripts/deps.sh            install what is missing, as root or with sudo
#   scripts/deps.sh --check    only name what is missing; exit 1 if anything is
#
# Says nothing when nothing is missing. docs/dependencies.md has the reasons.
set -eu

build="gcc libc6-dev binutils cmake ninja-build pkg-config
	libjansson-dev libzstd-dev liblz4-dev liblzma-dev zlib1g-dev
	libseccomp-dev libfdt-dev libssl-dev"
bindings="swig python3-dev python3-setuptools python3-wheel python3-pip
	openjdk-17-jdk-headless"
# Called at run time, by `avf image build` and `avf package create`.
tools="erofs-utils cpio dpkg apt ca-certificates"
test="libcriterion-dev junit5 python3-pytest g++ clang libclang-rt-dev
	clang-format clang-tidy python3 git acpica-tools aidl"
lab="qemu-system-x86 busybox-static xz-utils"
# guest/kernel/build.sh; the kernel's own programs link libelf
kernel="make bc flex bison perl libelf-dev"
arm64="qemu-system-arm device-tree-compiler"
arm64_cross="gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross"

usage()
{
	sed -n '2,7s/^# \{0,1\}//p' "$0"
}

# Names the packages among its arguments that are not installed.
missing()
{
	for package; do
		state=$(dpkg-query -W -f='${db:Status-Status}' "$package" \
			2>/dev/null) || state=
		[ "$state" = installed ] || printf '%s ' "$package"
	done
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "deps: neither root nor sudo; as root, run:" >&2
		echo "  $*" >&2
		return 1
	fi
}

install_quietly()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 \
		install --no-install-recommends "$@" </dev/null >"$log" 2>&1
}

only_check=
case "${1-}" in
"") ;;
--check) only_check=1 ;;
*) usage; exit 2 ;;
esac
if ! command -v dpkg-query >/dev/null; then
	echo "deps: not a Debian system; docs/dependencies.md lists what to install" >&2
	exit 1
fi

# Where it is no other architecture, gcc and g++ have the compilers' names, too.
[ "$(dpkg --print-architecture)" = arm64 ] || arm64="$arm64 $arm64_cross"
# shellcheck disable=SC2086 # the lists are words
need=$(missing $build $bindings $tools $test $lab $kernel $arm64)
[ -n "$need" ] || exit 0
echo "deps: missing: $need"
[ -z "$only_check" ] || exit 1

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The lists may be absent or stale; fetch them only when they turn out to be.
# shellcheck disable=SC2086
if ! install_quietly $need; then
	echo "deps: fetching the package lists"
	as_root apt-get -qq update </dev/null
	if ! install_quietly $need; then
		cat "$log" >&2
		echo "deps: apt-get could not install: $need" >&2
		exit 1
	fi
fi
echo "deps: installed"
