#!/bin/bash
# Build everything and run every test that this computer can run.
#
#   scripts/test.sh          all of it
#   scripts/test.sh --fast   one compiler; checks, unit tests and host tests
#
# docs/testing.md says what runs where. The last line counts single tests; the
# exit code is 1 when one failed. Logs are in build/logs.
set -u
cd "$(dirname "$0")/.."
repo=$PWD
export LC_ALL=C.UTF-8

fast=
case "${1-}" in
"") ;;
--fast) fast=1 ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

logs=$repo/build/logs
rm -rf "$logs"
mkdir -p "$logs"
places=()
declare -A passed failed skipped seconds
lab_reason=

# --- counting -------------------------------------------------------------

# add PLACE PASSED FAILED SKIPPED SECONDS
add()
{
	local place=$1

	if [ -z "${passed[$place]-}" ]; then
		places+=("$place")
		passed[$place]=0 failed[$place]=0
		skipped[$place]=0 seconds[$place]=0
	fi
	passed[$place]=$((passed[$place] + $2))
	failed[$place]=$((failed[$place] + $3))
	skipped[$place]=$((skipped[$place] + $4))
	seconds[$place]=$((seconds[$place] + $5))
}

title()
{
	printf '\n== %s\n' "$*"
}

# step PLACE NAME COMMAND...: a command that is one test; 77 is a skip.
step()
{
	local place=$1 name=$2 start=$SECONDS status=0 took
	local log=$logs/$place-$name.log

	shift 2
	"$@" >"$log" 2>&1 </dev/null || status=$?
	took=$((SECONDS - start))
	case $status in
	0)
		echo "PASS $place/$name ($took s)"
		add "$place" 1 0 0 $took
		;;
	77)
		echo "SKIP $place/$name: $(tail -n1 "$log")"
		add "$place" 0 0 1 $took
		;;
	*)
		echo "FAIL $place/$name ($took s), exit code $status"
		tail -n 60 "$log" | sed 's/^/    | /'
		add "$place" 0 1 0 $took
		;;
	esac
	return $status
}

# programs PLACE BUILD LABEL [OPTION...]: run those of a label.
programs()
{
	local place=$1 build=$2 label=$3 start=$SECONDS

	shift 3
	scripts/run_tests.py --build "build/$build" --label "$label" \
		--results "$logs/$place.counts" "$@" 2>&1 </dev/null |
		tee "$logs/$place.log"
	echo $((SECONDS - start)) >"$logs/$place.seconds"
}

# count PLACE: what programs() said.
count()
{
	local counts

	counts=$(cat "$logs/$1.counts" 2>/dev/null) || counts="0 1 0"
	# shellcheck disable=SC2086 # three words
	add "$1" $counts "$(cat "$logs/$1.seconds")"
}

run()
{
	title "$1"
	programs "$@"
	count "$1"
}

# --- the stages -----------------------------------------------------------

# build NAME TARGET OPTION...: build/NAME.
build()
{
	local name=$1 target=$2

	shift 2
	step build "$name-configure" cmake -G Ninja -S . -B "build/$name" \
		-DAVF_WERROR=ON "$@" &&
		step build "$name" cmake --build "build/$name" --target "$target"
}

# compiles BUILD FILE
compiles()
{
	grep -qF "/$2\"" "build/$1/compile_commands.json"
}

# tidy BUILD [OTHER]: what build/BUILD compiles and build/OTHER does not.
tidy()
{
	local file

	git ls-files 'lib/*.c' 'tools/*.c' 'examples/*.c' |
		while IFS= read -r file; do
			! compiles "$1" "$file" ||
				{ [ -n "${2-}" ] && compiles "$2" "$file"; } ||
				echo "$file"
		done |
		xargs -P "$(nproc)" -n 4 clang-tidy --quiet \
		--warnings-as-errors='*' -p "build/$1"
}

checks()
{
	title checks
	step check layers scripts/check_layers.py
	step check house scripts/check_house.sh
	step check headers scripts/check_headers.sh
	step check format scripts/check_format.sh
	step check hostile scripts/check_hostile.py
	step check conformance scripts/check_conformance.py
	step check protocol scripts/check_protocol.py
	[ -z "$1" ] || return
	step check symbols scripts/check_symbols.sh build/gcc
	step check globals scripts/check_globals.sh build/gcc
	step check install scripts/check_install.sh build/gcc
}

# guest_image BUILD NAME [OPTION...]: the microguest that payload tests run in,
# build/BUILD/NAME; kept while its parts are the same.
guest_image()
{
	local build=$1 name=$2 image=$repo/build/$1/$2
	local parts=build/$1/libexec/libvirtualization/guest

	shift 2
	if [ -d "$image" ] && [ "$*" = "$(cat "$image.options" 2>/dev/null)" ] &&
		[ -z "$(find "$parts" build/gcc/bin/avf -type f \
			-newer "$image")" ]; then
		return
	fi
	step build "$build-$name" build/gcc/bin/avf image build \
		--guest-dir "$parts" --output "$image" "$@" &&
		echo "$*" >"$image.options"
}

