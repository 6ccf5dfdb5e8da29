#!/bin/bash
# Fuzz every parser of hostile input for a while.
#
#   scripts/fuzz.sh MINUTES [TARGET...]
#
# Builds the targets of fuzz/ with clang in build/fuzz and shares the time
# between them. What they learn stays in build/fuzz/corpus; an input that
# makes one fail is a finding, is kept in build/fuzz/findings, and makes this
# exit with 1. Once the cause is fixed the input goes to fuzz/corpus/TARGET,
# which every build replays.
set -eu
cd "$(dirname "$0")/.."

usage()
{
	sed -n '2,10s/^# \{0,1\}//p' "$0"
	exit 2
}

case "${1-}" in
"" | *[!0-9]*) usage ;;
esac
minutes=$1
shift
build=$PWD/build/fuzz
findings=$build/findings
jobs=$(nproc)

cmake -G Ninja -S . -B "$build" -DAVF_FUZZ=ON -DCMAKE_C_COMPILER=clang \
	-DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
cmake --build "$build" --target fuzz >/dev/null
mkdir -p "$findings"

[ $# != 0 ] || set -- $(sed -n 's/^avf_fuzz(\([a-z_0-9]*\).*/\1/p' \
	fuzz/CMakeLists.txt)
seconds=$((minutes * 60 * jobs / $#))
[ "$seconds" -gt 0 ] || seconds=1

# One target; its log tells the rest.
fuzz_one()
{
	local target=$1 corpus=$build/corpus/$1

	mkdir -p "$corpus"
	"$build/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 \
		-timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$findings/$target-" "$corpus" \
		"fuzz/corpus/$target" >"$build/$target.log" 2>&1 || true
}
export -f fuzz_one
export build findings seconds

# 0 for a number that the log does not tell
figure()
{
	local value

	value=$(grep -o "$2 *[0-9]*" "$build/$1.log" | tail -n1 |
		grep -o '[0-9]*$') || value=0
	echo "$value"
}

printf '%s\n' "$@" | xargs -P "$jobs" -I{} bash -c 'fuzz_one {}'
printf '%-14s %8s %12s %9s\n' target cov execs findings
total=0
for target; do
	n=$(find "$findings" -name "$target-*" | wc -l)
	# a target that did not even end properly is a finding too
	grep -q '^Done ' "$build/$target.log" || [ "$n" != 0 ] || n=1
	total=$((total + n))
	printf '%-14s %8s %12s %9s\n' "$target" "$(figure "$target" cov:)" \
		"$(figure "$target" 'executed_units:')" "$n"
done
[ "$total" = 0 ] || echo "findings are in $findings; logs in $build"
[ "$total" = 0 ]
