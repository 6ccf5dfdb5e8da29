/*
 * Frames between the VMM and the guest's manager, built into both. A frame is a
 * header, up to three numbers and perhaps a text, by the table of shapes. The
 * reader trusts nothing: it knows which side it listens to, takes only that
 * side's types, and after one bad frame is broken for good, since a stream that
 * lost its borders has none any more.
 */
#include "guestlink/guestlink.h"

#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/text.h"

#define MAX_WORDS 3 /* le32 fields at the start of a body */

struct header {
	le32 size;
	le16 type;
	le16 zero;
};
_Static_assert(sizeof(struct header) == GUESTLINK_HEADER_SIZE,
	       "frame header layout");

/* What the body of each type looks like. */
struct shape {
	enum guestlink_type type;
	enum guestlink_side from;
	uint8_t n_words;
	bool has_text;
	const char *name;
};

static const struct shape shapes[] = {
	{GUESTLINK_HELLO, GUESTLINK_GUEST, 3, true, "HELLO"},
	{GUESTLINK_PAYLOAD_STARTED, GUESTLINK_GUEST, 0, false,
	 "PAYLOAD_STARTED"},
	{GUESTLINK_PAYLOAD_READY, GUESTLINK_GUEST, 0, false, "PAYLOAD_READY"},
	{GUESTLINK_PAYLOAD_FINISHED, GUESTLINK_GUEST, 1, false,
	 "PAYLOAD_FINISHED"},
	{GUESTLINK_ERROR, GUESTLINK_GUEST, 2, true, "ERROR"},
	{GUESTLINK_START, GUESTLINK_HOST, 1, true, "START"},
	{GUESTLINK_SHUTDOWN, GUESTLINK_HOST, 0, false, "SHUTDOWN"},
	{GUESTLINK_NAME, GUESTLINK_HOST, 0, true, "NAME"},
};

static const struct shape *find_shape(int type)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		if ((int)shapes[i].type == type)
			return &shapes[i];
	}
	return NULL;
}

const char *guestlink_type_name(int type)
{
	const struct shape *shape = find_shape(type);

	return shape ? shape->name : "?";
}

/* One to @max bytes, none of them a control character. */
static bool is_plain(const char *text, size_t size, size_t max)
{
	if (size == 0 || size > max)
		return false;
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return true;
}

/* Names of libraries are joined to a directory: no way out of it. */
static bool is_file_name(const char *text, size_t size)
{
	return is_plain(text, size, GUESTLINK_TEXT_SIZE - 1) &&
	       text[0] != '.' && !memchr(text, '/', size);
}

/* Numbers in the order of the table's n_words. */
static void words_of(const struct guestlink_msg *msg, uint32_t words[MAX_WORDS])
{
	memset(words, 0, MAX_WORDS * sizeof(words[0]));
	switch (msg->type) {
	case GUESTLINK_HELLO:
		words[0] = GUESTLINK_MAGIC;
		words[1] = msg->version;
		words[2] = msg->arch;
		break;
	case GUESTLINK_PAYLOAD_FINISHED:
		words[0] = (uint32_t)msg->exit_code;
		break;
	case GUESTLINK_ERROR:
		words[0] = (uint32_t)msg->error_code;
		words[1] = (uint32_t)msg->stop_reason;
		break;
	case GUESTLINK_START:
		words[0] = msg->flags;
		break;
	case GUESTLINK_PAYLOAD_STARTED:
	case GUESTLINK_PAYLOAD_READY:
	case GUESTLINK_SHUTDOWN:
	case GUESTLINK_NAME:
		break;
	}
}

/* Against our own mistakes: what is sent would be refused by the reader. */
static int check_outgoing(const struct guestlink_msg *msg, size_t text_size)
{
	if (msg->type == GUESTLINK_START && !is_file_name(msg->text, text_size))
		return fail(AVF_ERR_INVALID,
			    "the payload's name is not a file name");
	if (msg->type == GUESTLINK_NAME &&
	    !is_plain(msg->text, text_size, GUESTLINK_MAX_NAME))
		return fail(AVF_ERR_INVALID, "the name is no host name");
	return 0;
}

int guestlink_encode(const struct guestlink_msg *msg, void *buf,
		     size_t capacity, size_t *ret_size)
{
	const struct shape *shape = find_shape((int)msg->type);
	uint32_t words[MAX_WORDS];
	unsigned char *p = buf;
	struct header header;
	size_t text_size = 0;
	size_t body;
	int rc;

	if (!shape)
		return fail(AVF_ERR_INVALID, "no message type %d",
			    (int)msg->type);
	if (shape->has_text)
		text_size = strnlen(msg->text, sizeof(msg->text));
	rc = check_outgoing(msg, text_size);
	if (rc < 0)
		return rc;
	body = shape->n_words * sizeof(le32) + text_size;
	if (capacity < sizeof(header) + body)
		return fail(AVF_ERR_LIMIT, "no room for a frame");
	header = (struct header){le32_make((uint32_t)body),
				 le16_make((uint16_t)msg->type), le16_make(0)};
	memcpy(p, &header, sizeof(header));
	p += sizeof(header);
	words_of(msg, words);
	for (size_t i = 0; i < shape->n_words; i++, p += sizeof(le32)) {
		le32 word = le32_make(words[i]);

		memcpy(p, &word, sizeof(word));
	}
	memcpy(p, msg->text, text_size);
	*ret_size = sizeof(header) + body;
	return 0;
}

void guestlink_reader_init(struct guestlink_reader *reader,
			   enum guestlink_side from)
{
	reader->from = from;
	reader->greeted = false;
	reader->broken = false;
	reader->used = 0;
}

