/*
 * What the VMM needs around the guest's manager (lib/vmm/manager.h): a process
 * without a guest, whose vsock device is only a place to connect to. Cannot
 * fail. LIBS test_manager_fixture.
 */
#pragma once

#include "vmm/vmm_internal.h"

struct manager_fixture {
	struct vmm *vmm; /* owned; of a payload VM */
	struct backend backend;
	int app; /* owned: the application's end of the control socket */
};

/** Everything but manager_listen(). */
void manager_fixture_init(struct manager_fixture *fixture);
void manager_fixture_fini(struct manager_fixture *fixture);

/** Connect as the guest. Returns its end, which the caller closes, or the
 * error that the guest is refused for. After manager_listen(). */
int manager_fixture_dial(void);
