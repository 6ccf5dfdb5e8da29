/* What the guest's manager and the payload launcher agree upon. */
#pragma once

/** The payload runs as this user and group, as in AVF. */
#define LAUNCHER_UID 6000

/** Where the launcher writes why it could not load the payload. It closes
 * it, and exits with LAUNCHER_EXIT_LOAD, or just before AVmPayload_main(). */
#define LAUNCHER_STATUS_FD 3
#define LAUNCHER_EXIT_LOAD 1
