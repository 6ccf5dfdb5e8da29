# lab.sh's part for --runtimes: an image of the programs that the build's tests
# run, which hardly ever change: the Python interpreter, the JDK, tools. They
# have the paths there that they have below $lab_root. To be sourced.

# Their files, without what no test needs.
list_runtimes()
{
	local kind path

	# shellcheck disable=SC2034 # a test asks for the JDK by its kind
	while read -r kind path; do
		find -L "$lab_root$path" \( -name test -o -name tests \
			-o -name idlelib -o -name '*-packages' -o -name 'config-*' \
			-o -name jmods -o -name man -o -name legal -o -name include \
			-o -name docs -o -name src.zip -o -name '*.opt-*' \
			-o -name ct.sym \) -prune -o -type f -print 2>/dev/null
	done <"$build/lab-runtimes"
}

fill_runtimes()
{
	local root=$1

	make_folders "$root"
	copy_libraries "$root" <"$run/runtimes"
	# what links lead to: the JDK's settings are elsewhere
	sed "s,^$lab_root/,," "$run/runtimes" |
		tar -C "$lab_root/" -cf - -h -T - |
		tar -C "$root" -xf - --keep-directory-symlink
}

# As prepare_image(), under its lock. Nothing to do for a build without them.
prepare_runtimes()
{
	local start=$SECONDS stamp file=$build/lab/runtimes

	[ -s "$build/lab-runtimes" ] || return 0
	list_runtimes | sort -u >"$run/runtimes"
	stamp=$(stamp_of "$run/runtimes")
	if [ "$stamp" != "$(cat "$file.stamp" 2>/dev/null)" ]; then
		fill_runtimes "$run/runtimes-root"
		make_image "$run/runtimes-root" "$file"
		echo "$stamp" >"$file.stamp"
		say "packed what tests run, $(du -m "$file" | cut -f1) MiB," \
			"in $((SECONDS - start)) s"
	fi
	exec 7<"$file"
	# shellcheck disable=SC2054 # QEMU's commas
	extra_disk=(-drive file=/dev/fd/7,if=none,id=e,format=raw,readonly=on
		-device virtio-blk-pci,drive=e,serial=runtimes)
}
