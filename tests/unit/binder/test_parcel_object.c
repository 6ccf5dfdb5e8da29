#include <criterion/criterion.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "support/echo_object.h"
#include "support/fake_session.h"
#include "support/parcel_bytes.h"

static struct fake_session fake;
static struct echo_object state;
static AIBinder *local;

static void set_up(void)
{
	fake_session_init(&fake);
	local = AIBinder_new(echo_class_new("echo"), &state);
}

static void tear_down(void)
{
	fake_session_fini(&fake);
	AIBinder_decStrong(local);
	cr_expect_eq(state.destroyed, 1);
	cr_expect_eq(fake.refs, 0);
}

TestSuite(objects, .init = set_up, .fini = tear_down);

Test(objects, within_the_process)
{
	AParcel *p = AParcel_create();
	AIBinder *back, *none = local;

	cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	cr_assert_eq(AParcel_writeStrongBinder(p, NULL), STATUS_OK);
	cr_expect(parcel_is(p, "01000000 00000000 00000000 0c000000"
			       "00000000 00000000"));
	cr_expect_eq(AIBinder_debugGetRefCount(local), 2);
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_readStrongBinder(p, &back), STATUS_OK);
	cr_expect_eq(back, local);
	cr_assert_eq(AParcel_readStrongBinder(p, &none), STATUS_OK);
	cr_expect_null(none);
	AIBinder_decStrong(back);
	AParcel_delete(p);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
}

Test(objects, of_a_session)
{
	AParcel *p = parcel_new(&fake.session);

	AIBinder_markVintfStability(local);
	cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	cr_expect(parcel_is(p, "01000000 03000000 00000000 3f000000"));
	cr_expect_eq(fake.left, 1);
	AParcel_delete(p);
	cr_expect_eq(fake.left, 0, "a parcel that was not sent undoes it");
}

Test(objects, of_a_parcel_that_was_sent)
{
	AParcel *p = parcel_new(&fake.session);

	cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	p->sent = true;
	AParcel_delete(p);
	cr_expect_eq(fake.left, 1);
}

Test(objects, that_cannot_leave)
{
	AParcel *p = parcel_new(&fake.session);

	fake.refuse = STATUS_INVALID_OPERATION;
	cr_expect_eq(AParcel_writeStrongBinder(p, local),
		     STATUS_INVALID_OPERATION);
	cr_expect_eq(AParcel_getDataSize(p), 0);
	AParcel_delete(p);
	cr_expect_eq(AIBinder_debugGetRefCount(local), 1);
}

Test(objects, written_over_one_another)
{
	struct echo_object other_state = {0};
	AIBinder *other = AIBinder_new(echo_class_new("other"), &other_state);
	AParcel *p = parcel_new(&fake.session);
	AIBinder *back;

	cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_writeStrongBinder(p, other), STATUS_OK);
	cr_expect_eq(fake.left, 1);
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_readStrongBinder(p, &back), STATUS_OK);
	cr_expect_eq(back, other);
	AIBinder_decStrong(back);
	AParcel_delete(p);
	AIBinder_decStrong(other);
	cr_expect_eq(fake.left, 0);
}

Test(objects, many_in_one_parcel_and_read_backwards)
{
	AParcel *p = AParcel_create();
	AIBinder *back;

	for (int i = 0; i < 100; i++)
		cr_assert_eq(AParcel_writeStrongBinder(p, local), STATUS_OK);
	for (int i = 99; i >= 0; i--) {
		(void)AParcel_setDataPosition(p, i * 16);
		cr_assert_eq(AParcel_readStrongBinder(p, &back), STATUS_OK);
		cr_assert_eq(back, local);
		AIBinder_decStrong(back);
	}
	(void)AParcel_setDataPosition(p, 8);
	cr_expect_neq(AParcel_readStrongBinder(p, &back), STATUS_OK);
	AParcel_delete(p);
}

Test(objects, received_and_read_twice_count_once)
{
	AParcel *p = parcel_from_hex(&fake.session,
				     "01000000 03000000 00000000 0c000000");
	AIBinder *first, *second;

	cr_assert_eq(AParcel_readStrongBinder(p, &first), STATUS_OK);
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_readStrongBinder(p, &second), STATUS_OK);
	cr_expect_eq(first, second);
	cr_expect_eq(fake.entered, 1);
	cr_expect_eq(first->stability, STABILITY_SYSTEM);
	AIBinder_decStrong(first);
	AIBinder_decStrong(second);
	cr_expect_eq(fake.released, 0);
	AParcel_delete(p);
	cr_expect_eq(fake.released, 1);
}

