#!/bin/sh
# Check that the shared libraries and the static archive export exactly what
# the lists in tests/abi have.
#
#   scripts/check_symbols.sh BUILD            compare
#   scripts/check_symbols.sh BUILD --update   write the list anew
set -eu
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
lists=$root/tests/abi
lib=$1/lib
update=${2-}
found=$(mktemp)
trap 'rm -f "$found"' EXIT
bad=0

# compare LIST FILE: what is in $found against tests/abi/LIST
compare()
{
	if [ "$update" = --update ]; then
		cp "$found" "$lists/$1"
	elif ! diff -u --label "$1" --label "$2" "$lists/$1" "$found"; then
		bad=1
	fi
}

# Versioned names carry "@@AVF_0.1"; the version nodes themselves are absolute.
shared()
{
	nm -D --defined-only "$lib/$2" |
		awk '$2 != "A" { sub("@.*", "", $3); print $3 }' |
		sort -u >"$found"
	compare "$1" "$2"
}

shared symbols-binder.txt libvirtualization-binder.so
shared symbols-binder-tls.txt libvirtualization-binder-tls.so
shared symbols-libavf.txt libavf.so
shared symbols.txt libvirtualization.so
nm -g --defined-only "$lib/libvirtualization.a" |
	awk 'NF == 3 { print $3 }' | sort -u >"$found"
compare symbols.txt libvirtualization.a
exit $bad
