#include "devices/virtio_blk.h"

#include <criterion/criterion.h>
#include <linux/virtio_blk.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/fd.h"
#include "support/cached_file.h"
#include "support/virtio_fixture.h"

#define SECTORS  32U
#define FLUSH    BIT64(VIRTIO_BLK_F_FLUSH)
#define NOT_DONE 0xee
#define RACE_NS  3000000000ULL
/* Linux's headers redefine ours. */
#define VIRTIO_F_INDIRECT BIT64(28)

static struct virtio_fixture f;
static int image = -1;
static off_t image_size;  /* 0: SECTORS */
static gpa_t status;      /* of the last request */
static uint32_t answered; /* bytes, status included */

static void attach(bool writable)
{
	struct virtio_dev *dev = NULL;
	struct disk *disk = NULL;

	virtio_fixture_init(&f);
	cr_assert_eq(disk_new(dup(image), writable, &f.loop, NULL, &disk), 0);
	cr_assert_eq(virtio_blk_new(&f.gm, disk, "serial", &dev), 0);
	virtio_fixture_attach(&f, dev);
	virtio_fixture_start(&f, FLUSH);
}

/* An image that only the worker reads: a memfd always wants to wait. */
static void start(bool writable)
{
	char sector[512];

	image = memfd_create("image", MFD_CLOEXEC);
	for (unsigned int i = 0; i < SECTORS; i++) {
		memset(sector, (int)i + 1, sizeof(sector));
		cr_assert_eq(write(image, sector, 512), 512);
	}
	if (image_size > 0)
		cr_assert_eq(ftruncate(image, image_size), 0);
	attach(writable);
}

/* One that is read at once, of @size bytes; ends the test where none is. */
static void start_cached(uint64_t size)
{
	image = cached_file(size);
	if (image < 0)
		cr_skip_test("no RWF_NOWAIT on the file system of the tests");
	attach(false);
}

static void stop(void)
{
	virtio_fixture_fini(&f);
	(void)close(image);
}

static gpa_t header(uint32_t type, uint64_t sector)
{
	const struct {
		le32 type, reserved;
		le64 sector;
	} h = {le32_make(type), le32_make(0), le64_make(sector)};

	return virtio_fixture_put(&f, &h, sizeof(h));
}

static struct fake_desc status_byte(void)
{
	const uint8_t byte = NOT_DONE;

	status = virtio_fixture_put(&f, &byte, 1);
	return (struct fake_desc){
		.addr = status, .len = 1, .flags = FAKE_WRITE};
}

static uint8_t status_now(void)
{
	return (uint8_t)*virtio_fixture_host(&f, status);
}

/* One request with @size bytes of data at @data; its status. */
static uint8_t request(uint32_t type, uint64_t sector, gpa_t data,
		       uint32_t size)
{
	const uint16_t flags = type == VIRTIO_BLK_T_OUT ? 0 : FAKE_WRITE;
	struct fake_desc bufs[3] = {{.addr = header(type, sector), .len = 16}};
	unsigned int n = 1;

	answered = 0;
	if (size > 0)
		bufs[n++] = (struct fake_desc){
			.addr = data, .len = size, .flags = flags};
	bufs[n++] = status_byte();
	(void)virtio_fixture_send(&f, 0, bufs, n);
	cr_assert(virtio_fixture_wait(&f, 0, &answered), "type %u", type);
	return status_now();
}

TestSuite(virtio_blk, .timeout = 20);

