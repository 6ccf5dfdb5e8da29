#!/bin/bash
# Rules of this house that no compiler knows. Each is a pattern that must not
# occur, with the reason; a line that has to break one says so in a comment
# on the same line: "house: <why>".
set -u
cd "$(dirname "$0")/.."
bad=0

# rule REASON PATTERN FILE-PATTERN...
rule()
{
	local reason=$1 pattern=$2 hits

	shift 2
	hits=$(git grep -nP --untracked -e "$pattern" -- "$@" |
		grep -v 'house: ')
	[ -n "$hits" ] || return
	echo "$hits"
	echo "    ^ $reason"
	bad=1
}

ours=('lib/*.[ch]' 'tools/*.[ch]' 'guest/*.[ch]' 'include/*.h')

rule "has no bound; use snprintf or memcpy" \
	'\b(strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|alloca)\s*\(' \
	"${ours[@]}"
rule "cannot report an error; use strtoul with checks" \
	'\b(atoi|atol|atoll|atof)\s*\(' "${ours[@]}"
rule "one error vocabulary: return fail(AVF_ERR_X, ...)" \
	'return -(E[A-Z0-9]+|errno);' 'lib/*.c'
rule "the library is silent, and never ends the process" \
	'(?<![\w.>"])(printf|puts|putchar|perror|exit|abort|err|errx)\s*\(' \
	'lib/*.c'
rule "belongs to the application" \
	'(?<![\w.>])(signal|sigaction|chdir|umask|setlocale)\s*\(' \
	'lib/api/*.c' 'lib/client/*.c' 'lib/config/*.c' 'lib/base/*.c'
rule "comments are /* */" '(^|[\s;{})])//' "${ours[@]}"
rule "code does not point into the web" 'https?://' "${ours[@]}"
rule "architectures are sibling files, not #ifdefs" \
	'__x86_64__|__aarch64__|__amd64__' \
	'lib/*.[ch]' ':!lib/**/*_x86_64.*' ':!lib/**/*_arm64.*'
rule "counts bytes, not elements" \
	'for \([^;]*;[^;]*<=? sizeof\(?[^/;]*;' "${ours[@]}"
rule "two semicolons" '^(?!.*for \().*;;' "${ours[@]}"
rule "runs behind the application's back" \
	'__attribute__\(\((constructor|destructor)' "${ours[@]}"
rule "AVF_EXPORT belongs into include/avf" 'AVF_EXPORT' 'lib/*.[ch]'

for header in $(git ls-files -co --exclude-standard \
	'lib/*.h' 'include/*.h' 'guest/*.h' 'tests/*.h'); do
	[ ! -e "$header" ] || grep -q '^#pragma once$' "$header" || {
		echo "$header: no #pragma once"
		bad=1
	}
done

# Sizes: a file of more than 800 lines, a function of more than 80.
for file in $(git ls-files -co --exclude-standard \
	'lib/*.c' 'tools/*.c' 'guest/*.c'); do
	[ -e "$file" ] || continue
	awk -v file="$file" '
		/^{/ { start = NR }
		/^}/ && start && NR - start - 1 > 80 {
			print file ":" start ": a function of", NR - start - 1,
				"lines; 80 is the limit"
			bad = 1
		}
		END {
			if (NR > 800) {
				print file ":", NR, "lines; 800 is the limit"
				bad = 1
			}
			exit bad
		}' "$file" || bad=1
done
exit $bad
