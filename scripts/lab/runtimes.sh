# lab.sh's part for --runtimes: an image of the Python interpreter and of the
# JDK that the tests of the bindings run with, which hardly ever change. To be
# sourced.

# Their files, without what no test needs.
list_runtimes()
{
	local kind path

	while read -r kind path; do
		if [ "$kind" = python ]; then
			echo "$path"
			path=$("$path" -c \
				'import sysconfig; print(sysconfig.get_path("stdlib"))')
		fi
		find -L "$path" \( -name test -o -name tests -o -name idlelib \
			-o -name '*-packages' -o -name 'config-*' -o -name jmods \
			-o -name man -o -name legal -o -name include -o -name docs \
			-o -name src.zip -o -name '*.opt-*' -o -name ct.sym \) \
			-prune -o -type f -print 2>/dev/null
	done <"$build/lab-runtimes"
}

fill_runtimes()
{
	local root=$1

	make_folders "$root"
	copy_libraries "$root" <"$run/runtimes"
	# what links lead to: the JDK's settings are elsewhere
	tar -C / -cf - -h -P -T "$run/runtimes" |
		tar -C "$root" -xf - --transform 's,^/,,' --keep-directory-symlink -P
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
		say "packed Python and Java, $(du -m "$file" | cut -f1) MiB," \
			"in $((SECONDS - start)) s"
	fi
	exec 7<"$file"
	# shellcheck disable=SC2054 # QEMU's commas
	extra_disk=(-drive file=/dev/fd/7,if=none,id=e,format=raw,readonly=on
		-device virtio-blk-pci,drive=e)
}
