#!/bin/bash
# Run a program of the build tree on a machine whose KVM is real: QEMU's TCG
# emulates an AMD CPU with SVM, and a Debian kernel with kvm-amd runs in it.
#
#   scripts/lab.sh x86 [options] -- COMMAND [ARGUMENT...]
#
#   --build DIR     build tree to take along (default: build/gcc)
#   --file PATH     take this file or directory along, too; may be repeated
#   --memory MIB    memory of the lab's machine (default: 2048)
#   --smp N         its CPUs (default: 2)
#   --timeout S     give up after S seconds (default: 900)
#   --kernel DEB    kernel package to use (default: Debian's newest 6.12 for
#                   clouds, downloaded once)
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
build=$repo/build/gcc
memory=2048
smp=2
timeout=900
kernel_deb=
quiet=
files=()

usage()
{
	sed -n '2,21s/^# \{0,1\}//p' "$0"
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

# --- the kernel -----------------------------------------------------------

# Names of the kernel packages that could be downloaded, best first.
kernel_candidates()
{
	apt-cache search --names-only \
		'^linux-image-6\.12\.[0-9.]+.*cloud-amd64(-unsigned)?$' |
		cut -d' ' -f1 | sort -rV
	apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p'
}

# apt-get drops to a user that may not write into our cache; as root, don't.
download()
{
	(cd "$1" && apt-get -qq -o APT::Sandbox::User=root download "$2") \
		>/dev/null 2>&1
}

download_kernel()
{
	local dir=$1 package tries=0

	command -v apt-get >/dev/null || skip "no apt-get to download a kernel"
	if [ -z "$(kernel_candidates)" ] && [ "$(id -u)" = 0 ]; then
		apt-get -qq update </dev/null >/dev/null 2>&1 || true
	fi
	for package in $(kernel_candidates); do
		say "downloading $package"
		download "$dir" "$package" && return
		tries=$((tries + 1))
		[ $tries -lt 4 ] || break
	done
	skip "no kernel: apt-get could not download linux-image-*-cloud-amd64"
}

# Unpacks a kernel into $cache/lab/kernel, once per package.
prepare_kernel()
{
	local tmp deb

	kernel=$cache/lab/kernel
	[ -z "$kernel_deb" ] || kernel+=-$(basename "$kernel_deb" .deb)
	[ ! -e "$kernel/vmlinuz" ] || return 0
	mkdir -p "$cache/lab"
	tmp=$(mktemp -d "$cache/lab/kernel.XXXXXX")
	scratch+=("$tmp")
	deb=$kernel_deb
	if [ -z "$deb" ]; then
		download_kernel "$tmp"
		deb=$(echo "$tmp"/*.deb)
	fi
	dpkg-deb -x "$deb" "$tmp/root"
	mkdir "$tmp/out"
	mv "$tmp"/root/boot/vmlinuz-* "$tmp/out/vmlinuz"
	mv "$tmp"/root/lib/modules/*/kernel "$tmp/out/modules"
	rm -rf "$kernel"
	mv "$tmp/out" "$kernel"
	say "unpacked $(basename "$deb") into $kernel"
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
	local root=$run/root module

	mkdir -p "$root"/{bin,proc,sys,dev,modules}
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$repo/scripts/lab/init" "$root/init"
	cc -O1 -static -o "$root/bin/hold_kvm" "$repo/scripts/lab/hold_kvm.c"
	for module in kvm-amd virtio-blk erofs overlay; do
		add_module "$module" "$root/modules"
	done
	{
		echo "export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root"
		echo "export TERM=dumb AVF_LAB=x86"
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
	find "$repo/tests" -type f
	if [ ${#files[@]} -gt 0 ]; then
		find "${files[@]}" \( -type f -o -type l \)
	fi
}

# The shared libraries that the programs in the list on stdin ask for.
list_libraries()
{
	local file

	while IFS= read -r file; do
		[ "$(head -c4 "$file" | tr -d '\0')" = $'\177ELF' ] || continue
		ldd "$file" 2>/dev/null || true
	done | sed -n -e 's/.*=> \(\/[^ ]*\) .*/\1/p' \
		-e 's/^\t\(\/[^ ]*\) .*/\1/p' | sort -u | grep -v "^$build/"
}

fill_root()
{
	local root=$1 dir

	mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},proc,sys,dev,etc,root,run,var} \
		"$root/tmp"
	chmod 1777 "$root/tmp"
	for dir in bin sbin lib lib64; do
		ln -s "usr/$dir" "$root/$dir"
	done
	cp "$(command -v busybox)" "$root/usr/bin/busybox"
	for dir in $("$root/usr/bin/busybox" --list); do
		[ "$dir" = busybox ] || ln -s busybox "$root/usr/bin/$dir"
	done
	echo root:x:0:0:root:/root:/bin/sh >"$root/etc/passwd"
	echo root:x:0: >"$root/etc/group"
	tar -C / -cf - -h -P -T <(list_libraries <"$run/files") |
		tar -C "$root" -xf - --transform 's,^/,,' --keep-directory-symlink -P
	tar -C / -cf - -P -T "$run/files" |
		tar -C "$root" -xf - --transform 's,^/,,' --keep-directory-symlink -P
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
	stamp=$({ cat "$0" && tr '\n' '\0' <"$run/files" |
		xargs -0 stat -c '%n %s %y'; } | sha256sum)
	if [ "$stamp" != "$(cat "$image.stamp" 2>/dev/null)" ]; then
		fill_root "$run/image"
		mkfs.erofs --quiet "$run/erofs" "$run/image" >/dev/null 2>&1 ||
			mkfs.erofs "$run/erofs" "$run/image" >/dev/null
		mv "$run/erofs" "$image"
		echo "$stamp" >"$image.stamp"
		say "packed $(wc -l <"$run/files") files," \
			"$(du -m "$image" | cut -f1) MiB," \
			"in $((SECONDS - start)) s"
	fi
	# The path is replaced, never rewritten: an open image stays whole.
	exec 8<"$image"
	exec 9>&-
}

# --- the run --------------------------------------------------------------

boot()
{
	timeout --foreground "$timeout" qemu-system-x86_64 \
		-machine q35,accel=tcg -cpu max,+svm -smp "$smp" -m "$memory" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$kernel/vmlinuz" -initrd "$run/initramfs" \
		-append "console=ttyS0 quiet panic=-1 oops=panic" \
		-serial "file:$run/console" \
		-drive "file=/dev/fd/8,if=none,id=d,format=raw,readonly=on" \
		-device virtio-blk-pci,drive=d \
		-device virtio-serial-pci \
		-chardev stdio,id=out,signal=off -device virtconsole,chardev=out \
		-chardev "file,id=rc,path=$run/rc" \
		-device virtserialport,chardev=rc,name=rc </dev/null
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
	[ "${1-}" = x86 ] || usage
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--build) build=$(realpath "$2") ;;
		--file) files+=("$(realpath -s "$2")") ;;
		--memory) memory=$2 ;;
		--smp) smp=$2 ;;
		--timeout) timeout=$2 ;;
		--kernel) kernel_deb=$(realpath "$2") ;;
		--quiet) quiet=1; shift; continue ;;
		--) shift; command=("$@"); return ;;
		*) usage ;;
		esac
		shift 2
	done
}

command=()
parse "$@"
[ ${#command[@]} -gt 0 ] || usage
[ "$(uname -m)" = x86_64 ] || skip "this lab is for x86-64 programs"
for tool in qemu-system-x86_64 busybox cc mkfs.erofs cpio xz dpkg-deb; do
	command -v $tool >/dev/null || skip "no $tool: run scripts/deps.sh"
done
run=$(mktemp -d)
scratch=("$run")
trap 'rm -rf "${scratch[@]}"' EXIT
prepare_kernel
make_initramfs "${command[@]}"
prepare_image
say "booting with $smp CPUs and $memory MiB"
start=$SECONDS
status=0
boot || status=$?
report "$status" "$start"
