# Debian packages of arm64 on a computer of another architecture, without
# telling its package manager: an apt configuration of its own, whose sources
# are this computer's. To be sourced, not run.

# arm64_apt_setup DIR [SUITE...]: the configuration in DIR, with package lists
# that are at most a day old. With suites: those of Debian, instead of the
# computer's own. Afterwards arm64_apt runs a command of apt's with it. Fails
# when there is no source of Debian or none can be reached; says why on stderr.
arm64_apt_setup()
{
	local dir=$1

	shift
	arm64_apt_config=$dir/apt.conf
	[ -z "$(find "$dir/updated" -mtime -1 2>/dev/null)" ] || return 0
	mkdir -p "$dir"/etc/{sources.list.d,preferences.d} \
		"$dir"/state/lists/partial "$dir"/cache/archives/partial
	# no package counts as installed
	: >"$dir/state/status"
	cat >"$arm64_apt_config" <<END
Dir::State "$dir/state";
Dir::State::status "$dir/state/status";
Dir::Cache "$dir/cache";
Dir::Etc::SourceList "$dir/etc/sources.list";
Dir::Etc::SourceParts "$dir/etc/sources.list.d";
Dir::Etc::Preferences "$dir/etc/preferences";
Dir::Etc::PreferencesParts "$dir/etc/preferences.d";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
END
	arm64_apt_sources "$@" >"$dir/etc/sources.list"
	[ -s "$dir/etc/sources.list" ] || {
		echo "apt has no source of Debian, or no package lists" >&2
		return 1
	}
	arm64_apt apt-get -qq update </dev/null >"$dir/log" 2>&1 || {
		echo "apt-get update failed: $(tail -n1 "$dir/log")" >&2
		return 1
	}
	touch "$dir/updated"
}

# What the computer's own sources say about Debian; with suites, those at the
# same place.
arm64_apt_sources()
{
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg
	local found uri release

	[ -e "$keys" ] && keys="[signed-by=$keys] " || keys=
	# shellcheck disable=SC2016 # apt's variables
	found=$(apt-get indextargets \
		--format '$(ORIGIN) $(REPO_URI) $(RELEASE)' \
		'Created-By: Packages' | sed -n 's/^Debian //p' | sort -u)
	if [ $# -gt 0 ] && [ -n "$found" ]; then
		# the place of the release itself: others have no such suites
		found=$(grep ' [a-z]*$' <<<"$found" | head -n1)
		found=$(printf "${found% *} %s\n" "$@")
	fi
	while read -r uri release; do
		[ -z "$uri" ] || echo "deb $keys$uri $release main"
	done <<<"$found"
}

arm64_apt()
{
	APT_CONFIG=$arm64_apt_config "$@"
}
