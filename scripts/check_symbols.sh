#!/bin/sh
# Check that the shared library and the static archive export exactly what
# tests/abi/symbols.txt lists.
#
#   scripts/check_symbols.sh BUILD            compare
#   scripts/check_symbols.sh BUILD --update   write the list anew
set -eu
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
list=$root/tests/abi/symbols.txt
lib=$1/lib
found=$(mktemp)
trap 'rm -f "$found"' EXIT
bad=0

compare()
{
	if [ ! -e "$1" ]; then
		echo "$1 does not exist"
		bad=1
	elif ! diff -u --label symbols.txt --label "$(basename "$1")" \
		"$list" "$found"; then
		bad=1
	fi
}

# Versioned names carry "@@AVF_0.1"; the version nodes themselves are absolute.
nm -D --defined-only "$lib/libvirtualization.so" |
	awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort -u >"$found"
if [ "${2-}" = --update ]; then
	mkdir -p "${list%/*}"
	cp "$found" "$list"
	exit
fi
compare "$lib/libvirtualization.so"
nm -g --defined-only "$lib/libvirtualization.a" |
	awk 'NF == 3 { print $3 }' | sort -u >"$found"
compare "$lib/libvirtualization.a"
exit $bad
