#!/bin/bash
# Measure the library: beside QEMU's microvm machine in the lab, and on this
# computer's own KVM. docs/performance.md explains the figures.
#
#   bench/run.sh [options]
#
#   --image DIR     guest image (default: built with `avf image build`)
#   --kernel DEB    kernel package for the lab and for building the image
#   --runs N        repetitions (default: 3)
#   --quick         few repetitions, to see that it works
#
# Results: build/bench/results.json, results.md, timeline.svg. It takes four
# to twelve minutes when the computer has nothing else to do. Exit code 1 when
# a part failed each time; the others have figures all the same.
set -euo pipefail
cd "$(dirname "$0")/.."
repo=$PWD
out=$repo/build/bench
tree=$out/tree
image=
kernel_deb=
runs=3
mib=16
reads=2000
calls=10000
lab_calls=200

usage()
{
	sed -n '2,14s/^# \{0,1\}//p' "$0"
	exit "${1:-2}"
}

while [ $# -gt 0 ]; do
	case $1 in
	--image) image=$(realpath "$2") ;;
	--kernel) kernel_deb=$(realpath "$2") ;;
	--runs) runs=$2 ;;
	--quick) runs=1 mib=4 reads=320 calls=1000 lab_calls=100; shift; continue ;;
	--help) usage 0 ;;
	*) usage ;;
	esac
	shift 2
done
. bench/common.sh

# --- what is measured -----------------------------------------------------

# The image's initramfs with our init over its own: archives add up, and the
# later file counts.
make_initramfs()
{
	cat "$image/initrd"
	(cd "$tree/bench/initramfs" &&
		echo init | cpio --quiet -o -H newc -R 0:0)
}

prepare()
{
	mkdir -p "$out"
	say "building"
	build_tree "$tree"
	if [ -z "$image" ]; then
		image=$out/image
		is_image_current "$image" "$tree" || "$tree/bin/avf" image build \
			--output "$image" \
			${kernel_deb:+--kernel-package "$kernel_deb"} >&2
	fi
	make_initramfs >"$out/initrd"
	# QEMU's microvm loads it up to the end of memory, over the ACPI tables
	# that its firmware has put into the last page, and then the kernel may
	# hang when it reads these. Of whole pages it ends before that one.
	truncate -s %4096 "$out/initrd"
	"$tree/bin/avf" package create --output "$out/bench.avfpkg" \
		--name bench "$tree/payloads/libbench_vsock.so" >&2
	[ -e "$out/disk" ] ||
		dd if=/dev/urandom of="$out/disk" bs=1M count=64 status=none
}

# QEMU's files for the lab: the binary and what it loads at run time.
prepare_qemu()
{
	local file dir

	qemu=$(command -v qemu-system-x86_64)
	rm -rf "$out/roms"
	mkdir -p "$out/roms"
	for file in qboot.rom bios-microvm.bin bios-256k.bin pvh.bin \
		linuxboot_dma.bin kvmvapic.bin; do
		for dir in /usr/share/qemu /usr/share/seabios; do
			[ ! -e "$dir/$file" ] || cp -L "$dir/$file" "$out/roms"
		done
	done
}

# --- measuring ------------------------------------------------------------

# One part of bench/lab.sh, in a lab of its own: what an earlier part did to
# the emulator's caches does not count, and a crash costs one part only.
in_lab()
{
	local runtimes=

	[ "$1" != rpc ] || runtimes=--runtimes
	# shellcheck disable=SC2086 # a word or none
	scripts/lab.sh x86 --quiet --build "$tree" --timeout "$2" \
		${kernel_deb:+--kernel "$kernel_deb"} --module loop \
		--file "$repo/bench" --file "$image" \
		--file "$out/initrd" --file "$out/bench.avfpkg" \
		--file "$out/disk" --file "$out/roms" --file "$qemu" \
		$runtimes \
		-- sh "$repo/bench/lab.sh" "$1" "$tree" "$image" "$out" \
		"$qemu" "$runs" "$mib" "$reads" "$lab_calls"
}

on_host()
{
	local guest=$tree/guest/bare/halt.elf

	"$tree/bench/bench_fleet" "$guest" 1 $((runs * 4)) &&
		"$tree/bench/bench_fleet" "$guest" 10 "$runs" &&
		"$tree/bench/bench_fleet" "$guest" 50 2
}

# RPC binder from each language: Unix sockets, with both sides on one CPU, and a
# VM that QEMU emulates.
rpc()
{
	AVF_GUEST_IMAGE=$image bench/rpc/measure.py "$tree" unix "$calls" \
		"$((runs * 3))" &&
		AVF_GUEST_IMAGE=$image bench/rpc/measure.py --all-cpus \
			"$tree" emulation "$calls" "$runs"
}

# Short labs and more attempts: the emulator left a CPU deaf (docs/testing.md)
# in two of eleven clients' VMs, and a repetition has four of them.
rpc_in_labs()
{
	local tries=4 repetition all=$runs runs=1

	for ((repetition = 1; repetition <= all; repetition++)); do
		part "rpc-$repetition" in_lab rpc 200
	done
}

before=$(load)
say "load average $before on $(nproc) CPUs"
prepare
prepare_qemu
say "measuring on this computer"
(cd "$out" && "$tree/bench/bench_device" 5000) >"$out/host.txt" ||
	failed+=" device"
rpc >>"$out/host.txt" || failed+=" rpc"
if [ -w /dev/kvm ]; then
	on_host >>"$out/host.txt" || failed+=" host"
else
	say "no /dev/kvm here: nothing is started on this computer"
fi
say "measuring in the lab"
rm -f "$out"/lab-{boot,payload,disk,fleet,rpc-*}.*
part boot in_lab boot 400
part payload in_lab payload 150
part disk in_lab disk 120
part fleet in_lab fleet 90
rpc_in_labs
cat "$out"/lab-{boot,payload,disk,fleet,rpc-*}.txt >"$out/lab.txt"
context "$before" >"$out/context.txt"
bench/report.py --lab "$out/lab.txt" --host "$out/host.txt" \
	--context "$out/context.txt" --output "$out"
say "done in $((SECONDS - start)) s; see $out"
[ -z "$failed" ]
