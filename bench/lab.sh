#!/bin/sh
# The parts of bench/run.sh that run in the lab; its arguments come from there.
set -e
part=$1 tree=$2 image=$3 out=$4 qemu=$5 runs=$6 mib=$7 reads=$8 calls=$9
guest=$tree/guest/bare/halt.elf
. "${0%/*}/lab_keep.sh"

# Into memory, so that no later reader finds what an earlier one fetched.
fetch()
{
	mkdir -p /tmp/files
	cp "$@" /tmp/files
}

case $part in
boot)
	fetch "$image/kernel" "$out/initrd"
	repeat "$runs" "$tree/bench/bench_boot" /tmp/files/kernel \
		/tmp/files/initrd "$qemu" "$out/roms"
	;;
payload)
	fetch "$image"/*
	repeat "$runs" "$tree/bench/bench_payload" "$out/bench.avfpkg" "$mib" \
		payload:/tmp/files
	;;
disk)
	# a block device: the lab's tmpfs cannot read without waiting
	fetch "$image/kernel" "$out/initrd" "$out/disk"
	losetup /dev/loop0 /tmp/files/disk
	"$tree/bench/bench_disk" /tmp/files/kernel /tmp/files/initrd \
		/dev/loop0 "$reads"
	;;
fleet)
	"$tree/bench/bench_fleet" "$guest" 1 "$runs"
	"$tree/bench/bench_fleet" "$guest" 10 2
	"$tree/bench/bench_fleet" "$guest" 50 1
	;;
rpc)
	fetch "$image"/*
	export AVF_GUEST_IMAGE=/tmp/files
	"$(sed -n 's/^python //p' "$tree/lab-runtimes")" \
		"${0%/*}/rpc/measure.py" --all-cpus "$tree" kvm "$calls" "$runs"
	;;
esac
