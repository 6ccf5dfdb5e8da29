#!/bin/bash
# Run a payload in a microguest, from a fresh clone, and talk to it.
#
#   scripts/demo.sh             build, probe, make guest and payload, run it
#   scripts/demo.sh --console   show the guest's console, too
#   scripts/demo.sh --lab pkvm  a protected VM, in the lab that has them:
#                               its memory is searched, in vain
#
# Everything lands in build/demo; the second time takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

console=()
lab=
case "$*" in
"") ;;
--console) console=(--console) ;;
"--lab pkvm") lab=pkvm ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
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

# The same for arm64, with the kernel of guest/kernel; it runs in the lab, whose
# kernel protects VMs from itself.
lab_demo()
{
	local tree=$PWD/build/demo-arm64 kernel

	title "building for arm64 in build/demo-arm64"
	quietly scripts/arm64_sysroot.sh
	quietly cmake --preset arm64 -B "$tree" -DCMAKE_BUILD_TYPE=Release \
		-DAVF_TESTS=OFF "-DAVF_HOST_AVF=$avf"
	quietly cmake --build "$tree"
	title "the guest's kernel: guest/kernel/build.sh arm64"
	kernel=$(guest/kernel/build.sh arm64) || {
		echo "$kernel"
		exit 1
	}
	title "making the guest's image: avf image build --arch arm64 --kernel"
	"$avf" image build --arch arm64 --kernel "$kernel" --guest-dir \
		"$tree/libexec/libvirtualization/guest" \
		--output "$tree/guest-image"
	"$avf" package create --name secret --output "$tree/secret.avfpkg" \
		"$tree/payloads/libsecret.so"
	cat >"$tree/demo" <<END
export AVF_GUEST_IMAGE=$tree/guest-image
bin/avf info | grep protected
echo; echo "== a VM that is not protected"
examples/protected_vm --not-protected secret.avfpkg || exit
echo; echo "== a protected one"
examples/protected_vm secret.avfpkg
END
	title "booting the lab: scripts/lab.sh pkvm"
	exec scripts/lab.sh pkvm --build "$tree" -- sh "$tree/demo"
}

if [ -n "$lab" ]; then
	lab_demo
fi

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
