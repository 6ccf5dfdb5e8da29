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
# a part failed twice; the others have figures all the same.
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
start=$SECONDS

usage()
{
	sed -n '2,14s/^# \{0,1\}//p' "$0"
	exit "${1:-2}"
}

say()
{
	echo "bench: $*" >&2
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

# --- what is measured -----------------------------------------------------

build()
{
	cmake -G Ninja -S . -B "$tree" -DAVF_BENCH=ON -DAVF_TESTS=OFF \
		-DAVF_EXAMPLES=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
	cmake --build "$tree" >/dev/null
}

# The image's initramfs with our init over its own: archives add up, and the
# later file counts.
make_initramfs()
{
	cat "$image/initrd"
	(cd "$tree/bench/initramfs" &&
		echo init | cpio --quiet -o -H newc -R 0:0)
}

# Whether the image that an earlier run made has today's guest in it.
is_image_current()
{
	[ -e "$image/initrd" ] && [ -z "$(find "$tree/guest" "$tree/bin" \
		-type f -newer "$image/initrd" | head -n1)" ]
}

prepare()
{
	mkdir -p "$out"
	say "building"
	build
	if [ -z "$image" ]; then
		image=$out/image
		is_image_current || "$tree/bin/avf" image build \
			--output "$image" \
			${kernel_deb:+--kernel-package "$kernel_deb"} >&2
	fi
	make_initramfs >"$out/initrd"
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
		--file "$repo/bench/lab.sh" --file "$image" \
		--file "$out/initrd" --file "$out/bench.avfpkg" \
		--file "$out/disk" --file "$out/roms" --file "$qemu" \
		--file "$repo/bench/rpc" $runtimes \
		-- sh "$repo/bench/lab.sh" "$1" "$tree" "$image" "$out" \
		"$qemu" "$runs" "$mib" "$reads" "$lab_calls"
}

# Measure part $1 within $2 seconds, once more if that fails and there is
# time. The samples of an attempt that failed do not count.
part()
{
	local try

	for try in 1 2; do
		if in_lab "$1" "$2" >"$out/lab-$1.txt"; then
			say "$1: done, $((SECONDS - start)) s so far"
			return
		fi
		: >"$out/lab-$1.txt"
		[ $((SECONDS - start)) -lt $limit ] || break
		say "$1: failed, once more"
	done
	say "$1: failed; its figures are missing"
	failed+=" $1"
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

load()
{
	cut -d' ' -f1-3 /proc/loadavg
}

# What a reader must know to judge the figures.
context()
{
	echo "Commit $(git describe --always --dirty 2>/dev/null || echo "?")," \
		"$runs runs, $((SECONDS - start)) s, $(nproc) CPUs" \
		"($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n1))," \
		"host kernel $(uname -r), $("$qemu" --version | head -n1)."
	echo "Load average before: $before; after: $(load) (the benchmark" \
		"itself makes 1 to 2). Above 2 before the start, figures" \
		"are not to be relied on."
	[ -z "$failed" ] || echo "Failed, so without figures:$failed."
}

before=$(load)
failed=
limit=420 # seconds, after which nothing is tried again
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
rm -f "$out"/lab-*.txt
part boot 240
part payload 150
part disk 120
part fleet 90
part rpc 300
cat "$out"/lab-*.txt >"$out/lab.txt"
context >"$out/context.txt"
bench/report.py --lab "$out/lab.txt" --host "$out/host.txt" \
	--context "$out/context.txt" --output "$out"
say "done in $((SECONDS - start)) s; see $out"
[ -z "$failed" ]
