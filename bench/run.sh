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
# Results: build/bench/results.json, results.md, timeline.svg.
set -euo pipefail
cd "$(dirname "$0")/.."
repo=$PWD
out=$repo/build/bench
tree=$out/tree
image=
kernel_deb=
runs=3
mib=32
reads=4000
start=$SECONDS

usage()
{
	sed -n '2,12s/^# \{0,1\}//p' "$0"
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
	--quick) runs=1 mib=4 reads=320; shift; continue ;;
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

prepare()
{
	mkdir -p "$out"
	say "building"
	build
	if [ -z "$image" ]; then
		image=$out/image
		[ -e "$image/kernel" ] || "$tree/bin/avf" image build \
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

in_lab()
{
	scripts/lab.sh x86 --build "$tree" --timeout 500 \
		${kernel_deb:+--kernel "$kernel_deb"} \
		--file "$repo/bench/lab.sh" --file "$image" \
		--file "$out/initrd" --file "$out/bench.avfpkg" \
		--file "$out/disk" --file "$out/roms" --file "$qemu" \
		-- sh "$repo/bench/lab.sh" "$tree" "$image" "$out" "$qemu" \
		"$runs" "$mib" "$reads"
}

on_host()
{
	local guest=$tree/guest/bare/halt.elf

	"$tree/bench/bench_fleet" "$guest" 1 $((runs * 4)) &&
		"$tree/bench/bench_fleet" "$guest" 10 "$runs" &&
		"$tree/bench/bench_fleet" "$guest" 50 2
}

prepare
prepare_qemu
: >"$out/host.txt"
if [ -w /dev/kvm ]; then
	say "measuring on this computer"
	on_host >"$out/host.txt"
else
	say "no /dev/kvm here: nothing is measured on this computer"
fi
say "measuring in the lab"
# An emulated computer may crash by itself (exit code 125): once more, then.
status=0
in_lab >"$out/lab.txt" || status=$?
if [ $status = 125 ]; then
	say "the lab failed; trying again"
	status=0
	in_lab >"$out/lab.txt" || status=$?
fi
[ $status = 0 ] || exit $status
bench/report.py --lab "$out/lab.txt" --host "$out/host.txt" --output "$out"
say "done in $((SECONDS - start)) s; see $out"
