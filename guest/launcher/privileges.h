#pragma once

/**
 * Become LAUNCHER_UID without any capability, now or later: not through
 * set-user-ID files, file capabilities or ambient ones. Closes all fds above
 * LAUNCHER_STATUS_FD. Returns NULL, or the name of the step that failed,
 * with errno set.
 */
const char *privileges_drop(void) __attribute__((warn_unused_result));
