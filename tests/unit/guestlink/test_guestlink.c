#include <criterion/criterion.h>

#include <string.h>

#include "base/checked.h"
#include "guestlink/guestlink.h"

static struct guestlink_reader reader;
static struct guestlink_msg msg;

/* Header of a frame, then the rest of the row's bytes. */
#define FRAME(size, type) \
	(size) & 0xff, (size) >> 8 & 0xff, 0, 0, (type), 0, 0, 0
#define HELLO_BODY 0x41, 0x56, 0x47, 0x4c, 2, 0, 0, 0, 62, 0, 0, 0
#define HELLO      FRAME(12, 1), HELLO_BODY
#define HELLO_SIZE 20

struct bytes_row {
	const char *what;
	enum guestlink_side from;
	int expected; /* of the last next() */
	size_t size;
	unsigned char bytes[64];
};

static const struct bytes_row rows[] = {
	{"an empty stream needs more", GUESTLINK_GUEST, 0, 0, {0}},
	{"half a header needs more", GUESTLINK_GUEST, 0, 4, {12, 0, 0, 0}},
	{"half a body needs more", GUESTLINK_GUEST, 0, 19, {HELLO}},
	{"HELLO is taken", GUESTLINK_GUEST, 1, HELLO_SIZE, {HELLO}},
	{"HELLO with a bad magic number",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 20,
	 {FRAME(12, 1), 0, 0, 0, 0, 1}},
	{"HELLO of another version",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 20,
	 {FRAME(12, 1), 0x41, 0x56, 0x47, 0x4c, 1}},
	{"HELLO without its words",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 19,
	 {FRAME(11, 1), HELLO_BODY}},
	{"something before HELLO",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 8,
	 {FRAME(0, 2)}},
	{"type zero", GUESTLINK_GUEST, AVF_ERR_PROTOCOL, 8, {FRAME(0, 0)}},
	{"an unknown type",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 8,
	 {FRAME(0, 6)}},
	{"a type above 255",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 8,
	 {12, 0, 0, 0, 1, 1, 0, 0}},
	{"a guest that plays the host",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 8,
	 {FRAME(0, 17)}},
	{"a host that plays the guest",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 20,
	 {HELLO}},
	{"the reserved field is not zero",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 8,
	 {0, 0, 0, 0, 17, 0, 1, 0}},
	{"a body over the limit fails at its header",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 8,
	 {1, 0x10, 0, 0, 1, 0, 0, 0}},
	{"the largest size a header can say",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 8,
	 {255, 255, 255, 255, 1, 0, 0, 0}},
	{"SHUTDOWN has no body",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 9,
	 {FRAME(1, 17), 0}},
	{"SHUTDOWN is taken", GUESTLINK_HOST, 1, 8, {FRAME(0, 17)}},
	{"START is taken",
	 GUESTLINK_HOST,
	 1,
	 14,
	 {FRAME(6, 16), 1, 0, 0, 0, 'a', 'b'}},
	{"START without a name",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 12,
	 {FRAME(4, 16), 0, 0, 0, 0}},
	{"START with a path",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 15,
	 {FRAME(7, 16), 0, 0, 0, 0, 'a', '/', 'b'}},
	{"START with the parent directory",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 14,
	 {FRAME(6, 16), 0, 0, 0, 0, '.', '.'}},
	{"START with a NUL in the name",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 14,
	 {FRAME(6, 16), 0, 0, 0, 0, 'a', 0}},
	{"START with unknown flags",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 14,
	 {FRAME(6, 16), 2, 0, 0, 0, 'a', 'b'}},
	{"NAME is taken, whatever file name it would be",
	 GUESTLINK_HOST,
	 1,
	 12,
	 {FRAME(4, 18), '.', 'a', '/', ' '}},
	{"NAME without a name",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 8,
	 {FRAME(0, 18)}},
	{"NAME with a line's end",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 10,
	 {FRAME(2, 18), 'a', '\n'}},
	{"NAME with a NUL",
	 GUESTLINK_HOST,
	 AVF_ERR_PROTOCOL,
	 10,
	 {FRAME(2, 18), 'a', 0}},
	{"a guest that says NAME",
	 GUESTLINK_GUEST,
	 AVF_ERR_PROTOCOL,
	 9,
	 {FRAME(1, 18), 'a'}},
};

Test(guestlink, rows)
{
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		guestlink_reader_init(&reader, rows[i].from);
		cr_assert_eq(guestlink_reader_feed(&reader, rows[i].bytes,
						   rows[i].size),
			     rows[i].size);
		rc = guestlink_reader_next(&reader, &msg);
		cr_expect_eq(rc, rows[i].expected, "%s: %d", rows[i].what, rc);
		if (rc < 0)
			cr_expect_eq(guestlink_reader_next(&reader, &msg),
				     AVF_ERR_PROTOCOL, "%s: stays broken",
				     rows[i].what);
	}
}

static size_t encode(const struct guestlink_msg *m, unsigned char *buf)
{
	size_t size = 0;

	cr_assert_eq(guestlink_encode(m, buf, GUESTLINK_MAX_FRAME, &size), 0,
		     "%s", guestlink_type_name((int)m->type));
	return size;
}

