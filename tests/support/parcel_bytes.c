#include "support/parcel_bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The next byte of @hex, or -1 at its end. */
static int next_byte(const char **hex)
{
	char digits[3] = "";
	size_t n = 0;

	for (; **hex && n < 2; ++*hex)
		if (isxdigit((unsigned char)**hex))
			digits[n++] = **hex;
	return n == 2 ? (int)strtol(digits, NULL, 16) : -1;
}

AParcel *parcel_from_hex(struct binder_session *session, const char *hex)
{
	struct parcel_frame frame = {0};
	AParcel *parcel;
	int byte;

	frame.block = malloc(strlen(hex) + 1);
	if (!frame.block)
		abort();
	while ((byte = next_byte(&hex)) >= 0)
		frame.block[frame.size++] = (uint8_t)byte;
	/* exactly as large, so that a reader behind the end is noticed */
	frame.block = realloc(frame.block, frame.size > 0 ? frame.size : 1);
	parcel = parcel_new_received(session, &frame);
	if (!parcel)
		abort();
	return parcel;
}

bool parcel_is(const AParcel *parcel, const char *hex)
{
	const char *rest = hex;
	size_t i = 0;
	int byte;

	for (; (byte = next_byte(&rest)) >= 0; i++)
		if (i >= parcel->size || parcel->data[i] != byte)
			break;
	if (byte < 0 && i == parcel->size)
		return true;
	fprintf(stderr, "expected: %s\nfound:    ", hex);
	for (i = 0; i < parcel->size; i++)
		fprintf(stderr, "%02x%s", parcel->data[i],
			i % 4 == 3 ? " " : "");
	fprintf(stderr, "\n");
	return false;
}

void parcel_frame_from_hex(struct parcel_frame *frame, const char *hex,
			   const uint32_t *positions, size_t n_positions,
			   size_t n_fds)
{
	AParcel *bytes = parcel_from_hex(NULL, hex);

	*frame = (struct parcel_frame){
		.block = bytes->block,
		.size = bytes->size,
		.positions = calloc(n_positions + 1, sizeof(uint32_t)),
		.n_positions = n_positions,
		.fds = calloc(n_fds + 1, sizeof(int)),
		.n_fds = n_fds,
	};
	bytes->block = NULL;
	AParcel_delete(bytes);
	for (size_t i = 0; i < n_positions; i++)
		frame->positions[i] = positions[i];
	for (size_t i = 0; i < n_fds; i++)
		frame->fds[i] = dup(2);
}
