#!/bin/bash
# Make the folder of arm64 headers and libraries that the preset "arm64"
# builds with, once, and print its path.
#
#   scripts/arm64_sysroot.sh
#
# Its packages are Debian's, of this computer's own release and sources; they
# are unpacked in ${XDG_CACHE_HOME:-~/.cache}/libvirtualization, and nothing is
# installed. Exit code 77: this computer cannot have it; the reason is printed.
set -euo pipefail

repo=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/libvirtualization/arm64
. "$repo/scripts/lab/arm64_apt.sh"

# As in scripts/deps.sh, and what the tests run in the lab's machine.
packages="libc6-dev linux-libc-dev libjansson-dev libzstd-dev liblz4-dev
	liblzma-dev zlib1g-dev libseccomp-dev libfdt-dev libssl-dev
	libcriterion-dev libpython3-dev
	busybox-static libstdc++6 python3 openjdk-17-jre-headless
	erofs-utils dpkg tar acpica-tools device-tree-compiler"
# A link, because builds that use it go on while another one is made: it is
# replaced in one step, and its path stays the same.
sysroot=$cache/root

[ $# = 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }

skip()
{
	echo "SKIP: arm64 sysroot: $*"
	exit 77
}

# The packages that it shall have and does not have.
missing()
{
	local package

	for package in $packages; do
		grep -qsx "$package" "$sysroot/packages" || echo "$package"
	done
}

# Absolute links would lead out of the folder.
make_links_relative()
{
	local link target

	find "$1" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
		target=$(readlink "$link")
		ln -sfnr "$1$target" "$link"
	done
}

# Makes one of these packages and of those that it has: a checkout with a
# shorter list does not take away what another one builds with.
make()
{
	local tmp deb

	# shellcheck disable=SC2086 # a list of words
	packages=$({ cat "$sysroot/packages" 2>/dev/null || true
		printf '%s\n' $packages; } | sort -u)
	command -v apt-get >/dev/null || skip "no apt-get"
	arm64_apt_setup "$cache/apt" 2>"$cache/reason" ||
		skip "$(cat "$cache/reason")"
	rm -f "$cache"/apt/cache/archives/*.deb
	# shellcheck disable=SC2086 # a list of words
	arm64_apt apt-get -qq -y --no-install-recommends --download-only \
		install $packages </dev/null >"$cache/reason" 2>&1 ||
		skip "apt-get: $(tail -n1 "$cache/reason")"
	tmp=$(mktemp -d "$cache/root.XXXXXX")
	# as on a Debian of today: the packages still put files into /lib
	mkdir -p "$tmp/usr/lib" "$tmp/usr/bin" "$tmp/usr/sbin"
	for deb in lib bin sbin; do
		ln -s "usr/$deb" "$tmp/$deb"
	done
	for deb in "$cache"/apt/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -C "$tmp" -xf - --keep-directory-symlink
	done
	make_links_relative "$tmp"
	echo "$packages" >"$tmp/packages"
	chmod 755 "$tmp"
	ln -s "${tmp##*/}" "$tmp.link"
	mv -T "$tmp.link" "$sysroot"
	# the one before, and what an interrupted run has left
	find "$cache" -maxdepth 1 -name 'root.*' ! -name "${tmp##*/}" \
		-exec rm -rf {} +
	rm -f "$cache"/apt/cache/archives/*.deb
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
[ -z "$(missing)" ] || make
echo "$sysroot"
