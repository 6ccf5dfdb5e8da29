#!/bin/sh
# make_packages.sh AVF PAYLOADS OUTPUT ABI: the payload packages of the tests,
# from the libraries in PAYLOADS, which are for ABI: a good one and five that
# are not.
set -eu
avf=$1 payloads=$2 out=$3 abi=$4

# the other architecture, as e_machine in octal
case $abi in
x86_64) other='\267\000' ;; # 183, arm64
arm64-v8a) other='\076\000' ;; # 62, x86-64
esac

rm -rf "$out"
mkdir -p "$out/assets" "$out/manifest/lib/$abi"
echo "hello from the assets" >"$out/assets/hello.txt"
echo '{"task": {"type": "microdroid_launcher", "command": "libexit_code.so"}}' \
	>"$out/assets/vm_config.json"
set --
for library in "$payloads"/lib*.so; do
	set -- "$@" "$library"
done
"$avf" package create --output "$out/good.avfpkg" --name test \
	--assets "$out/assets" "$@"

# a library of another architecture: e_machine is at 18
cp "$payloads/libexit_code.so" "$out/libexit_code.so"
# shellcheck disable=SC2059 # it is a format
printf "$other" |
	dd of="$out/libexit_code.so" bs=1 seek=18 conv=notrunc status=none
"$avf" package create --output "$out/foreign.avfpkg" --name foreign \
	"$out/libexit_code.so"

# the same where none should be, in a package that does not say what is in it
cp "$out/libexit_code.so" "$out/manifest/lib/$abi/"
echo '{"format":1,"name":"unmarked","libraries":["libexit_code.so"]}' \
	>"$out/manifest/manifest.json"
mkfs.erofs "$out/unmarked.avfpkg" "$out/manifest" >/dev/null 2>&1
rm "$out/manifest/manifest.json"

cp "$payloads/libexit_code.so" "$out/manifest/lib/$abi/"
mkfs.erofs "$out/no_manifest.avfpkg" "$out/manifest" >/dev/null 2>&1
# of a build to come
echo '{"format":2,"name":"later","libraries":["libexit_code.so"]}' \
	>"$out/manifest/manifest.json"
mkfs.erofs "$out/other_format.avfpkg" "$out/manifest" >/dev/null 2>&1
echo '{ "format": 1, "name": ' >"$out/manifest/manifest.json"
mkfs.erofs "$out/bad_manifest.avfpkg" "$out/manifest" >/dev/null 2>&1
rm -rf "$out/manifest" "$out/assets" "$out/libexit_code.so"