# kernel_image BUILD NAME KERNEL [OPTION...]: an image with that kernel of
# guest/kernel, built with the options. Where there is none, what needs it is
# skipped.
kernel_image()
{
	local build=$1 name=$2 kernel=$3 path

	shift 3
	step build "$kernel-kernel" guest/kernel/build.sh "$@" "$kernel" || {
		rm -rf "build/$build/$name"
		return
	}
	path=$(tail -n1 "$logs/build-$kernel-kernel.log")
	# of a newer source it has the same path
	[ ! "$path" -nt "build/$build/$name" ] || rm -rf "build/$build/$name"
	guest_image "$build" "$name" --arch "${kernel%%-*}" --kernel "$path"
}

# An emulated machine has little to do for its second CPU, and VMs of two
# programs at a time lock it up. So it is this lab that runs beside the others.
lab_x86=
start_lab_x86()
{
	programs lab-x86 gcc lab --lab x86 --memory 2048 --smp 2 \
		--runtimes --timeout 1500 >/dev/null &
	lab_x86=$!
}

finish_lab_x86()
{
	title lab-x86
	wait "$lab_x86"
	cat "$logs/lab-x86.log"
	count lab-x86
	lab_reason=$(sed -n 's/.*skipped: \(lab: .*\)/\1/p' \
		"$logs/lab-x86.log" | head -n1)
}

# Out of memory at each allocation of OpenSSL's: minutes on an emulated CPU.
arm64_units='^(?!oom/test_rpc_tls)'

# Built on this computer, run in the labs.
arm64_labs()
{
	title "arm64"
	step build arm64-sysroot scripts/arm64_sysroot.sh || return
	step build arm64-configure cmake --preset arm64 &&
		step build arm64 cmake --build build/arm64 || return
	# the others are looked at in this computer's build
	step check tidy-arm64 tidy arm64 gcc
	run unit-arm64 arm64 unit --match "$arm64_units" --jobs 2 \
		--lab arm64 --runtimes \
		--timeout 1500 --file CMakeLists.txt --file fuzz/corpus \
		--file bindings/python/pyproject.toml
	guest_image arm64 guest-image --arch arm64
	kernel_image arm64 small-image arm64
	# built on request (docs/guest-kernel.md), used when they are there
	kernel_image arm64 image-16k arm64-16k --cached
	kernel_image arm64 image-64k arm64-64k --cached
	AVF_GUEST_IMAGE=$repo/build/arm64/guest-image \
		run lab-arm64 arm64 lab \
		--match '^(?!python/test_rpc_vm|avf/java_lab)' \
		--lab arm64 --runtimes --timeout 1500
	AVF_GUEST_IMAGE=$repo/build/arm64/small-image \
		run lab-pkvm arm64 pkvm --lab pkvm
}

summary()
{
	local place again p=0 f=0 s=0

	title "summary"
	printf '%-12s %7s %7s %7s %7s\n' place passed failed skipped seconds
	for place in "${places[@]}"; do
		printf '%-12s %7d %7d %7d %7d\n' "$place" "${passed[$place]}" \
			"${failed[$place]}" "${skipped[$place]}" \
			"${seconds[$place]}"
		p=$((p + passed[$place]))
		f=$((f + failed[$place]))
		s=$((s + skipped[$place]))
	done
	echo "took $SECONDS s"
	again=$(cat "$logs"/*.log | grep -c ' once more; its last words:$')
	[ "$again" = 0 ] ||
		echo "NOTE: $again times a lab or a program in it died, and what had not ended ran once more: see build/logs"
	[ -z "$lab_reason" ] ||
		echo "NOTE: nothing ran in the lab: $lab_reason"
	[ -z "$fast" ] ||
		echo "NOTE: --fast: no slow tests, clang, sanitizers, clang-tidy, labs, emulation"
	echo "$p passed, $f failed, $s skipped"
	[ "$f" = 0 ]
}

title "dependencies"
if ! scripts/deps.sh; then
	add build 0 1 0 0
	summary
	exit 1
fi
title build
build gcc all
gcc_status=$?
checks "${gcc_status#0}"
if [ $gcc_status = 0 ]; then
	run unit gcc unit ${fast:+--without slow}
	guest_image gcc guest-image
	export AVF_GUEST_IMAGE=$repo/build/gcc/guest-image
	run host gcc host --jobs 1 ${fast:+--without slow}
fi
if [ -z "$fast" ]; then
	[ $gcc_status != 0 ] || kernel_image gcc small-image x86_64
	[ $gcc_status != 0 ] || start_lab_x86
	arm64_labs
	[ $gcc_status != 0 ] || finish_lab_x86
	[ $gcc_status != 0 ] || AVF_TEST_FOREIGN=$repo/build/arm64 \
		run emulated gcc emulated
	title "other builds"
	build clang all -DCMAKE_C_COMPILER=clang && step check tidy tidy clang
	build asan all -DCMAKE_BUILD_TYPE=Debug \
		-DAVF_SANITIZE=address,undefined &&
		run unit-asan asan unit &&
		run host-asan asan host --jobs 1
	build tsan thread_tests -DAVF_SANITIZE=thread &&
		run threads-tsan tsan threads
fi
summary
