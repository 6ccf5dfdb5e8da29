#!/bin/sh
# The part of bench/run.sh that runs in the lab; its arguments come from there.
set -e
tree=$1 image=$2 out=$3 qemu=$4 runs=$5 mib=$6 reads=$7
guest=$tree/guest/bare/halt.elf

# Into memory, so that no later reader finds what an earlier one fetched.
mkdir -p /tmp/files
cp "$image/kernel" "$out/initrd" "$out/disk" /tmp/files
"$tree/bench/bench_boot" /tmp/files/kernel /tmp/files/initrd "$runs" \
	"$qemu" "$out/roms"
"$tree/bench/bench_payload" "$image" "$out/bench.avfpkg" "$runs" "$mib"
"$tree/bench/bench_disk" /tmp/files/kernel /tmp/files/initrd /tmp/files/disk \
	"$reads"
"$tree/bench/bench_fleet" "$guest" 1 "$runs"
"$tree/bench/bench_fleet" "$guest" 10 1
