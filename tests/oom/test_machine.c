/* What the VMM builds while memory runs out: a machine with every device and
 * a kernel in it, over a hypervisor that only remembers; QEMU's command line
 * and its monitor; kernels that have to be unpacked. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "machine/machine.h"
#include "qemu/qemu_args.h"
#include "qemu/qmp.h"
#include "support/fake_hv.h"
#include "support/oom.h"
#include "unpack/unpack.h"

/* --- a machine -------------------------------------------------------- */

static int memory_file(size_t size)
{
	int fd = memfd_create("oom", MFD_CLOEXEC);

	OOM_MUST(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	return fd;
}

static void fill_config(struct vm_config *config)
{
	vm_config_init(config);
	config->memory_mib = 16;
	config->vcpus = 2;
	config->kernel_fd = open(KERNEL, O_RDONLY | O_CLOEXEC);
	OOM_MUST(config->kernel_fd >= 0);
	config->initrd_fd = memory_file(4096);
	config->package_fd = memory_file(4096);
	for (unsigned int i = 0; i < 2; i++)
		config->disks[config->n_disks++].fd = memory_file(8192);
	config->console_out_fd = memory_file(0);
	config->log_fd = memory_file(0);
}

static int nothing(void *userdata)
{
	(void)userdata;
	return 0;
}

static void stopped(void *userdata, int reason, const char *text)
{
	(void)userdata;
	(void)reason;
	(void)text;
}

static void failure(void *userdata, const void *data, size_t size)
{
	(void)userdata;
	(void)data;
	(void)size;
}

/* The disks' workers are threads, which the C library makes with memory. */
static int machine(void)
{
	static struct fake_hv hv;
	CLEANUP(vm_config_fini) struct vm_config config;
	struct machine *m = NULL;
	struct loop loop;
	int rc;

	oom_pause();
	fake_hv_init(&hv);
	fill_config(&config);
	OOM_MUST(loop_init(&loop) == 0);
	oom_resume();
	rc = machine_new(
		&(struct machine_params){
			.config = &config,
			.cmdline = "one two",
			.guest_cid = 3,
			.hv = &hv.hv,
			.loop = &loop,
			.started = nothing,
			.stopped = stopped,
			.failure = failure,
		},
		&m);
	if (rc == 0)
		machine_free(m);
	loop_fini(&loop);
	OOM_EXPECT(hv.n_ioeventfds == 0 && fake_hv_n_routes(&hv) == 0);
	OOM_EXPECT(!loop.lock);
	return rc;
}

/* --- QEMU ------------------------------------------------------------- */

static int qemu_arguments(void)
{
	const struct qemu_fds fds = {
		.kernel = 10,
		.initrd = 11,
		.qmp = 12,
		.serial = 13,
		.console = 14,
		.log = 15,
		.failure = 16,
		.vsock = 17,
		.disks = {18, 19},
		.disk_dup = {true, false},
	};
	CLEANUP(vm_config_fini) struct vm_config config;
	struct qemu_args args;
	int rc;

	oom_pause();
	vm_config_init(&config);
	config.n_disks = 2;
	config.name = strdup("a name, with a comma");
	config.disks[1].id = strdup("serial number");
	oom_resume();
	rc = qemu_args_make("/qemu", &config, &fds, "one two", &args);
	if (rc == 0)
		qemu_args_fini(&args);
	return rc;
}

static int qmp_rc;

static void qmp_ready(void *userdata)
{
	*(bool *)userdata = true;
}

static void qmp_shutdown(void *userdata, enum qmp_shutdown cause)
{
	(void)userdata;
	(void)cause;
}

static void qmp_failed(void *userdata, int rc)
{
	(void)userdata;
	qmp_rc = rc;
}

/* A line that cannot be read for want of memory is the monitor's failure,
 * which ends the VM. */
static int qemu_monitor(void)
{
	static const struct qmp_ops ops = {qmp_ready, qmp_shutdown, qmp_failed};
	static const char words[] =
		"{\"QMP\": {\"version\": {\"package\": \"Debian 1:7.2+dfsg\"}, "
		"\"capabilities\": [\"oob\"]}}\r\n{\"return\": {}}\r\n";
	struct qmp *qmp = NULL;
	bool ready = false;
	struct loop loop;
	int pair[2];
	int rc;

	oom_pause();
	OOM_MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	OOM_MUST(loop_init(&loop) == 0);
	oom_resume();
	qmp_rc = 0;
	rc = qmp_new(pair[0], &loop, &ops, &ready, &qmp);
	if (rc == 0) {
		OOM_MUST(write(pair[1], words, sizeof(words) - 1) > 0);
		for (int i = 0; i < 10 && qmp_rc == 0; i++)
			OOM_MUST(loop_run_once(&loop, 0) == 0);
		rc = qmp_rc;
		OOM_EXPECT(ready == (rc == 0));
		qmp_free(qmp);
	}
	(void)close(pair[1]);
	loop_fini(&loop);
	return rc;
}

/* --- kernels that are packed ------------------------------------------ */

static const char plain[100000];
static unsigned char gzip[4096], xz[4096], zstd[4096];
static size_t gzip_size, xz_size, zstd_size;

static void pack_all(void)
{
	z_stream z = {0};

	OOM_MUST(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8,
			      Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (Bytef *)(uintptr_t)plain;
	z.avail_in = sizeof(plain);
	z.next_out = gzip;
	z.avail_out = sizeof(gzip);
	OOM_MUST(deflate(&z, Z_FINISH) == Z_STREAM_END);
	gzip_size = z.total_out;
	(void)deflateEnd(&z);
	OOM_MUST(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL,
					 (const uint8_t *)plain, sizeof(plain),
					 xz, &xz_size, sizeof(xz)) == LZMA_OK);
	zstd_size = ZSTD_compress(zstd, sizeof(zstd), plain, sizeof(plain), 3);
	OOM_MUST(!ZSTD_isError(zstd_size));
}

static int unpack_one(const void *data, size_t size)
{
	struct unpack_buffer buffer;
	int rc = unpack(data, size, 1 << 20, &buffer);

	if (rc < 0)
		return rc;
	OOM_EXPECT(buffer.size == sizeof(plain));
	unpack_buffer_fini(&buffer);
	return 0;
}

static int kernel_gzip(void)
{
	return unpack_one(gzip, gzip_size);
}

static int kernel_xz(void)
{
	return unpack_one(xz, xz_size);
}

static int kernel_zstd(void)
{
	return unpack_one(zstd, zstd_size);
}

static const struct oom_scenario scenarios[] = {
	{"machine", machine, false},
	{"qemu_arguments", qemu_arguments, false},
	{"qemu_monitor", qemu_monitor, false},
	{"kernel_gzip", kernel_gzip, false},
	{"kernel_xz", kernel_xz, false},
	{"kernel_zstd", kernel_zstd, false},
};

int main(int argc, char **argv)
{
	pack_all();
	return oom_main(argc, argv, scenarios, ARRAY_SIZE(scenarios));
}
