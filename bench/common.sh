# What bench/run.sh and bench/places.sh share. To be sourced in the repository's
# folder; wants $out and $runs, and sets $failed, the names of the parts that
# have no figures.

start=$SECONDS
failed=

say()
{
	echo "bench: $*" >&2
}

load()
{
	cut -d' ' -f1-3 /proc/loadavg
}

# build_tree DIR [OPTION...]: with the options for CMake.
build_tree()
{
	local dir=$1

	shift
	cmake -G Ninja -S . -B "$dir" -DAVF_BENCH=ON -DAVF_TESTS=OFF \
		-DAVF_EXAMPLES=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo "$@" \
		>/dev/null
	cmake --build "$dir" >/dev/null
}

# is_image_current IMAGE TREE [FILE]: whether the image that an earlier run
# made has today's guest in it, and the kernel FILE.
is_image_current()
{
	[ -e "$1/initrd" ] && [ -z "$(find "$2/guest" "$2/bin" ${3+"$3"} \
		-type f -newer "$1/initrd" | head -n1)" ]
}

# part NAME COMMAND...: measure in a lab, up to $tries times (2) if that fails.
# What an attempt said that failed does not count; it is kept for who wants to
# know why.
part()
{
	local name=$1 try

	shift
	for ((try = 1; try <= ${tries-2}; try++)); do
		if "$@" >"$out/lab-$name.txt"; then
			say "$name: done, $((SECONDS - start)) s so far"
			return
		fi
		mv "$out/lab-$name.txt" "$out/lab-$name.failed-$try"
		say "$name: failed; see lab-$name.failed-$try"
	done
	: >"$out/lab-$name.txt"
	say "$name: its figures are missing"
	failed+=" $name"
}

# What a reader must know to judge the figures. $1: the load before.
context()
{
	echo "Commit $(git describe --always --dirty 2>/dev/null || echo "?")," \
		"$runs runs, $((SECONDS - start)) s, $(nproc) CPUs" \
		"($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n1))," \
		"host kernel $(uname -r)," \
		"$(qemu-system-x86_64 --version | head -n1)."
	echo "Load average before: $1; after: $(load) (the benchmark" \
		"itself makes 1 to 2). Above 2 before the start, figures" \
		"are not to be relied on."
	[ -z "$failed" ] || echo "Failed, so without figures:$failed."
}
