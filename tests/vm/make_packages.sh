#!/bin/sh
# make_packages.sh AVF PAYLOADS OUTPUT: the payload packages of the tests, from
# the libraries in PAYLOADS: a good one and three that are not.
set -eu
avf=$1 payloads=$2 out=$3

rm -rf "$out"
mkdir -p "$out/assets" "$out/manifest/lib/x86_64"
echo "hello from the assets" >"$out/assets/hello.txt"
set --
for library in "$payloads"/lib*.so; do
	set -- "$@" "$library"
done
"$avf" package create --output "$out/good.avfpkg" --name test \
	--assets "$out/assets" "$@"

# a library of another architecture: e_machine is at 18, 183 is arm64
cp "$payloads/libexit_code.so" "$out/libexit_code.so"
printf '\267\000' |
	dd of="$out/libexit_code.so" bs=1 seek=18 conv=notrunc status=none
"$avf" package create --output "$out/foreign.avfpkg" --name foreign \
	"$out/libexit_code.so"

cp "$payloads/libexit_code.so" "$out/manifest/lib/x86_64/"
mkfs.erofs "$out/no_manifest.avfpkg" "$out/manifest" >/dev/null 2>&1
echo '{ "format": 1, "name": ' >"$out/manifest/manifest.json"
mkfs.erofs "$out/bad_manifest.avfpkg" "$out/manifest" >/dev/null 2>&1
rm -rf "$out/manifest" "$out/assets" "$out/libexit_code.so"
