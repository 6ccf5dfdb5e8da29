#!/bin/bash
# Run a payload in a microguest, from a fresh clone, and talk to it.
#
#   scripts/demo.sh             build, probe, make guest and payload, run it
#   scripts/demo.sh --console   show the guest's console, too
#
# Everything lands in build/demo; the second time takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

console=()
case "${1-}" in
"") ;;
--console) console=(--console) ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

build=$PWD/build/demo
export AVF_GUEST_IMAGE=$build/guest-image

title()
{
	printf '\n== %s\n' "$*"
}

# Says nothing unless COMMAND fails.
quietly()
{
	"$@" >"$build/demo.log" 2>&1 </dev/null && return
	cat "$build/demo.log" >&2
	return 1
}

scripts/deps.sh
mkdir -p "$build"
title "building in build/demo"
quietly cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Release \
	-DAVF_TESTS=OFF
quietly cmake --build "$build"
avf=$build/bin/avf

title "what this computer can do: avf info"
"$avf" info

# The parts of the guest are built before its image is made.
parts=$build/libexec/libvirtualization/guest
if [ -d "$AVF_GUEST_IMAGE" ] &&
	[ -z "$(find "$parts" -type f -newer "$AVF_GUEST_IMAGE")" ]; then
	title "the guest's image is up to date"
else
	title "making the guest's image: avf image build"
	"$avf" image build --output "$AVF_GUEST_IMAGE"
fi

title "making a package of examples/payload_echo: avf package create"
"$avf" package create --name echo --output "$build/echo.avfpkg" \
	"$build/payloads/libecho.so"

title "running it: examples/run_payload"
exec "$build/examples/run_payload" ${console[@]+"${console[@]}"} \
	"$build/echo.avfpkg" libecho.so
