#include <criterion/criterion.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "support/fake_session.h"
#include "support/parcel_bytes.h"

static struct fake_session fake;

static void set_up(void)
{
	fake_session_init(&fake);
}

static void tear_down(void)
{
	fake_session_fini(&fake);
	cr_expect_eq(fake.refs, 0);
}

TestSuite(fds, .init = set_up, .fini = tear_down);

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

Test(fds, descriptors)
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
	cr_expect_eq(p->n_positions, 2);
	cr_expect_eq(p->positions[0], 8);
	cr_expect_eq(p->positions[1], 28);
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

Test(fds, descriptors_that_are_refused)
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

Test(fds, a_descriptor_alone)
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

Test(fds, a_second_descriptor_is_told_that_it_was_handed_on)
{
	static const uint32_t at[] = {8, 16};
	struct parcel_frame frame;
	AParcel *p;
	unsigned char word[4];
	int fds[2], fd = -1;

	parcel_frame_from_hex(
		&frame, "01000000 01000000 02000000 00000000 02000000 01000000",
		at, 2, 2);
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