Test(virtio_blk, requests)
{
	static const struct {
		const char *what;
		uint32_t type;
		uint64_t sector;
		uint32_t size;
		bool read_only;
		uint8_t want;
	} rows[] = {
		{"reads the first sector", VIRTIO_BLK_T_IN, 0, 512, false,
		 VIRTIO_BLK_S_OK},
		{"reads the last sector", VIRTIO_BLK_T_IN, 31, 512, false,
		 VIRTIO_BLK_S_OK},
		{"reads the whole disk", VIRTIO_BLK_T_IN, 0, 32 * 512, true,
		 VIRTIO_BLK_S_OK},
		{"writes the last sector", VIRTIO_BLK_T_OUT, 31, 512, false,
		 VIRTIO_BLK_S_OK},
		{"flushes", VIRTIO_BLK_T_FLUSH, 0, 0, false, VIRTIO_BLK_S_OK},
		{"flushes a read-only disk", VIRTIO_BLK_T_FLUSH, 0, 0, true,
		 VIRTIO_BLK_S_OK},
		{"ignores data of a flush", VIRTIO_BLK_T_FLUSH, 99, 512, false,
		 VIRTIO_BLK_S_OK},
		{"reads just past the end", VIRTIO_BLK_T_IN, 32, 512, false,
		 VIRTIO_BLK_S_IOERR},
		{"reads across the end", VIRTIO_BLK_T_IN, 31, 1024, false,
		 VIRTIO_BLK_S_IOERR},
		{"writes across the end", VIRTIO_BLK_T_OUT, 31, 1024, false,
		 VIRTIO_BLK_S_IOERR},
		{"sector * 512 wraps to 0", VIRTIO_BLK_T_IN, 1ULL << 55, 512,
		 false, VIRTIO_BLK_S_IOERR},
		{"sector + count wraps", VIRTIO_BLK_T_OUT, UINT64_MAX, 1024,
		 false, VIRTIO_BLK_S_IOERR},
		{"no data to read", VIRTIO_BLK_T_IN, 0, 0, false,
		 VIRTIO_BLK_S_IOERR},
		{"no data to write", VIRTIO_BLK_T_OUT, 0, 0, false,
		 VIRTIO_BLK_S_IOERR},
		{"half a sector read", VIRTIO_BLK_T_IN, 0, 256, false,
		 VIRTIO_BLK_S_IOERR},
		{"a byte more than a sector written", VIRTIO_BLK_T_OUT, 0, 513,
		 false, VIRTIO_BLK_S_IOERR},
		{"writes to a read-only disk", VIRTIO_BLK_T_OUT, 0, 512, true,
		 VIRTIO_BLK_S_IOERR},
		{"SCSI command", 2, 0, 512, false, VIRTIO_BLK_S_UNSUPP},
		{"barrier bit", 0x80000001, 0, 512, false, VIRTIO_BLK_S_UNSUPP},
		{"discard was not offered", VIRTIO_BLK_T_DISCARD, 0, 16, false,
		 VIRTIO_BLK_S_UNSUPP},
		{"write zeroes was not offered", VIRTIO_BLK_T_WRITE_ZEROES, 0,
		 16, false, VIRTIO_BLK_S_UNSUPP},
		{"secure erase was not offered", VIRTIO_BLK_T_SECURE_ERASE, 0,
		 16, false, VIRTIO_BLK_S_UNSUPP},
		{"discard of nothing", VIRTIO_BLK_T_DISCARD, 0, 0, false,
		 VIRTIO_BLK_S_UNSUPP},
		{"discard of too much and half a range", VIRTIO_BLK_T_DISCARD,
		 UINT64_MAX, 4095, false, VIRTIO_BLK_S_UNSUPP},
		{"write zeroes of a read-only disk", VIRTIO_BLK_T_WRITE_ZEROES,
		 0, 16, true, VIRTIO_BLK_S_UNSUPP},
		{"secure erase of a read-only disk", VIRTIO_BLK_T_SECURE_ERASE,
		 0, 16, true, VIRTIO_BLK_S_UNSUPP},
		{"zone report was not offered", 16, 0, 512, false,
		 VIRTIO_BLK_S_UNSUPP},
		{"unknown type", 0xffffffff, 0, 0, false, VIRTIO_BLK_S_UNSUPP},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		start(!rows[i].read_only);
		cr_expect_eq(request(rows[i].type, rows[i].sector,
				     virtio_fixture_alloc(&f, rows[i].size),
				     rows[i].size),
			     rows[i].want, "%s", rows[i].what);
		cr_expect_eq(f.interrupts[0], 1, "%s", rows[i].what);
		cr_expect_not(f.dev->broken, "%s", rows[i].what);
		stop();
	}
}

