/*
 * Landlock: no file is opened, made, changed or removed by path, no TCP port
 * used, no abstract socket or process outside reached. What is open stays
 * usable. It holds also where namespaces are forbidden.
 */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_internal.h"

/* linux/landlock.h of Linux 6.12; the headers that we build with may be
 * older. The kernel takes a structure that is larger than its own when the
 * rest is 0. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#define RULESET_VERSION 1U

#define FS_WRITE_FILE BIT(1)
#define FS_REMOVE_DIR BIT(4) /* removing and making go up to bit 12 */
#define FS_MAKE_SYM   BIT(12)
#define FS_TRUNCATE   BIT(14)

#define NET_ALL         3U /* bind, connect; from ABI 4 */
#define SCOPED_ABSTRACT BIT(0)
#define SCOPED_SIGNAL   BIT(1) /* both from ABI 6 */

static int ask_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
			    RULESET_VERSION);
}

/* All rights of an ABI are the bits below its newest. */
static uint64_t all_fs(int abi)
{
	static const unsigned int bits[] = {0, 13, 14, 15, 15, 16};

	return BIT(bits[MIN((size_t)abi, ARRAY_SIZE(bits) - 1)]) - 1;
}

/* A ruleset without rules denies all that it handles. */
static int restrict_self(const struct ruleset_attr *attr)
{
	CLEANUP(close_p)
	int fd = (int)syscall(SYS_landlock_create_ruleset, attr, sizeof(*attr),
			      0U);

	if (fd < 0)
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, fd, 0U);
}

void sandbox_landlock(struct sandbox_report *report, bool child)
{
	struct ruleset_attr attr;
	int abi = ask_abi();
	int rc = abi;

	memset(&attr, 0, sizeof(attr));
	if (abi > 0) {
		attr.handled_access_fs = all_fs(abi);
		if (abi >= 4)
			attr.handled_access_net = NET_ALL;
		if (abi >= 6)
			attr.scoped =
				SCOPED_ABSTRACT | (child ? 0 : SCOPED_SIGNAL);
		rc = restrict_self(&attr);
	}
	if (rc < 0)
		sandbox_add_result(report, "jail.landlock", rc, "");
	else
		sandbox_add(report, "jail.landlock", SANDBOX_YES,
			    "ABI %d; no file, no network", abi);
}

int sandbox_landlock_read_only(void)
{
	struct ruleset_attr attr;
	int abi = ask_abi();

	if (abi <= 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	/* making, removing, and from ABI 3 truncating; writing stays, as
	 * /dev/null is written by path */
	attr.handled_access_fs = (FS_MAKE_SYM << 1) - FS_REMOVE_DIR;
	if (abi >= 3)
		attr.handled_access_fs |= FS_TRUNCATE;
	if (abi >= 4)
		attr.handled_access_net = NET_ALL;
	if (abi >= 6)
		attr.scoped = SCOPED_ABSTRACT | SCOPED_SIGNAL;
	return restrict_self(&attr);
}