/* Takes what there is room for; a broken reader swallows everything. */
size_t guestlink_reader_feed(struct guestlink_reader *reader, const void *data,
			     size_t size)
{
	size_t n = MIN(size, sizeof(reader->buf) - reader->used);

	if (reader->broken)
		return size;
	memcpy(reader->buf + reader->used, data, n);
	reader->used += n;
	return n;
}

/* Equal versions only: the guest's image and the VMM are built together. */
static int set_hello(const uint32_t *words, struct guestlink_msg *msg)
{
	if (words[0] != GUESTLINK_MAGIC)
		return fail(AVF_ERR_PROTOCOL, "HELLO has a bad magic number");
	if (words[1] != GUESTLINK_VERSION)
		return fail(AVF_ERR_PROTOCOL,
			    "the guest speaks version %u, not %u: rebuild its "
			    "image",
			    words[1], GUESTLINK_VERSION);
	msg->version = words[1];
	msg->arch = words[2];
	return 0;
}

/* Read in the guest, where the name becomes part of a path. */
static int set_start(const uint32_t *words, const char *text, size_t size,
		     struct guestlink_msg *msg)
{
	if (words[0] & ~GUESTLINK_START_FLAGS)
		return fail(AVF_ERR_PROTOCOL, "START has unknown flags 0x%x",
			    words[0]);
	if (!is_file_name(text, size))
		return fail(AVF_ERR_PROTOCOL, "START has a bad library name");
	msg->flags = words[0];
	memcpy(msg->text, text, size);
	msg->text[size] = '\0';
	return 0;
}

static int set_name(const char *text, size_t size, struct guestlink_msg *msg)
{
	if (!is_plain(text, size, GUESTLINK_MAX_NAME))
		return fail(AVF_ERR_PROTOCOL, "NAME is no host name");
	memcpy(msg->text, text, size);
	msg->text[size] = '\0';
	return 0;
}

static int set_fields(const uint32_t *words, const char *text, size_t size,
		      struct guestlink_msg *msg)
{
	switch (msg->type) {
	case GUESTLINK_START:
		return set_start(words, text, size, msg);
	case GUESTLINK_NAME:
		return set_name(text, size, msg);
	case GUESTLINK_HELLO:
		text_sanitise(msg->text, sizeof(msg->text), text, size);
		return set_hello(words, msg);
	case GUESTLINK_PAYLOAD_FINISHED:
		msg->exit_code = (int32_t)words[0];
		break;
	case GUESTLINK_ERROR:
		msg->error_code = (int32_t)words[0];
		msg->stop_reason = (int32_t)words[1];
		text_sanitise(msg->text, sizeof(msg->text), text, size);
		break;
	case GUESTLINK_PAYLOAD_STARTED:
	case GUESTLINK_PAYLOAD_READY:
	case GUESTLINK_SHUTDOWN:
		break;
	}
	return 0;
}

/* The body is @size bytes at @body, whole. */
static int decode(const struct shape *shape, const unsigned char *body,
		  size_t size, struct guestlink_msg *ret_msg)
{
	const size_t fixed = shape->n_words * sizeof(le32);
	struct guestlink_msg msg = {.type = shape->type};
	uint32_t words[MAX_WORDS] = {0};
	le32 word;
	int rc;

	for (size_t i = 0; i < shape->n_words; i++) {
		memcpy(&word, body + i * sizeof(word), sizeof(word));
		words[i] = le32_get(word);
	}
	rc = set_fields(words, (const char *)body + fixed, size - fixed, &msg);
	if (rc < 0)
		return rc;
	*ret_msg = msg;
	return 1;
}

/* What can be said about a frame from its header alone. */
static int check_header(const struct guestlink_reader *reader,
			const struct header *header,
			const struct shape **ret_shape)
{
	const struct shape *shape = find_shape(le16_get(header->type));
	const uint32_t size = le32_get(header->size);
	uint32_t fixed;

	if (!shape || shape->from != reader->from || le16_get(header->zero))
		return fail(AVF_ERR_PROTOCOL, "bad frame of type %u",
			    le16_get(header->type));
	fixed = (uint32_t)(shape->n_words * sizeof(le32));
	if (size > GUESTLINK_MAX_BODY || size < fixed ||
	    (size != fixed && !shape->has_text))
		return fail(AVF_ERR_PROTOCOL, "%s of %u bytes", shape->name,
			    size);
	if (reader->from == GUESTLINK_GUEST &&
	    reader->greeted == (shape->type == GUESTLINK_HELLO))
		return fail(AVF_ERR_PROTOCOL, "%s at the wrong time",
			    shape->name);
	*ret_shape = shape;
	return 0;
}

static int take_frame(struct guestlink_reader *reader,
		      struct guestlink_msg *ret_msg)
{
	const struct shape *shape;
	struct header header;
	size_t whole;
	int rc;

	if (reader->used < sizeof(header))
		return 0;
	memcpy(&header, reader->buf, sizeof(header));
	rc = check_header(reader, &header, &shape);
	if (rc < 0)
		return rc;
	whole = sizeof(header) + le32_get(header.size);
	if (reader->used < whole)
		return 0;
	rc = decode(shape, reader->buf + sizeof(header), whole - sizeof(header),
		    ret_msg);
	if (rc < 0)
		return rc;
	reader->greeted = true;
	reader->used -= whole;
	memmove(reader->buf, reader->buf + whole, reader->used);
	return 1;
}

int guestlink_reader_next(struct guestlink_reader *reader,
			  struct guestlink_msg *ret_msg)
{
	int rc;

	if (reader->broken)
		return fail(AVF_ERR_PROTOCOL, "the link is broken");
	rc = take_frame(reader, ret_msg);
	if (rc < 0)
		reader->broken = true;
	return rc;
}
