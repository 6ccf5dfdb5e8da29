#!/bin/bash
# Build the guest's kernels from Debian's kernel source and the configurations
# beside this script, and print the path of each: a bzImage for x86_64, an Image
# for arm64.
#
#   guest/kernel/build.sh [--cached] x86_64|arm64|arm64-16k|arm64-64k...
#
# The last two are arm64's with larger pages, which tests boot. A kernel is built
# again when its configuration, this script, the compiler or the version of the
# source is another one; else it is found in
# ${XDG_CACHE_HOME:-~/.cache}/libvirtualization. Building takes some minutes for
# each; with --cached, one that is not there is not built. The source package
# (linux-source-6.12) comes from this computer's own apt sources; nothing is
# installed. Exit code 77: this computer cannot do it, or --cached; the last line
# says why.
set -euo pipefail

repo=$(cd "$(dirname "$0")/../.." && pwd)
here=$repo/guest/kernel
cache=${XDG_CACHE_HOME:-$HOME/.cache}/libvirtualization
package=linux-source-6.12
. "$repo/scripts/lab/arm64_apt.sh"

skip()
{
	echo "SKIP: guest kernel: $*"
	exit 77
}

# arch_of KERNEL
arch_of()
{
	echo "${1%%-*}"
}

# wanted KERNEL: the lines of its configurations; where two say something about
# an option, the later one counts.
wanted()
{
	local files=("$here/common.config" "$here/$(arch_of "$1").config")

	[ "$(arch_of "$1")" = "$1" ] || files+=("$here/$1.config")
	awk '/^(# )?CONFIG_/ {
		name = $0
		gsub(/^# |[= ].*/, "", name)
		lines[name] = $0
	}
	END { for (name in lines) print lines[name] }' "${files[@]}" | sort
}

# prefix ARCH: of the compiler's name.
prefix()
{
	local machine=${1/arm64/aarch64}

	[ "$(uname -m)" = "$machine" ] || echo "${machine/_/-}-linux-gnu-"
}

target()
{
	[ "$1" = arm64 ] && echo Image || echo bzImage
}

need_tools()
{
	local tool

	for tool in apt-get dpkg-deb xz bc flex bison perl make cc; do
		command -v $tool >/dev/null ||
			skip "no $tool: run scripts/deps.sh"
	done
}

# key KERNEL: of all that it is made of, but for the source.
key()
{
	{
		"$(prefix "$(arch_of "$1")")gcc" --version
		wanted "$1"
		cat "$here/build.sh"
	} | sha256sum | cut -c1-16
}

# Sets $version to the newest that apt knows; empty when it cannot be asked.
find_source()
{
	version=
	arm64_apt_setup "$cache/arm64/apt" 2>"$cache/kernel/reason" || return 0
	version=$(arm64_apt apt-cache show --no-all-versions "$package" \
		2>"$cache/kernel/reason" | sed -n 's/^Version: //p') || version=
}

# is_built OUT: of today's source, or of the last one that could be had.
is_built()
{
	[ -e "$1/kernel" ] &&
		{ [ -z "$version" ] || [ "$(cat "$1/version")" = "$version" ]; }
}

# Unpacks the source into $tmp/linux, without the largest parts that no
# configuration here can reach.
get_source()
{
	[ ! -d "$tmp/linux" ] || return 0
	[ -n "$version" ] ||
		skip "apt has no $package: $(tail -n1 "$cache/kernel/reason")"
	echo "guest kernel: downloading $package $version" >&2
	(cd "$tmp" && arm64_apt apt-get -qq download "$package=$version") >&2 ||
		skip "apt-get could not download $package"
	mkdir "$tmp/linux"
	dpkg-deb --fsys-tarfile "$tmp"/*.deb |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		tar -xJ -C "$tmp/linux" --strip-components=1 \
			--exclude='*/drivers/gpu/drm/amd/include' \
			--exclude='*/drivers/net/ethernet/*.[ch]' \
			--exclude='*/tools/testing' --exclude='*/sound/*.[ch]'
}

# check_config KERNEL OUT: what the kernel's rules have made of our
# configuration must be what it says.
check_config()
{
	local line missing=

	while read -r line; do
		grep -qxF "$line" "$2/.config" || case $line in
		"# "*) ! grep -q "^${line:2:-11}=" "$2/.config" || missing+=" $line" ;;
		*) missing+=" $line" ;;
		esac
	done < <(wanted "$1")
	[ -z "$missing" ] || {
		echo "guest kernel: $package $version does not take:$missing" >&2
		return 1
	}
}

# All workarounds for faults of CPUs, which tinyconfig leaves out.
add_errata()
{
	sed -i 's/^# \(CONFIG_ARM64_ERRATUM_[0-9]*\) is not set/\1=y/' "$1/.config"
}

# quietly COMMAND...: says what it has said only when it fails.
quietly()
{
	"$@" >"$tmp/log" 2>&1 </dev/null && return
	tail -n 40 "$tmp/log" >&2
	return 1
}

# make_kernel ARCH OUT: configured in OUT.
make_kernel()
{
	local make=(make -s -C "$tmp/linux" "O=$2" "ARCH=$1"
		"CROSS_COMPILE=$(prefix "$1")" LOCALVERSION=-avf
		KBUILD_BUILD_USER=avf KBUILD_BUILD_HOST=avf)

	shift 2
	quietly "${make[@]}" "$@"
}

# build KERNEL OUT
build()
{
	local arch out=$tmp/$1

	arch=$(arch_of "$1")
	get_source
	echo "guest kernel: building $package $version for $1" >&2
	make_kernel "$arch" "$out" tinyconfig
	wanted "$1" >>"$out/.config"
	add_errata "$out"
	make_kernel "$arch" "$out" olddefconfig
	check_config "$1" "$out"
	make_kernel "$arch" "$out" -j"$(nproc)" "$(target "$arch")"
	mkdir "$tmp/done"
	cp "$out/arch/${arch/_64/}/boot/$(target "$arch")" "$tmp/done/kernel"
	cp "$out/.config" "$tmp/done/config"
	echo "$version" >"$tmp/done/version"
	rm -rf "$2" "$out"
	mv "$tmp/done" "$2"
	# of other configurations, that nobody has asked for in two months
	find "$cache/kernel" -maxdepth 1 -name "$1-*" -mtime +60 \
		-exec rm -rf {} +
}

usage()
{
	sed -n '2,15s/^# \{0,1\}//p' "$0"
	exit 2
}

cached=
[ "${1-}" != --cached ] || { cached=1; shift; }
[ $# -gt 0 ] || usage
need_tools
for kernel; do
	[ "$kernel" != common ] || usage
	[ -e "$here/$kernel.config" ] || usage
	arch=$(arch_of "$kernel")
	command -v "$(prefix "$arch")gcc" >/dev/null ||
		skip "no $(prefix "$arch")gcc: run scripts/deps.sh"
done
mkdir -p "$cache/kernel"
exec 9>"$cache/kernel/lock"
flock 9
# always the same path, so that a compiler cache knows the files again
tmp=$cache/kernel/build
trap 'rm -rf "$tmp"' EXIT
rm -rf "$tmp"
mkdir "$tmp"
find_source
for kernel; do
	out=$cache/kernel/$kernel-$(key "$kernel")
	if ! is_built "$out"; then
		[ -z "$cached" ] || skip "$kernel is built on request:" \
			"guest/kernel/build.sh $kernel"
		build "$kernel" "$out"
	fi
	touch "$out"
	echo "$out/kernel"
done
