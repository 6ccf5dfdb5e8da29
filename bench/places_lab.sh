#!/bin/sh
# The part of bench/places.sh that runs in a lab; its arguments come from there:
# TREE PACKAGE RUNS MIB TOO_LITTLE ENOUGH NAME:IMAGE...
set -e
tree=$1 package=$2 runs=$3 mib=$4 low=$5 high=$6
shift 6
. "${0%/*}/lab_keep.sh"

# Into memory, so that no later reader finds what an earlier one fetched.
variants=
for variant; do
	image=${variant#*:}
	dir=/tmp/files$image
	[ -d "$dir" ] || {
		mkdir -p "$dir"
		cp "$image"/* "$dir"
	}
	variants="$variants ${variant%%:*}:$dir"
done
# The search is first: afterwards no variant is the first one to run.
[ "$high" = 0 ] || for variant in $variants; do
	keep "$tree/bench/bench_memory" "$package" "$low" "$high" "$variant"
done
# shellcheck disable=SC2086 # words
repeat "$runs" "$tree/bench/bench_payload" "$package" "$mib" $variants
