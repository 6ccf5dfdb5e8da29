# To be sourced in the lab, by programs of bench/.

# keep COMMAND...: what it prints, of the first of two attempts that succeeds. A
# VM may fail by a fault of the emulator, and then its samples do not count.
keep()
{
	local try

	for try in 1 2; do
		if "$@" >/tmp/samples; then
			cat /tmp/samples
			return
		fi
		echo "failed ($try): $*" >&2
	done
	return 1
}

# repeat N COMMAND...
repeat()
{
	local left=$1

	shift
	while [ "$left" -gt 0 ]; do
		keep "$@" || return
		left=$((left - 1))
	done
}
