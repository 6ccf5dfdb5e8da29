#include "launcher/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/launcher.h"

#define SECUREBITS                                                 \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |                    \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | \
	 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* The kernel says where its capabilities end (EINVAL), whatever the headers
 * knew. */
static int drop_bounding_set(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0;
	     cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	}
	return 0;
}

static int drop_all_sets(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
		{0, 0, 0},
	};

	return (int)syscall(SYS_capset, &header, none);
}

const char *privileges_drop(void)
{
	if (drop_bounding_set() < 0)
		return "drop the bounding set";
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return "clear the ambient set";
	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0)
		return "set securebits";
	if (setgroups(0, NULL) < 0)
		return "drop groups";
	if (setresgid(LAUNCHER_UID, LAUNCHER_UID, LAUNCHER_UID) < 0)
		return "set group";
	if (setresuid(LAUNCHER_UID, LAUNCHER_UID, LAUNCHER_UID) < 0)
		return "set user";
	if (drop_all_sets() < 0)
		return "drop capabilities";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return "set no_new_privs";
	if (close_range(LAUNCHER_STATUS_FD + 1, ~0U, 0) < 0)
		return "close descriptors";
	return NULL;
}