Test(objects, that_cannot_be)
{
	static const struct {
		const char *what, *bytes;
		bool session;
		binder_status_t status;
	} rows[] = {
		{"nothing", "", true, STATUS_NOT_ENOUGH_DATA},
		{"null without stability", "00000000", true,
		 STATUS_NOT_ENOUGH_DATA},
		{"null with stability", "00000000 0c000000", true,
		 STATUS_BAD_TYPE},
		{"a descriptor", "02000000 00000000 00000000 0c000000", true,
		 STATUS_BAD_TYPE},
		{"cut off", "01000000 03000000 00000000", true,
		 STATUS_NOT_ENOUGH_DATA},
		{"undeclared", "01000000 03000000 00000000 00000000", true,
		 STATUS_BAD_TYPE},
		{"a stability that does not exist",
		 "01000000 03000000 00000000 0d000000", true, STATUS_BAD_TYPE},
		{"an address outside of a session",
		 "01000000 03000000 00000000 0c000000", false, STATUS_BAD_TYPE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AParcel *p = parcel_from_hex(
			rows[i].session ? &fake.session : NULL, rows[i].bytes);
		AIBinder *binder = local;

		cr_expect_eq(AParcel_readStrongBinder(p, &binder),
			     rows[i].status, "%s", rows[i].what);
		cr_expect_eq(binder, local, "%s", rows[i].what);
		AParcel_delete(p);
	}
	cr_expect_eq(fake.entered, 0);
}

/* ---- file descriptors ---- */

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

Test(objects, descriptors)
{
	AParcel *p = parcel_new(&fake.session);
	int pipe_fds[2], back, null;

	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	cr_assert_eq(AParcel_writeParcelFileDescriptor(p, pipe_fds[0]),
		     STATUS_OK);
	cr_assert_eq(AParcel_writeParcelFileDescriptor(p, -1), STATUS_OK);
	cr_assert_eq(AParcel_writeParcelFileDescriptor(p, pipe_fds[1]),
		     STATUS_OK);
	cr_expect(parcel_is(p, "01000000 00000000 02000000 00000000 00000000"
			       "01000000 00000000 02000000 01000000"));
	cr_expect_eq(p->n_fd_positions, 2);
	cr_expect_eq(p->fd_positions[0], 8);
	cr_expect_eq(p->fd_positions[1], 28);
	(void)AParcel_setDataPosition(p, 0);
	cr_assert_eq(AParcel_readParcelFileDescriptor(p, &back), STATUS_OK);
	cr_expect(same_file(back, pipe_fds[0]) && back != pipe_fds[0]);
	cr_expect(fcntl(back, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(AParcel_readParcelFileDescriptor(p, &null), STATUS_OK);
	cr_expect_eq(null, -1);
	close(back);
	AParcel_delete(p);
	close(pipe_fds[1]);
	/* the parcel's copy of the write end is closed too */
	cr_expect_eq(read(pipe_fds[0], &back, 1), 0);
	close(pipe_fds[0]);
}

Test(objects, descriptors_that_are_refused)
{
	AParcel *p = parcel_new(&fake.session);

	cr_expect_eq(AParcel_writeParcelFileDescriptor(p, -2),
		     STATUS_UNKNOWN_ERROR);
	cr_expect_eq(parcel_write_fd(p, 9999), STATUS_BAD_VALUE);
	fake.session.allow_fds = false;
	cr_expect_eq(AParcel_writeParcelFileDescriptor(p, 0),
		     STATUS_FDS_NOT_ALLOWED);
	cr_expect_eq(parcel_write_fd(p, 0), STATUS_FDS_NOT_ALLOWED);
	cr_expect_not(AParcel_getAllowFds(p));
	cr_expect_eq(AParcel_getDataSize(p), 0);
	AParcel_delete(p);
}

/* A received frame of these bytes with @n_fds descriptors. */
static void make_frame(struct parcel_frame *frame, const char *hex,
		       const uint32_t *positions, size_t n_positions,
		       size_t n_fds)
{
	AParcel *bytes = parcel_from_hex(NULL, hex);

	*frame = (struct parcel_frame){
		.block = bytes->block,
		.size = bytes->size,
		.fd_positions = calloc(n_positions + 1, sizeof(uint32_t)),
		.n_fd_positions = n_positions,
		.fds = calloc(n_fds + 1, sizeof(int)),
		.n_fds = n_fds,
	};
	bytes->block = NULL;
	AParcel_delete(bytes);
	for (size_t i = 0; i < n_positions; i++)
		frame->fd_positions[i] = positions[i];
	for (size_t i = 0; i < n_fds; i++)
		frame->fds[i] = dup(2);
}

Test(objects, tables_of_positions)
{
	static const struct {
		const char *what, *bytes;
		uint32_t positions[3];
		size_t n_positions, n_fds;
		binder_status_t status;
	} rows[] = {
		{"none", "11111111", {0}, 0, 0, STATUS_OK},
		{"one", "02000000 00000000", {0}, 1, 1, STATUS_OK},
		{"two, the other way round",
		 "02000000 00000000 02000000 01000000",
		 {8, 0},
		 2,
		 2,
		 STATUS_OK},
		{"a position without a descriptor",
		 "02000000 00000000",
		 {0},
		 1,
		 0,
		 STATUS_BAD_VALUE},
		{"a descriptor without a position",
		 "02000000 00000000",
		 {0},
		 0,
		 1,
		 STATUS_BAD_VALUE},
		{"a position at the end",
		 "02000000 00000000",
		 {8},
		 1,
		 1,
		 STATUS_BAD_VALUE},
		{"a position whose index is behind the end",
		 "02000000 00000000",
		 {4},
		 1,
		 1,
		 STATUS_BAD_VALUE},
		{"a position far away",
		 "02000000 00000000",
		 {0xfffffffc},
		 1,
		 1,
		 STATUS_BAD_VALUE},
		{"no data at all", "", {0}, 1, 1, STATUS_BAD_VALUE},
		{"no descriptor there",
		 "01000000 00000000",
		 {0},
		 1,
		 1,
		 STATUS_BAD_TYPE},
		{"an index that does not exist",
		 "02000000 01000000",
		 {0},
		 1,
		 1,
		 STATUS_BAD_VALUE},
	};
	struct parcel_frame frame;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_frame(&frame, rows[i].bytes, rows[i].positions,
			   rows[i].n_positions, rows[i].n_fds);
		cr_expect_eq(parcel_check_positions(&frame), rows[i].status,
			     "%s", rows[i].what);
		for (size_t k = 1; k < frame.n_fd_positions; k++)
			cr_expect(rows[i].status != STATUS_OK ||
				  frame.fd_positions[k - 1] <
					  frame.fd_positions[k]);
		parcel_frame_fini(&frame);
	}
}

Test(objects, a_descriptor_is_read_where_the_table_says)
{
	static const uint32_t at[] = {8};
	struct parcel_frame frame;
	AParcel *p;
	int fd = -1;

	make_frame(&frame, "02000000 00000000 02000000 00000000", at, 1, 1);
	cr_assert_eq(parcel_check_positions(&frame), STATUS_OK);
	p = parcel_new_received(&fake.session, &frame);
	cr_expect_eq(parcel_read_fd(p, &fd), STATUS_BAD_TYPE);
	cr_expect_eq(parcel_read_fd(p, &fd), STATUS_OK);
	close(fd);
	cr_expect_eq(parcel_read_fd(p, &fd), STATUS_NOT_ENOUGH_DATA);
	AParcel_delete(p);
}

Test(objects, a_descriptor_alone)
{
	AParcel *p = parcel_new(&fake.session);
	int back = -1;

	cr_expect_eq(AvfParcel_writeFileDescriptor(p, -1), STATUS_BAD_VALUE);
	cr_expect_eq(AParcel_getDataSize(p), 0);
	cr_assert_eq(AParcel_writeInt32(p, 0), STATUS_OK);
	cr_assert_eq(AvfParcel_writeFileDescriptor(p, 2), STATUS_OK);
	cr_expect(parcel_is(p, "00000000 02000000 00000000"));
	(void)AParcel_setDataPosition(p, 0);
	cr_expect_eq(AvfParcel_readFileDescriptor(p, &back), STATUS_BAD_TYPE);
	(void)AParcel_setDataPosition(p, 4);
	cr_assert_eq(AvfParcel_readFileDescriptor(p, &back), STATUS_OK);
	cr_expect(same_file(back, 2) && back != 2);
	close(back);
	back = -1;
	cr_expect_eq(AvfParcel_readFileDescriptor(p, &back),
		     STATUS_NOT_ENOUGH_DATA);
	cr_expect_eq(back, -1);
	fake.session.allow_fds = false;
	cr_expect_eq(AvfParcel_writeFileDescriptor(p, 2),
		     STATUS_FDS_NOT_ALLOWED);
	AParcel_delete(p);
}

Test(objects, a_second_descriptor_is_told_that_it_was_handed_on)
{
	static const uint32_t at[] = {8, 16};
	struct parcel_frame frame;
	AParcel *p;
	unsigned char word[4];
	int fds[2], fd = -1;

	make_frame(&frame,
		   "01000000 01000000 02000000 00000000 02000000 01000000", at,
		   2, 2);
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	close(frame.fds[1]);
	frame.fds[1] = fds[1];
	p = parcel_new_received(&fake.session, &frame);
	cr_assert_eq(AParcel_readParcelFileDescriptor(p, &fd), STATUS_OK);
	cr_assert_eq(read(fds[0], word, 4), 4);
	cr_expect_arr_eq(word, "\0\0\0\2", 4);
	close(fd);
	close(fds[0]);
	AParcel_delete(p);
}
