#!/bin/sh
# Check that every header compiles alone: ours as C17, public ones also as
# C11 and C++11 under the strictest flags, since strangers include them.
set -eu
cd "$(dirname "$0")/.."

strict="-fsyntax-only -Wall -Wextra -Wpedantic -Werror"
bad=0

try()
{
	header=$1
	shift
	# shellcheck disable=SC2086
	# Twice, for the guard; a declaration, since C has no empty files.
	if ! printf '#include "%s"\n#include "%s"\nextern int nothing;\n' \
		"$header" "$header" | "$@" $strict -; then
		echo "$header: does not compile alone: $*"
		bad=1
	fi
}

# The NDK's headers are for C17 and C++17, as generated code is; those that
# say so at their head for C++17 alone.
for header in include/avf/ndk/android/*.h include/avf/ndk/android/*.hpp; do
	grep -q '^ \* C++17' "$header" ||
		try "$header" gcc -xc -std=c17 -Wconversion \
			-Wstrict-prototypes -Iinclude/avf/ndk -I.
	try "$header" g++ -xc++ -std=c++17 -Wconversion -Iinclude/avf/ndk -I.
done
for header in include/avf/*.h; do
	try "$header" gcc -xc -std=c11 -Wconversion -Wstrict-prototypes -Iinclude -I.
	try "$header" g++ -xc++ -std=c++11 -Wconversion -Iinclude -I.
done
for header in $(git ls-files 'lib/*.h' 'guest/*.h'); do
	try "$header" gcc -xc -std=c17 -D_GNU_SOURCE -Ilib -Iguest \
		-Iguest/bare/x86_64 -Iinclude \
		-Iinclude/avf/ndk -I.
done
exit $bad
