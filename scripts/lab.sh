#!/bin/bash
# Run a program of the build tree on a machine whose KVM is real: QEMU's TCG
# emulates the CPU, and a Debian kernel with KVM runs in it.
#
#   scripts/lab.sh PLACE [options] -- COMMAND [ARGUMENT...]
#
#   x86             an AMD CPU with SVM
#   arm64           an Arm CPU with EL2 and a GICv3
#   pkvm            the same; the kernel protects VMs from itself
#
#   --build DIR     build tree to take along (default: build/gcc, or
#                   build/arm64, which the CMake preset arm64 makes)
#   --file PATH     take this file or directory along, too; may be repeated
#   --module NAME   load this kernel module, too; may be repeated
#   --runtimes      take the Python, the JDK and the tools along that the tests
#                   of the build run
#   --memory MIB    memory of the lab's machine (default: 2048)
#   --smp N         its CPUs (default: 2)
#   --timeout S     give up after S seconds (default: 900)
#   --kernel DEB    kernel package to use, may be repeated for one in parts
#                   (default: Debian's newest 6.12 for clouds; for pkvm, 7.2;
#                   downloaded once)
#   --quiet         do not tell about the preparations
#
# COMMAND sees the build tree and tests/ under the paths that they have here,
# may write anywhere (it is forgotten), and runs as root with busybox as its
# shell. Its output comes live, its exit code is the exit code here; 77 means
# that this computer cannot have the lab, 124 that the time was up, 125 that
# the lab itself failed.
set -euo pipefail

repo=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/libvirtualization
build=
memory=2048
smp=2
timeout=900
kernel_debs=()
quiet=
with_runtimes=
files=()
modules=()
extra_disk=()

usage()
{
	sed -n '2,31s/^# \{0,1\}//p' "$0"
	exit "${1:-2}"
}

say()
{
	[ -n "$quiet" ] || echo "lab: $*" >&2
}

skip()
{
	echo "SKIP: lab: $*"
	exit 77
}

need_tools()
{
	local tool

	for tool; do
		command -v "$tool" >/dev/null ||
			skip "no $tool: run scripts/deps.sh"
	done
}

# --- the kernel -----------------------------------------------------------

