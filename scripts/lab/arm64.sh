# lab.sh's part for arm64 and pkvm: a CPU that begins at EL2, with a GICv3. To
# be sourced. Packages come through an apt configuration of our own, so this
# works on a computer of any architecture.

lab_modules="virtio-blk erofs overlay"
# somewhere to swap to
[ "$place" != pkvm ] || lab_modules="$lab_modules zram"
. "$repo/scripts/lab/arm64_apt.sh"

lab_prepare()
{
	local out

	need_tools qemu-system-aarch64 aarch64-linux-gnu-gcc readelf
	out=$("$repo/scripts/arm64_sysroot.sh") || skip "${out#SKIP: }"
	sysroot=$out
	lab_root=$sysroot
	lab_busybox=$sysroot/bin/busybox
	lab_cc="aarch64-linux-gnu-gcc --sysroot=$sysroot"
}

# Names of the kernel packages that could be downloaded, best first. Protected
# VMs are in Linux 7.2, where the image has a package of its own; it was tried
# with that version.
kernel_candidates()
{
	local pattern patterns='^linux-image-6\.12\.[0-9.]+.*-cloud-arm64-unsigned$'

	[ "$place" = arm64 ] ||
		patterns='^linux-binary-7\.2\.[0-9]+.*-cloud-arm64$
			^linux-binary-(7\.[3-9]|[89]\.).*-cloud-arm64$'
	for pattern in $patterns; do
		arm64_apt apt-cache search --names-only "$pattern" |
			cut -d' ' -f1 | sort -rV
	done
}

download()
{
	(cd "$1" && shift && arm64_apt apt-get -qq download "$@") \
		>/dev/null 2>&1
}

download_kernel()
{
	local dir=$1 package suites=

	[ "$place" = arm64 ] || suites="trixie-backports unstable"
	# shellcheck disable=SC2086 # words
	arm64_apt_setup "$cache/$place/apt" $suites 2>"$run/reason" ||
		skip "no kernel: $(cat "$run/reason")"
	for package in $(kernel_candidates | head -n 3); do
		say "downloading $package"
		case $package in
		linux-binary-*)
			download "$dir" "$package" \
				"linux-modules-${package#linux-binary-}" && return
			;;
		*) download "$dir" "$package" && return ;;
		esac
	done
	if [ "$place" = pkvm ]; then
		skip "no kernel: apt has no linux-binary-*-cloud-arm64 of 7.2" \
			"or later in $suites"
	fi
	skip "no kernel: apt has no linux-image-6.12.*-cloud-arm64-unsigned"
}

# Copies the shared libraries that the programs in the list on stdin ask for.
copy_libraries()
{
	local root=$1 from=$sysroot/usr/lib/aarch64-linux-gnu file list more=

	list=$(while IFS= read -r file; do
		[ "$(head -c4 "$file" | tr -d '\0')" = $'\177ELF' ] || continue
		echo "$file"
	done)
	mkdir -p "$root/usr/lib/aarch64-linux-gnu"
	while [ -n "$list" ]; do
		more=
		for file in $(tr '\n' '\0' <<<"$list" | xargs -0 readelf -d 2>/dev/null |
			sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u); do
			[ -e "$from/$file" ] || continue
			[ ! -e "$root/usr/lib/aarch64-linux-gnu/$file" ] || continue
			cp -L "$from/$file" "$root/usr/lib/aarch64-linux-gnu"
			more+=$from/$file$'\n'
		done
		list=${more%$'\n'}
	done
	cp -L "$from/ld-linux-aarch64.so.1" "$root/usr/lib"
}

# The hypervisor of pKVM is to run in EL2's own translation regime: in the other
# one (VHE), QEMU before 8.2 keeps single pages in its TLB that the hypervisor
# drops, so that the page that is wiped is another one than the one meant.
# Addresses of 52 bits (LPA2) make VMs many times slower to create. There is a
# disk to write to: what it reads and writes by DMA is what tests of protected
# VMs look at.
boot()
{
	local mode= scratch_disk=()

	if [ "$place" = pkvm ]; then
		mode=" kvm-arm.mode=protected arm64_sw.hvhe=0 id_aa64mmfr1.vh=0"
		truncate -s 4M "$run/scratch"
		# shellcheck disable=SC2054 # QEMU's commas
		scratch_disk=(-drive
			"file=$run/scratch,if=none,id=s,format=raw"
			-device virtio-blk-pci,drive=s,serial=scratch)
	fi
	timeout --foreground "$timeout" qemu-system-aarch64 \
		-machine virt,virtualization=on,gic-version=3,accel=tcg \
		-cpu max,pauth-impdef=on,lpa2=off \
		-append "console=ttyAMA0 quiet panic=-1 oops=panic$mode" "$@" \
		"${scratch_disk[@]}"
}
