/* Capabilities: those of the user namespace, or root's, and all that could
 * come back. */
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/sandbox_internal.h"

/* Fails with EINVAL behind the last one that the kernel knows. Without
 * CAP_SETPCAP it fails with EPERM: then there is nothing to give, as the
 * bounding set counts at execve() only, and no new privileges come there. */
static void empty_bounding_set(void)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	}
}

int sandbox_drop_caps(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	empty_bounding_set();
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_capset, &header, none);
}

void sandbox_caps(struct sandbox_report *report)
{
	sandbox_add_result(report, "jail.capabilities", sandbox_drop_caps(),
			   "none");
}