Test(virtio_blk, data_arrives)
{
	char data[1024], file[1024];
	gpa_t gpa;

	start(true);
	gpa = virtio_fixture_alloc(&f, 1024);
	cr_expect_eq(request(VIRTIO_BLK_T_IN, 4, gpa, 1024), VIRTIO_BLK_S_OK);
	cr_expect_eq(*virtio_fixture_host(&f, gpa), 5);
	cr_expect_eq(*virtio_fixture_host(&f, gpa + 1023), 6);
	memset(data, 'x', sizeof(data));
	gpa = virtio_fixture_put(&f, data, sizeof(data));
	cr_expect_eq(request(VIRTIO_BLK_T_OUT, 7, gpa, 1024), VIRTIO_BLK_S_OK);
	cr_expect_eq(pread(image, file, 1024, 7 * 512), 1024);
	cr_expect_eq(memcmp(file, data, 1024), 0);
	cr_expect_eq(pread(image, file, 512, 6 * 512), 512);
	cr_expect_eq(file[511], 7, "the sector before is untouched");
	stop();
}

Test(virtio_blk, odd_chains)
{
	static const struct {
		const char *what;
		unsigned int n_header; /* parts of 16 / n bytes each */
		uint32_t header_size;
		bool status;
		bool broken;
		uint8_t want;
	} rows[] = {
		{"header in 16 parts", 16, 16, true, false, VIRTIO_BLK_S_OK},
		{"header in 2 parts", 2, 16, true, false, VIRTIO_BLK_S_OK},
		{"short header", 1, 15, true, false, VIRTIO_BLK_S_IOERR},
		{"one byte of header", 1, 1, true, false, VIRTIO_BLK_S_IOERR},
		{"no header", 0, 0, true, false, VIRTIO_BLK_S_IOERR},
		{"no status", 1, 16, false, true, 0},
		{"short header and no status", 1, 8, false, true, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_desc bufs[18];
		uint32_t written, each;
		unsigned int n = 0;
		bool done;

		start(true);
		for (; n < rows[i].n_header; n++) {
			each = rows[i].header_size / rows[i].n_header;
			bufs[n] = (struct fake_desc){
				.addr = header(VIRTIO_BLK_T_FLUSH, 0) +
					n * each,
				.len = each};
		}
		if (rows[i].status)
			bufs[n++] = status_byte();
		(void)virtio_fixture_send(&f, 0, bufs, n);
		done = virtio_fixture_wait(&f, 0, &written);
		cr_expect_eq(done, !rows[i].broken, "%s", rows[i].what);
		cr_expect_eq(f.dev->broken, rows[i].broken, "%s", rows[i].what);
		if (done)
			cr_expect_eq(status_now(), rows[i].want, "%s",
				     rows[i].what);
		stop();
	}
}

/* A request that leaves nothing to write its status to breaks the device,
 * also when there is data to read. */
Test(virtio_blk, a_status_that_cannot_be_written)
{
	struct fake_desc bufs[3] = {{0}};
	uint32_t written;

	for (uint32_t type = VIRTIO_BLK_T_IN; type <= VIRTIO_BLK_T_OUT;
	     type++) {
		start(true);
		bufs[0] =
			(struct fake_desc){.addr = header(type, 0), .len = 16};
		bufs[1] = (struct fake_desc){
			.addr = virtio_fixture_alloc(&f, 512), .len = 512};
		bufs[2] = (struct fake_desc){
			.addr = virtio_fixture_alloc(&f, 1), .len = 1};
		(void)virtio_fixture_send(&f, 0, bufs, 3);
		cr_expect_not(virtio_fixture_wait(&f, 0, &written));
		cr_expect(f.dev->broken, "type %u", type);
		stop();
	}
}

/* The data's own last byte is the status then: half a sector is left. */
Test(virtio_blk, a_status_inside_the_data)
{
	gpa_t gpa;
	uint32_t written = 0;

	start(true);
	gpa = virtio_fixture_alloc(&f, 512);
	(void)virtio_fixture_send(
		&f, 0,
		(struct fake_desc[]){
			{.addr = header(VIRTIO_BLK_T_IN, 0), .len = 16},
			{.addr = gpa, .len = 512, .flags = FAKE_WRITE}},
		2);
	cr_assert(virtio_fixture_wait(&f, 0, &written));
	cr_expect_eq(*virtio_fixture_host(&f, gpa + 511), VIRTIO_BLK_S_IOERR);
	cr_expect_eq(*virtio_fixture_host(&f, gpa), 0, "nothing was read");
	cr_expect_eq(written, 1);
	stop();
}

/*
 * A second CPU moves the sector of every request between one that is there
 * and one that lies behind the disk's end, where the file goes on: what is
 * behind the end is never read, so nobody looks at the header twice.
 */
static bool stop_racing;

static void *race_sector(void *at)
{
	const uint64_t inside = 1, outside = SECTORS + 4;

	while (!__atomic_load_n(&stop_racing, __ATOMIC_RELAXED)) {
		__atomic_store_n((uint64_t *)at, inside, __ATOMIC_RELAXED);
		__atomic_store_n((uint64_t *)at, outside, __ATOMIC_RELAXED);
	}
	return NULL;
}

Test(virtio_blk, a_header_that_changes)
{
	const uint64_t deadline = clock_now_ns() + RACE_NS;
	unsigned int changes = 0;
	struct fake_desc bufs[3];
	char secret[4096];
	uint8_t last = 0;
	uint32_t written;
	pthread_t thread;

	start(true);
	memset(secret, 0x77, sizeof(secret));
	cr_assert_eq(pwrite(image, secret, sizeof(secret), SECTORS * 512),
		     sizeof(secret));
	bufs[0] = (struct fake_desc){.addr = header(VIRTIO_BLK_T_IN, 1),
				     .len = 16};
	bufs[1] = (struct fake_desc){.addr = virtio_fixture_alloc(&f, 512),
				     .len = 512,
				     .flags = FAKE_WRITE};
	bufs[2] = status_byte();
	cr_assert_eq(pthread_create(&thread, NULL, race_sector,
				    virtio_fixture_host(&f, bufs[0].addr + 8)),
		     0);
	/* until the other CPU has really run beside us, if there is one free */
	while (changes < 1000 && clock_now_ns() < deadline) {
		(void)virtio_fixture_send(&f, 0, bufs, 3);
		cr_assert(virtio_fixture_wait(&f, 0, &written));
		changes += status_now() != last;
		last = status_now();
		cr_assert_neq(*virtio_fixture_host(&f, bufs[1].addr), 0x77,
			      "read behind the end, change %u", changes);
	}
	__atomic_store_n(&stop_racing, true, __ATOMIC_RELAXED);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_log_info("%u changes", changes);
	stop();
}

/* A guest that makes its raw disk look like a qcow2 image with a backing file
 * gets its own bytes back, now and after the next start: nobody probes. */
Test(virtio_blk, a_disk_that_looks_like_qcow2_stays_raw)
{
	static const char qcow2[512] = "QFI\xfb\0\0\0\3\0\0\0\0\0\0\0\x70"
				       "\0\0\0\x0b/etc/passwd";
	struct virtio_dev *again = NULL;
	struct disk *disk = NULL;
	gpa_t gpa;

	start(true);
	gpa = virtio_fixture_put(&f, qcow2, sizeof(qcow2));
	cr_expect_eq(request(VIRTIO_BLK_T_OUT, 0, gpa, 512), VIRTIO_BLK_S_OK);
	virtio_dev_free(f.dev);
	cr_assert_eq(disk_new(dup(image), true, &f.loop, NULL, &disk), 0);
	cr_expect_eq(disk_sectors(disk), SECTORS);
	cr_assert_eq(virtio_blk_new(&f.gm, disk, "serial", &again), 0);
	virtio_fixture_attach(&f, again);
	virtio_fixture_start(&f, FLUSH);
	gpa = virtio_fixture_alloc(&f, 512);
	cr_expect_eq(request(VIRTIO_BLK_T_IN, 0, gpa, 512), VIRTIO_BLK_S_OK);
	cr_expect_eq(memcmp(virtio_fixture_host(&f, gpa), qcow2, 512), 0);
	stop();
}

/* With a table as many parts as a chain can have: one more than we said. */
Test(virtio_blk, more_parts_than_the_driver_was_told)
{
	uint32_t written = 0;
	struct fake_desc d;
	gpa_t table, data;

	for (unsigned int parts = VIRTIO_BLK_SEG_MAX;
	     parts <= VIRTIO_BLK_SEG_MAX + 1; parts++) {
		start(true);
		virtio_dev_reset(f.dev);
		virtio_fixture_start(&f, FLUSH | VIRTIO_F_INDIRECT);
		table = virtio_fixture_alloc(&f, 16 * (parts + 1));
		data = virtio_fixture_alloc(&f, 32 * 512);
		d = (struct fake_desc){.addr = header(VIRTIO_BLK_T_IN, 0),
				       .len = 16,
				       .flags = FAKE_NEXT,
				       .next = 1};
		fake_driver_indirect(&f.queues[0], table, 0, d);
		for (uint16_t i = 1; i <= parts; i++) {
			d = (struct fake_desc){data + i, 1,
					       FAKE_WRITE | FAKE_NEXT,
					       (uint16_t)(i + 1)};
			/* a sector in all, and the status in the last part */
			if (i == parts) {
				d.flags = FAKE_WRITE;
				d.len = 512 - parts + 2;
			}
			fake_driver_indirect(&f.queues[0], table, i, d);
		}
		d = (struct fake_desc){.addr = table,
				       .len = 16 * (parts + 1),
				       .flags = FAKE_INDIRECT};
		(void)virtio_fixture_send(&f, 0, &d, 1);
		cr_assert(virtio_fixture_wait(&f, 0, &written), "%u parts",
			  parts);
		cr_expect_eq(written, parts > VIRTIO_BLK_SEG_MAX ? 1U : 513U,
			     "%u parts: %u", parts, written);
		stop();
	}
}

/* One head again and again, before any of them is answered. */
Test(virtio_blk, one_request_offered_as_often_as_the_ring_is_long)
{
	const uint32_t size = SECTORS * 512;
	struct fake_desc bufs[3];
	uint32_t written;
	uint16_t first;
	unsigned int n = 0;

	start(true);
	bufs[0] = (struct fake_desc){.addr = header(VIRTIO_BLK_T_IN, 0),
				     .len = 16};
	bufs[1] = (struct fake_desc){.addr = virtio_fixture_alloc(&f, size),
				     .len = size,
				     .flags = FAKE_WRITE};
	bufs[2] = status_byte();
	first = fake_driver_add(&f.queues[0], bufs, 3);
	for (unsigned int i = 1; i < FIXTURE_RING; i++)
		fake_driver_publish(&f.queues[0], first);
	virtio_dev_kick(f.dev, 0);
	while (n < FIXTURE_RING && virtio_fixture_wait(&f, 0, &written)) {
		cr_expect_eq(written, size + 1);
		n++;
	}
	cr_expect_eq(n, FIXTURE_RING, "%u answers", n);
	cr_expect_not(f.dev->broken);
	stop();
}

Test(virtio_blk, too_much_in_one_request)
{
	struct fake_desc bufs[20] = {{0}};
	uint32_t written;
	unsigned int n = 1;

	/* the same megabyte 17 times: above the limit, below the capacity */
	image_size = 1 << 30;
	start(true);
	bufs[0] = (struct fake_desc){.addr = header(VIRTIO_BLK_T_IN, 0),
				     .len = 16};
	for (; n < 18; n++)
		bufs[n] = (struct fake_desc){
			.addr = 4 << 20, .len = 1 << 20, .flags = FAKE_WRITE};
	bufs[n++] = status_byte();
	(void)virtio_fixture_send(&f, 0, bufs, n);
	cr_assert(virtio_fixture_wait(&f, 0, &written));
	cr_expect_eq(status_now(), VIRTIO_BLK_S_IOERR);
	cr_expect_eq(written, 1);
	stop();
}

Test(virtio_blk, get_id)
{
	static const struct {
		const char *what;
		uint32_t room;
		const char *want;
	} rows[] = {
		{"as the driver should", 20, "serial"},
		{"more room", 64, "serial"},
		{"little room", 3, "ser"},
		{"no room", 0, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		gpa_t gpa;

		start(false);
		gpa = virtio_fixture_alloc(&f, 64);
		cr_expect_eq(request(VIRTIO_BLK_T_GET_ID, 0, gpa, rows[i].room),
			     VIRTIO_BLK_S_OK, "%s", rows[i].what);
		cr_expect_str_eq(virtio_fixture_host(&f, gpa), rows[i].want,
				 "%s", rows[i].what);
		cr_expect_eq(answered, MIN(rows[i].room, 20U) + 1, "%s: %u",
			     rows[i].what, answered);
		stop();
	}
}

Test(virtio_blk, a_truncated_image_fails_the_request_only)
{
	gpa_t gpa;

	start(true);
	gpa = virtio_fixture_alloc(&f, 512);
	cr_assert_eq(ftruncate(image, 1024), 0);
	cr_expect_eq(request(VIRTIO_BLK_T_IN, 8, gpa, 512), VIRTIO_BLK_S_IOERR);
	cr_expect_eq(request(VIRTIO_BLK_T_IN, 1, gpa, 512), VIRTIO_BLK_S_OK);
	stop();
}

Test(virtio_blk, a_full_ring_is_worked_off)
{
	uint32_t written;
	gpa_t gpa;

	start(true);
	gpa = virtio_fixture_alloc(&f, 512);
	for (unsigned int i = 0; i < 1000; i++) {
		for (unsigned int k = 0; k < FIXTURE_RING / 3; k++) {
			const struct fake_desc bufs[] = {
				{.addr = header(VIRTIO_BLK_T_IN, 1), .len = 16},
				{.addr = gpa, .len = 512, .flags = FAKE_WRITE},
				status_byte(),
			};

			(void)fake_driver_add(&f.queues[0], bufs, 3);
		}
		virtio_dev_kick(f.dev, 0);
		for (unsigned int k = 0; k < FIXTURE_RING / 3; k++) {
			cr_assert(virtio_fixture_wait(&f, 0, &written));
			cr_assert_eq(written, 513);
		}
		f.next = gpa + 512;
	}
	stop();
}

Test(virtio_blk, reset_with_requests_in_flight)
{
	const uint32_t size = SECTORS * 512;
	gpa_t gpa;

	start(true);
	for (unsigned int round = 0; round < 50; round++) {
		gpa = virtio_fixture_alloc(&f, size);
		for (unsigned int i = 0; i < FIXTURE_RING / 3; i++) {
			const struct fake_desc bufs[] = {
				{.addr = header(VIRTIO_BLK_T_IN, 0), .len = 16},
				{.addr = gpa, .len = size, .flags = FAKE_WRITE},
				status_byte(),
			};

			(void)virtio_fixture_send(&f, 0, bufs, 3);
		}
		virtio_dev_reset(f.dev);
		memset(virtio_fixture_host(&f, 0), 0xcc, FIXTURE_MEMORY);
		virtio_fixture_settle(&f);
		for (uint32_t i = 0; i < FIXTURE_MEMORY; i += 256)
			cr_assert_eq((uint8_t)*virtio_fixture_host(&f, i), 0xcc,
				     "0x%x was written after reset", i);
		virtio_fixture_start(&f, FLUSH);
		gpa = virtio_fixture_alloc(&f, 512);
		cr_assert_eq(request(VIRTIO_BLK_T_IN, 2, gpa, 512),
			     VIRTIO_BLK_S_OK);
	}
	stop();
}

Test(virtio_blk, what_is_in_memory_needs_no_turn_of_the_loop)
{
	struct fake_desc bufs[3] = {{.len = 16}};
	uint32_t head, written;
	gpa_t gpa;

	start_cached(SECTORS * 512);
	gpa = virtio_fixture_alloc(&f, 1024);
	for (unsigned int i = 0; i < 3; i++) {
		bufs[0].addr = header(VIRTIO_BLK_T_IN, 4 + i);
		bufs[1] = (struct fake_desc){
			.addr = gpa, .len = 1024, .flags = FAKE_WRITE};
		bufs[2] = status_byte();
		(void)virtio_fixture_send(&f, 0, bufs, 3);
		cr_assert(fake_driver_used(&f.queues[0], &head, &written));
		cr_expect_eq(written, 1025);
		cr_expect_eq(status_now(), VIRTIO_BLK_S_OK);
		cr_expect_eq(*virtio_fixture_host(&f, gpa), (char)(5 + i));
		cr_expect_eq(*virtio_fixture_host(&f, gpa + 1023),
			     (char)(6 + i));
		cr_expect_eq(f.interrupts[0], i + 1);
	}
	/* requests that cannot be done are answered as ever */
	cr_expect_eq(request(VIRTIO_BLK_T_IN, SECTORS, gpa, 512),
		     VIRTIO_BLK_S_IOERR);
	cr_assert_eq(ftruncate(image, 1024), 0);
	cr_expect_eq(request(VIRTIO_BLK_T_IN, 1, gpa, 1024),
		     VIRTIO_BLK_S_IOERR);
	stop();
}

/* The loop has others to serve, too: above its share the worker reads. */
Test(virtio_blk, a_turn_of_the_loop_reads_so_much_only)
{
	const uint32_t size = 256U << 10;
	uint32_t head, written;
	unsigned int n = 0;
	gpa_t gpa;

	start_cached(size);
	gpa = virtio_fixture_alloc(&f, size);
	for (unsigned int i = 0; i < 8; i++) {
		const struct fake_desc bufs[] = {
			{.addr = header(VIRTIO_BLK_T_IN, 0), .len = 16},
			{.addr = gpa, .len = size, .flags = FAKE_WRITE},
			status_byte(),
		};

		(void)fake_driver_add(&f.queues[0], bufs, 3);
	}
	virtio_dev_kick(f.dev, 0);
	while (fake_driver_used(&f.queues[0], &head, &written))
		n++;
	cr_expect_eq(n, 2, "%u of 256 KiB", n);
	for (; n < 8; n++) {
		cr_assert(virtio_fixture_wait(&f, 0, &written));
		cr_expect_eq(written, size + 1);
	}
	stop();
}

Test(virtio_blk, what_the_driver_is_told)
{
	uint8_t config[24];

	start(false);
	f.dev->ops->config_read(f.dev, 0, config, sizeof(config));
	cr_expect_eq(config[0], SECTORS);
	cr_expect_eq(config[10], 1, "parts of 64 KiB");
	cr_expect_eq(config[12], 254);
	cr_expect_eq(config[21], 2, "blocks of 512 bytes");
	f.dev->ops->config_read(f.dev, 21, config, 1);
	cr_expect_eq(config[0], 2, "from its middle");
	cr_expect(f.dev->features_offered & BIT64(VIRTIO_BLK_F_RO));
	stop();
	start(true);
	cr_expect_not(f.dev->features_offered & BIT64(VIRTIO_BLK_F_RO));
	stop();
}
