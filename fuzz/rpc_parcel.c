/*
 * A parcel of an enemy: every reader, in the order that the input chooses, and
 * what is then done with what was read.
 *
 * After two minutes: cov: 428.
 */
#include "fuzz.h"

#include <unistd.h>

#include "binder/status.h"
#include "support/fake_session.h"

#define MAX_FDS 4

static bool text_room(void *data, int32_t length, char **ret_buffer)
{
	char **text = data;

	FUZZ_ASSERT(length >= -1 && length != 0);
	free(*text);
	*text = length < 0 ? NULL : malloc((size_t)length);
	*ret_buffer = *text;
	return true;
}

/* Memory for an array that is in the parcel, never for more. */
static void *array_room(void *data, int32_t length, size_t size)
{
	void **array = data;

	FUZZ_ASSERT(length >= -1 && length <= 65536);
	free(*array);
	*array = length > 0 ? malloc((size_t)length * size) : NULL;
	return *array;
}

#define ROOM(name, type)                                                       \
	static bool name##_room(void *data, int32_t length, type **ret_buffer) \
	{                                                                      \
		*ret_buffer = array_room(data, length, sizeof(type));          \
		return true;                                                   \
	}

ROOM(int32, int32_t)
ROOM(int64, int64_t)
ROOM(uint32, uint32_t)
ROOM(uint64, uint64_t)
ROOM(float, float)
ROOM(double, double)
ROOM(char, char16_t)
ROOM(byte, int8_t)

static bool bool_room(void *data, int32_t length)
{
	(void)array_room(data, length, sizeof(bool));
	return true;
}

static void set_bool(void *data, size_t i, bool value)
{
	(*(bool **)data)[i] = value;
}

static bool strings_room(void *data, int32_t length)
{
	(void)data;
	FUZZ_ASSERT(length >= -1 && length <= 65536);
	return true;
}

static bool string_room(void *data, size_t i, int32_t length, char **ret)
{
	(void)i;
	return text_room(data, length, ret);
}

static binder_status_t read_element(const AParcel *p, void *data, size_t i)
{
	int32_t value;

	(void)data;
	(void)i;
	return AParcel_readInt32(p, &value);
}

static void read_object(const AParcel *p)
{
	AIBinder *binder;

	if (AParcel_readStrongBinder(p, &binder) == STATUS_OK)
		AIBinder_decStrong(binder);
}

static void read_status(const AParcel *p)
{
	AStatus *status;
	const char *text;

	if (AParcel_readStatusHeader(p, &status) != STATUS_OK)
		return;
	text = AStatus_getDescription(status);
	FUZZ_ASSERT(text);
	AStatus_deleteDescription(text);
	AStatus_delete(status);
}

static void read_array(const AParcel *p, uint8_t which, void **room)
{
	switch (which & 7) {
	case 0:
		(void)AParcel_readInt32Array(p, room, int32_room);
		break;
	case 1:
		(void)AParcel_readInt64Array(p, room, int64_room);
		break;
	case 2:
		(void)AParcel_readDoubleArray(p, room, double_room);
		break;
	case 3:
		(void)AParcel_readCharArray(p, room, char_room);
		break;
	case 4:
		(void)AParcel_readByteArray(p, room, byte_room);
		break;
	case 5:
		(void)AParcel_readBoolArray(p, room, bool_room, set_bool);
		break;
	case 6:
		(void)AParcel_readStringArray(p, room, strings_room,
					      string_room);
		break;
	default:
		(void)AParcel_readParcelableArray(p, room, strings_room,
						  read_element);
	}
}

/* What generated code wants less often. */
static void read_rare(const AParcel *p, uint8_t which, void **room)
{
	int fd;

	switch (which & 3) {
	case 0:
		(void)AParcel_readUint32Array(p, room, uint32_room);
		break;
	case 1:
		(void)AParcel_readUint64Array(p, room, uint64_room);
		break;
	case 2:
		(void)AParcel_readFloatArray(p, room, float_room);
		break;
	default:
		if (AvfParcel_readFileDescriptor(p, &fd) == STATUS_OK)
			fuzz_close(fd);
	}
}

/* Copy a part into parcels of the same session and of none. */
static void append(const AParcel *p, struct fuzz_input *in)
{
	AParcel *to =
		(fuzz_u8(in) & 1) ? parcel_new(p->session) : AParcel_create();

	FUZZ_ASSERT(to);
	(void)AParcel_appendFrom(p, to, (int8_t)fuzz_u8(in),
				 (int8_t)fuzz_u8(in));
	(void)AParcel_setDataPosition(to, 0);
	read_object(to);
	AParcel_delete(to);
}

static void read_one(const AParcel *p, struct fuzz_input *in)
{
	uint8_t b = fuzz_u8(in);
	void *room = NULL;
	int32_t i32;
	int64_t i64;
	int fd;

	switch (b & 15) {
	case 0:
		(void)AParcel_readInt32(p, &i32);
		break;
	case 1:
		(void)AParcel_readInt64(p, &i64);
		break;
	case 2:
		(void)AParcel_readString(p, &room, text_room);
		break;
	case 3:
	case 4:
		read_object(p);
		break;
	case 5:
		if (AParcel_readParcelFileDescriptor(p, &fd) == STATUS_OK)
			fuzz_close(fd);
		break;
	case 6:
		read_status(p);
		break;
	case 7:
		(void)AParcel_setDataPosition(p, (int8_t)fuzz_u8(in));
		break;
	case 8:
		append(p, in);
		break;
	case 9:
		read_rare(p, b >> 4, &room);
		break;
	default:
		read_array(p, b >> 4, &room);
	}
	free(room);
}

static void make_frame(struct fuzz_input *in, struct parcel_frame *frame)
{
	uint8_t b = fuzz_u8(in);

	*frame = (struct parcel_frame){.offset = 4};
	frame->size = fuzz_u8(in);
	frame->block = malloc(frame->offset + frame->size);
	frame->n_fds = b & 3;
	frame->n_positions = (b >> 2) & 3;
	frame->lists_objects = (b & 0x40) != 0;
	frame->fds = calloc(MAX_FDS, sizeof(int));
	frame->positions = calloc(MAX_FDS, sizeof(uint32_t));
	FUZZ_ASSERT(frame->block && frame->fds && frame->positions);
	for (size_t i = 0; i < frame->n_fds; i++)
		frame->fds[i] = dup(2);
	for (size_t i = 0; i < frame->n_positions; i++)
		frame->positions[i] = fuzz_u8(in);
	(void)fuzz_bytes(in, frame->block + frame->offset, frame->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int fds = fuzz_count_fds();
	struct fuzz_input in = {data, size};
	struct fake_session fake;
	struct parcel_frame frame;
	AParcel *parcel;

	fake_session_init(&fake);
	make_frame(&in, &frame);
	if (parcel_check_positions(&frame) == STATUS_OK) {
		parcel = parcel_new_received(&fake.session, &frame);
		FUZZ_ASSERT(parcel);
		for (int i = 0; i < 32 && fuzz_more(&in); i++)
			read_one(parcel, &in);
		AParcel_delete(parcel);
	}
	parcel_frame_fini(&frame);
	FUZZ_ASSERT(fake.left == 0);
	fake_session_fini(&fake);
	FUZZ_ASSERT(fake.entered == fake.released);
	FUZZ_ASSERT(fake.refs == 0);
	FUZZ_ASSERT(fuzz_count_fds() == fds);
	return 0;
}
