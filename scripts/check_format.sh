#!/bin/sh
# Check that clang-format has nothing to say; with --fix, let it.
set -eu
cd "$(dirname "$0")/.."

mode="--dry-run -Werror"
[ "${1-}" != --fix ] || mode=-i
# shellcheck disable=SC2086 # options are words
git ls-files '*.c' '*.cpp' '*.h' '*.hpp' | while IFS= read -r file; do
	[ ! -e "$file" ] || printf '%s\0' "$file"
done | xargs -0 clang-format $mode