# Unpacks a kernel into $cache/lab/PLACE-kernel, once per package.
prepare_kernel()
{
	local tmp deb

	kernel=$cache/lab/$place-kernel
	for deb in ${kernel_debs+"${kernel_debs[@]}"}; do
		kernel+=-$(basename "$deb" .deb)
	done
	[ ! -e "$kernel/vmlinuz" ] || return 0
	mkdir -p "$cache/lab"
	tmp=$(mktemp -d "$cache/lab/kernel.XXXXXX")
	scratch+=("$tmp")
	if [ ${#kernel_debs[@]} = 0 ]; then
		need_tools apt-get
		download_kernel "$tmp"
		kernel_debs=("$tmp"/*.deb)
	fi
	for deb in "${kernel_debs[@]}"; do
		dpkg-deb -x "$deb" "$tmp/root"
	done
	mkdir "$tmp/out"
	mv "$(find "$tmp/root" -name 'vmlinuz*' -type f | head -n1)" \
		"$tmp/out/vmlinuz"
	mv "$(find "$tmp/root" -path '*/lib/modules/*/kernel' -type d |
		head -n1)" "$tmp/out/modules"
	rm -rf "$kernel"
	mv "$tmp/out" "$kernel"
	say "unpacked $(basename "${kernel_debs[0]}") into $kernel"
}

# --- the initramfs --------------------------------------------------------

# Puts module $1 into directory $2, after the modules that it depends on.
add_module()
{
	local name=${1//_/-} dir=$2 file depends module

	[ ! -e "$dir/$name.ko" ] || return 0
	file=$(find "$kernel/modules" \( -name "$name.ko*" -o \
		-name "${name//-/_}.ko*" \) | head -n1)
	[ -n "$file" ] || return 0 # built into the kernel
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$dir/$name.ko"
	depends=$(tr '\0' '\n' <"$dir/$name.ko" | sed -n 's/^depends=//p')
	for module in ${depends//,/ }; do
		add_module "$module" "$dir"
	done
	echo "$name.ko" >>"$dir/order"
}

make_initramfs()
{
	local root=$run/root module program

	mkdir -p "$root"/{bin,proc,sys,dev,modules}
	: >"$root/modules/order"
	cp "$lab_busybox" "$root/bin/busybox"
	cp "$repo/scripts/lab/init" "$root/init"
	for program in hold_kvm watch_cpus; do
		$lab_cc -O1 -static -pthread -o "$root/bin/$program" \
			"$repo/scripts/lab/$program.c"
	done
	for module in $lab_modules "${modules[@]}"; do
		add_module "$module" "$root/modules"
	done
	{
		echo "export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root"
		echo "export TERM=dumb AVF_LAB=$place"
		printf 'cd %q || exit 125\n' "$build"
		printf 'exec'
		printf ' %q' "$@"
		echo
	} >"$root/command"
	(cd "$root" && find . -print0 |
		cpio --null --quiet -o -H newc -R 0:0) >"$run/initramfs"
}

# --- the image ------------------------------------------------------------

# What is taken along of the build tree: results, no intermediates.
list_build()
{
	find "$build" \( -name CMakeFiles -o -name lab -o -name Testing \
		-o -name modules -o -name CMakeScripts \) -prune -o \
		\( -type f -o -type l \) ! -name '*.o' ! -name '*.a' \
		! -name '*.cmake' ! -name '.ninja*' ! -name 'build.ninja' \
		! -name compile_commands.json -print
}

list_all()
{
	list_build
	find "$repo/tests" "$repo/examples" -type f
	if [ ${#files[@]} -gt 0 ]; then
		find "${files[@]}" \( -type f -o -type l \)
	fi
}

# The folders of a root file system; /bin and so on are links into /usr.
make_folders()
{
	local root=$1 dir

	mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},proc,sys,dev,etc,root,run,var} \
		"$root/tmp"
	chmod 1777 "$root/tmp"
	for dir in bin sbin lib lib64; do
		ln -s "usr/$dir" "$root/$dir"
	done
}

fill_root()
{
	local root=$1 dir

	make_folders "$root"
	cp "$lab_busybox" "$root/usr/bin/busybox"
	# of the same package for each architecture: ours can be asked
	for dir in $(busybox --list); do
		[ "$dir" = busybox ] || ln -s busybox "$root/usr/bin/$dir"
	done
	echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
	printf '%s\n' root:x:0: mail:x:8: >"$root/etc/group"
	copy_libraries "$root" <"$run/files"
	tar -C / -cf - -P -T "$run/files" |
		tar -C "$root" -xf - --transform 's,^/,,' --keep-directory-symlink -P
}

# make_image ROOT FILE
make_image()
{
	mkfs.erofs --quiet "$run/erofs" "$1" >/dev/null 2>&1 ||
		mkfs.erofs "$run/erofs" "$1" >/dev/null
	mv "$run/erofs" "$2"
}

# stamp_of LIST: changes when one of the files does, or these programs.
stamp_of()
{
	{ cat "$0" "$repo/scripts/lab/"*.sh && tr '\n' '\0' <"$1" |
		xargs -0 stat -c '%n %s %y'; } | sha256sum
}

# Makes $image of what is there now, unless it was made of just that.
prepare_image()
{
	local start=$SECONDS stamp

	image=$build/lab/image
	mkdir -p "$build/lab"
	exec 9>"$build/lab/lock"
	flock 9
	list_all | sort -u >"$run/files"
	stamp=$(stamp_of "$run/files")
	if [ "$stamp" != "$(cat "$image.stamp" 2>/dev/null)" ]; then
		fill_root "$run/image"
		make_image "$run/image" "$image"
		echo "$stamp" >"$image.stamp"
		say "packed $(wc -l <"$run/files") files," \
			"$(du -m "$image" | cut -f1) MiB," \
			"in $((SECONDS - start)) s"
	fi
	# The path is replaced, never rewritten: an open image stays whole.
	exec 8<"$image"
	[ -z "$with_runtimes" ] || prepare_runtimes
	exec 9>&-
}

# --- the run --------------------------------------------------------------

start_machine()
{
	boot -smp "$smp" -m "$memory" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$kernel/vmlinuz" -initrd "$run/initramfs" \
		-serial "file:$run/console" \
		-drive "file=/dev/fd/8,if=none,id=d,format=raw,readonly=on" \
		-device virtio-blk-pci,drive=d "${extra_disk[@]}" \
		-device virtio-serial-pci \
		-chardev stdio,id=out,signal=off -device virtconsole,chardev=out \
		-chardev "file,id=rc,path=$run/rc" \
		-device virtserialport,chardev=rc,name=rc </dev/null
}

# Whether the machine came as far as the command: init says so.
has_begun()
{
	[ -s "$run/rc" ] || grep -q "^lab: running the command" "$run/console"
}

# An emulated CPU whose kernel rewrites its own code, as a booting one does, is
# now and then wrong, and the kernel panics. Nothing of ours has run by then, so
# the machine is started again.
start_machine_until_it_boots()
{
	local attempt status

	for attempt in 1 2 3; do
		status=0
		start_machine || status=$?
		[ "$status" != 124 ] || break
		! has_begun || break
		echo "lab: the machine did not boot (attempt $attempt of 3):" \
			"$(grep -m1 -a 'Kernel panic' "$run/console")" >&2
	done
	return "$status"
}

report()
{
	local status=$1 start=$2 rc

	rc=$(cat "$run/rc" 2>/dev/null) || rc=
	if [ -n "$rc" ]; then
		say "exit code $rc after $((SECONDS - start)) s"
		return "$rc"
	fi
	echo "lab: the machine ended early (QEMU: $status); its console:" >&2
	tail -n 40 "$run/console" >&2 || true
	[ "$status" = 124 ] && return 124
	return 125
}

parse()
{
	[ "${1-}" != --help ] || usage 0
	case "${1-}" in
	x86) build=$repo/build/gcc ;;
	arm64 | pkvm) build=$repo/build/arm64 ;;
	*) usage ;;
	esac
	place=$1
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--build) build=$(realpath "$2") ;;
		--file) files+=("$(realpath -s "$2")") ;;
		--module) modules+=("$2") ;;
		--memory) memory=$2 ;;
		--smp) smp=$2 ;;
		--timeout) timeout=$2 ;;
		--kernel) kernel_debs+=("$(realpath "$2")") ;;
		--quiet) quiet=1; shift; continue ;;
		--runtimes) with_runtimes=1; shift; continue ;;
		--) shift; command=("$@"); return ;;
		*) usage ;;
		esac
		shift 2
	done
}

command=()
parse "$@"
[ ${#command[@]} -gt 0 ] || usage
case $place in
x86) . "$repo/scripts/lab/x86.sh" ;;
*) . "$repo/scripts/lab/arm64.sh" ;;
esac
. "$repo/scripts/lab/runtimes.sh"
need_tools busybox mkfs.erofs cpio xz dpkg-deb
[ -d "$build" ] || skip "there is no $build: build it first"
lab_prepare
run=$(mktemp -d)
scratch=("$run")
trap 'rm -rf "${scratch[@]}"' EXIT
prepare_kernel
make_initramfs "${command[@]}"
prepare_image
say "booting with $smp CPUs and $memory MiB"
start=$SECONDS
status=0
start_machine_until_it_boots || status=$?
report "$status" "$start"