static const struct guestlink_msg guest_says[] = {
	{.type = GUESTLINK_HELLO,
	 .version = GUESTLINK_VERSION,
	 .arch = 62,
	 .text = "Linux"},
	{.type = GUESTLINK_PAYLOAD_STARTED},
	{.type = GUESTLINK_PAYLOAD_READY},
	{.type = GUESTLINK_PAYLOAD_FINISHED, .exit_code = -1},
	{.type = GUESTLINK_ERROR,
	 .error_code = 3,
	 .stop_reason = -1,
	 .text = "no manifest"},
};

Test(guestlink, arrives_in_any_pieces)
{
	static unsigned char stream[1024];
	size_t size = 0;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(guest_says); i++)
		size += encode(&guest_says[i], stream + size);
	for (size_t piece = 1; piece <= size; piece++) {
		n = 0;
		guestlink_reader_init(&reader, GUESTLINK_GUEST);
		for (size_t at = 0; at < size; at += piece) {
			cr_assert_eq(
				guestlink_reader_feed(&reader, stream + at,
						      MIN(piece, size - at)),
				MIN(piece, size - at));
			while (guestlink_reader_next(&reader, &msg) == 1) {
				cr_assert_eq(memcmp(&msg, &guest_says[n],
						    sizeof(msg)),
					     0, "message %zu", n);
				n++;
			}
		}
		cr_expect_eq(n, ARRAY_SIZE(guest_says), "pieces of %zu", piece);
	}
}

Test(guestlink, second_hello_is_refused)
{
	static const unsigned char twice[] = {HELLO, HELLO};

	guestlink_reader_init(&reader, GUESTLINK_GUEST);
	cr_assert_eq(guestlink_reader_feed(&reader, twice, sizeof(twice)),
		     sizeof(twice));
	cr_expect_eq(guestlink_reader_next(&reader, &msg), 1);
	cr_expect_eq(guestlink_reader_next(&reader, &msg), AVF_ERR_PROTOCOL);
}

Test(guestlink, takes_no_more_than_one_frame_of_memory)
{
	static unsigned char flood[3 * GUESTLINK_MAX_FRAME];

	/* the largest HELLO: the reader is full, and one next() frees it */
	flood[1] = 0x10;
	flood[4] = 1;
	memcpy(flood + GUESTLINK_HEADER_SIZE,
	       (const unsigned char[]){HELLO_BODY}, 12);
	memset(flood + 20, 1, GUESTLINK_MAX_FRAME - 20);
	guestlink_reader_init(&reader, GUESTLINK_GUEST);
	cr_expect_eq(guestlink_reader_feed(&reader, flood, sizeof(flood)),
		     GUESTLINK_MAX_FRAME);
	cr_expect_eq(guestlink_reader_feed(&reader, flood, sizeof(flood)), 0);
	cr_expect_eq(guestlink_reader_next(&reader, &msg), 1);
	cr_expect_eq(strncmp(msg.text, "\\x01\\x01", 8), 0, "text is escaped");
	cr_expect_lt(strlen(msg.text), GUESTLINK_TEXT_SIZE);
}

/* One byte more than a host name has: refused by either side. */
Test(guestlink, name_has_a_limit)
{
	struct guestlink_msg name = {.type = GUESTLINK_NAME};
	unsigned char buf[GUESTLINK_MAX_FRAME];
	size_t size;

	memset(name.text, 'x', GUESTLINK_MAX_NAME);
	cr_assert_eq(guestlink_encode(&name, buf, sizeof(buf), &size), 0);
	guestlink_reader_init(&reader, GUESTLINK_HOST);
	cr_assert_eq(guestlink_reader_feed(&reader, buf, size), size);
	cr_assert_eq(guestlink_reader_next(&reader, &msg), 1);
	cr_expect_str_eq(msg.text, name.text);
	name.text[GUESTLINK_MAX_NAME] = 'x';
	cr_expect_eq(guestlink_encode(&name, buf, sizeof(buf), &size),
		     AVF_ERR_INVALID);
	buf[0] = GUESTLINK_MAX_NAME + 1;
	buf[GUESTLINK_HEADER_SIZE + GUESTLINK_MAX_NAME] = 'x';
	guestlink_reader_init(&reader, GUESTLINK_HOST);
	cr_assert_eq(guestlink_reader_feed(&reader, buf, size + 1), size + 1);
	cr_expect_eq(guestlink_reader_next(&reader, &msg), AVF_ERR_PROTOCOL);
}

Test(guestlink, does_not_send_bad_names)
{
	static const char *const names[] = {"", "a/b", "..", ".hidden", "a\nb"};
	struct guestlink_msg start = {.type = GUESTLINK_START};
	unsigned char buf[GUESTLINK_MAX_FRAME];
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		memcpy(start.text, names[i], strlen(names[i]) + 1);
		cr_expect_eq(guestlink_encode(&start, buf, sizeof(buf), &size),
			     AVF_ERR_INVALID, "\"%s\"", names[i]);
	}
	memcpy(start.text, "libx.so", 8);
	cr_expect_eq(guestlink_encode(&start, buf, 18, &size), AVF_ERR_LIMIT);
	cr_expect_eq(guestlink_encode(&start, buf, 19, &size), 0);
	start.type = (enum guestlink_type)99;
	cr_expect_eq(guestlink_encode(&start, buf, sizeof(buf), &size),
		     AVF_ERR_INVALID, "no such type");
}
