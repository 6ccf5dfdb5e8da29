#!/bin/sh
# make_initrd.sh INIT OUTPUT: an initramfs of this program and what it mounts on.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/dev" "$dir/proc"
cp "$1" "$dir/init"
(cd "$dir" && find . -mindepth 1 | sort | cpio --quiet -o -H newc -R 0:0) >"$2"
