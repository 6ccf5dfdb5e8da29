#!/bin/bash
# Measure payload VMs in the labs: protected ones beside others, the kernel of
# guest/kernel beside Debian's, and how little memory is enough for each.
# docs/performance.md explains the figures.
#
#   bench/places.sh [options] [PLACE...]
#
#   PLACE           x86, arm64 or pkvm (default: all three)
#   --kernel DEB    Debian's kernel for the x86 image (default: downloaded)
#   --runs N        repetitions (default: 2)
#   --quick         one repetition and no search for memory
#
# Results: build/bench/places.json, places.md. It takes seven to eight minutes
# for all three on a computer with nothing else to do, and some more the first
# time, when the guest's kernels are built. Exit code 1 when a place failed
# twice.
set -euo pipefail
cd "$(dirname "$0")/.."
repo=$PWD
out=$repo/build/bench
runs=2
mib=4
# MiB: what is surely too little, and what any of the kernels boots with
too_little=8
enough=256
kernel_deb=()
places=()

usage()
{
	sed -n '2,17s/^# \{0,1\}//p' "$0"
	exit "${1:-2}"
}

while [ $# -gt 0 ]; do
	case $1 in
	--runs) runs=$2; shift ;;
	--kernel) kernel_deb=(--kernel-package "$(realpath "$2")"); shift ;;
	--quick) runs=1 mib=1 enough=0 ;;
	--help) usage 0 ;;
	x86 | arm64 | pkvm) places+=("$1") ;;
	*) usage ;;
	esac
	shift
done
[ ${#places[@]} -gt 0 ] || places=(x86 arm64 pkvm)
. bench/common.sh

tree_of()
{
	[ "$1" = x86 ] && echo "$out/tree" || echo "$out/tree-arm64"
}

# make_image DIR TREE [KERNEL OPTION...]: an image of TREE's guest with KERNEL.
make_image()
{
	local dir=$1 tree=$2 kernel=${3-}

	shift $(($# < 3 ? 2 : 3))
	is_image_current "$dir" "$tree" ${kernel:+"$kernel"} && return
	"$out/tree/bin/avf" image build --output "$dir" --guest-dir \
		"$tree/libexec/libvirtualization/guest" \
		${kernel:+--kernel "$kernel"} "$@" >&2
}

prepare_x86()
{
	local kernel

	kernel=$(guest/kernel/build.sh x86_64) || { say "$kernel"; return 1; }
	make_image "$out/image" "$out/tree" "" \
		${kernel_deb+"${kernel_deb[@]}"} &&
		make_image "$out/small-x86_64" "$out/tree" "$kernel"
}

prepare_arm64()
{
	local kernel

	kernel=$(scripts/arm64_sysroot.sh) || { say "$kernel"; return 1; }
	build_tree "$out/tree-arm64" --toolchain "$repo/cmake/arm64.cmake" \
		-DAVF_HOST_AVF="$out/tree/bin/avf"
	kernel=$(guest/kernel/build.sh arm64) || { say "$kernel"; return 1; }
	make_image "$out/small-arm64" "$out/tree-arm64" "$kernel" --arch arm64
}

# prepare PLACE: sets $variants, the VMs to compare.
prepare()
{
	local tree

	tree=$(tree_of "$1")
	case $1 in
	x86)
		prepare_x86 || return
		variants=("debian:$out/image" "small:$out/small-x86_64") ;;
	arm64)
		prepare_arm64 || return
		variants=("small:$out/small-arm64") ;;
	pkvm)
		prepare_arm64 || return
		variants=("small:$out/small-arm64"
			"protected:$out/small-arm64") ;;
	esac
	"$out/tree/bin/avf" package create --output "$out/bench-$1.avfpkg" \
		--name bench "$tree/payloads/libbench_vsock.so" >&2
}

in_lab()
{
	local place=$1 package=$out/bench-$1.avfpkg tree variant files=()

	tree=$(tree_of "$place")
	for variant in "${variants[@]}"; do
		files+=(--file "${variant#*:}")
	done
	scripts/lab.sh "$place" --quiet --build "$tree" --timeout 900 \
		--file "$repo/bench" --file "$package" "${files[@]}" \
		-- sh "$repo/bench/places_lab.sh" "$tree" "$package" "$runs" \
		"$mib" "$too_little" "$enough" "${variants[@]}"
}

sizes()
{
	local variant file

	for variant in "${variants[@]}"; do
		for file in kernel initrd; do
			echo "sample ${variant%%:*}.$file MB" \
				"$(stat -c %s "${variant#*:}/$file" |
					awk '{ print $1 / 1e6 }')"
		done
	done
}

before=$(load)
say "load average $before on $(nproc) CPUs"
mkdir -p "$out"
say "building"
build_tree "$out/tree"
for place in "${places[@]}"; do
	if ! prepare "$place"; then
		failed+=" $place"
		continue
	fi
	say "measuring in lab $place"
	part "$place" in_lab "$place"
	sizes >>"$out/lab-$place.txt"
done
context "$before" >"$out/places-context.txt"
bench/report_places.py --context "$out/places-context.txt" --output "$out" \
	"${places[@]}"
say "done in $((SECONDS - start)) s; see $out/places.md"
[ -z "$failed" ]
