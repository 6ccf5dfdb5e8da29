/*
 * Frames of the guest's manager and of the host, in pieces. What is read can
 * be sent again.
 *
 * After a minute: cov: 144.
 */
#include "fuzz.h"

#include "guestlink/guestlink.h"

static void check(const struct guestlink_msg *msg)
{
	unsigned char frame[GUESTLINK_MAX_FRAME];
	size_t size;

	FUZZ_ASSERT(memchr(msg->text, '\0', sizeof(msg->text)));
	for (const char *c = msg->text; *c; c++)
		FUZZ_ASSERT((unsigned char)*c >= 0x20 && *c != 0x7f);
	FUZZ_ASSERT(guestlink_encode(msg, frame, sizeof(frame), &size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint8_t how = fuzz_u8(&in);
	struct guestlink_reader reader;
	struct guestlink_msg msg;
	unsigned char piece[64];
	size_t n, fed;
	int rc = 0;

	guestlink_reader_init(&reader,
			      how & 1 ? GUESTLINK_HOST : GUESTLINK_GUEST);
	reader.greeted = how & 2;
	while (fuzz_more(&in)) {
		n = fuzz_bytes(&in, piece, how & 4 ? 5 : sizeof(piece));
		fed = guestlink_reader_feed(&reader, piece, n);
		FUZZ_ASSERT(fed == n);
		while ((rc = guestlink_reader_next(&reader, &msg)) > 0)
			check(&msg);
		FUZZ_ASSERT(rc == 0 || reader.broken);
	}
	return 0;
}
