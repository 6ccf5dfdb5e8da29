/* Parcels from and to hexadecimal text; spaces in it are for the reader. */
#pragma once

#include "binder/parcel.h"

/** A received parcel of @session (or NULL) with these bytes. Cannot fail. */
AParcel *parcel_from_hex(struct binder_session *session, const char *hex);

/** Whether the parcel has these bytes; prints both when not. */
bool parcel_is(const AParcel *parcel, const char *hex);

/** A received frame of these bytes, at these positions, with @n_fds
 * descriptors. Cannot fail. */
void parcel_frame_from_hex(struct parcel_frame *frame, const char *hex,
			   const uint32_t *positions, size_t n_positions,
			   size_t n_fds);
