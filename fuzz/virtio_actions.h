/* A hostile driver of any virtio model, for the fuzz targets of devices. */
#pragma once

#include "fuzz.h"
#include "support/virtio_fixture.h"

/**
 * Carry out the whole input on the fixture's device: chains, raw descriptors,
 * kicks, resets, accesses to the configuration. @host is called for the rest:
 * what the host's side does; it reads the parameters that it wants.
 */
void virtio_actions(struct virtio_fixture *f, struct fuzz_input *in,
		    void (*host)(void *userdata, uint8_t action,
				 struct fuzz_input *in),
		    void *userdata);
