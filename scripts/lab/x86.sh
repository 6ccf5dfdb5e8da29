# lab.sh's part for x86: an AMD CPU with SVM. To be sourced.

lab_modules="kvm-amd virtio-blk erofs overlay"

lab_prepare()
{
	[ "$(uname -m)" = x86_64 ] || skip "this lab is for x86-64 programs"
	need_tools qemu-system-x86_64 cc
	lab_root=
	lab_busybox=$(command -v busybox)
	lab_cc=cc
}

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

# Copies the shared libraries that the programs in the list on stdin ask for.
copy_libraries()
{
	local root=$1 file

	while IFS= read -r file; do
		[ "$(head -c4 "$file" | tr -d '\0')" = $'\177ELF' ] || continue
		ldd "$file" 2>/dev/null || true
	done | sed -n -e 's/.*=> \(\/[^ ]*\) .*/\1/p' \
		-e 's/^\t\(\/[^ ]*\) .*/\1/p' | sort -u | grep -v "^$build/" |
		tar -C / -cf - -h -P -T - |
		tar -C "$root" -xf - --transform 's,^/,,' --keep-directory-symlink -P
}

boot()
{
	timeout --foreground "$timeout" qemu-system-x86_64 \
		-machine q35,accel=tcg -cpu max,+svm \
		-append "console=ttyS0 quiet panic=-1 oops=panic" "$@"
}
