#!/bin/sh
# Check that the modules hold no mutable globals and no constructors: two VMs
# in one process share nothing. Constant tables are in .rodata or, when they
# hold pointers, in .data.rel.ro. The one exception is the thread-local error
# record.
#
#   scripts/check_globals.sh BUILD    (a build without sanitizers)
set -eu

modules=$1/modules
bad=$(for archive in "$modules"/*.a; do
	nm --format=sysv --defined-only "$archive" | awk -F'|' \
		-v archive="$(basename "$archive")" '
		/^[^|]*:$/ || /\[.*\]:$/ { object = $0 }
		{
			gsub(" ", "", $1)
			gsub(" ", "", $7)
			if ($7 ~ /^\.(data\.rel\.ro|rodata)/)
				next
			if ($7 == ".tbss" && object ~ /\[error\.c\.o\]/)
				next
			if ($7 ~ /^\.(data|bss|tdata|tbss)/ || $7 == "*COM*")
				print archive, object, $1, "is mutable, in", $7
		}'
	objdump -h "$archive" 2>/dev/null | awk -v archive="$archive" '
		/file format/ { object = $1 }
		/\.(init_array|ctors)/ { print archive, object, "constructs" }'
done)
[ -n "$(ls "$modules"/*.a)" ]
[ -z "$bad" ] || { echo "$bad"; exit 1; }
