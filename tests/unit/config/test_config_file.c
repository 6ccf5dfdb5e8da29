/* Files of a configuration, by path and by fd. */
#include "config_dir.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/fd.h"
#include "config/config.h"

static avf_config *raw;
static avf_config *payload;

static void setup(void)
{
	make_dir();
	make_file("file", "x", 4096);
	make_file("disk", NULL, 4096);
	mkdirat(dir_fd, "folder", 0700);
	mkfifoat(dir_fd, "fifo", 0600);
	cr_assert_eq(symlinkat("loop", dir_fd, "loop"), 0);
	cr_assert_eq(avf_config_new(AVF_CONFIG_RAW, &raw), 0);
	cr_assert_eq(avf_config_new(AVF_CONFIG_PAYLOAD, &payload), 0);
}

static void teardown(void)
{
	avf_config_free(raw);
	avf_config_free(payload);
	remove_dir();
}

TestSuite(config_file, .init = setup, .fini = teardown, .timeout = 30);

Test(config_file, what_a_path_may_name)
{
	static const struct {
		const char *what;
		const char *name;
		bool writable;
		int rc;
	} rows[] = {
		{"a file", "file", false, 0},
		{"a file, to write", "file", true, 0},
		{"nothing there", "none", false, AVF_ERR_NOT_FOUND},
		{"a directory", "folder", false, AVF_ERR_INVALID},
		{"a directory, to write", "folder", true, AVF_ERR_INVALID},
		{"a pipe that nobody writes", "fifo", false, AVF_ERR_INVALID},
		{"a pipe, to write", "fifo", true, AVF_ERR_INVALID},
		{"a socket", "socket", false, AVF_ERR_INVALID},
		{"below a file", "file/x", false, AVF_ERR_IO},
		{"a link to itself", "loop", false, AVF_ERR_IO},
		{"a device", "/dev/null", true, AVF_ERR_INVALID},
		{"a terminal's multiplexer", "/dev/ptmx", true,
		 AVF_ERR_INVALID},
	};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket",
		       dir);
	cr_assert_eq(bind(socket_fd, (const struct sockaddr *)&address,
			  sizeof(address)),
		     0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = -1;
		int rc = config_open(dir_fd, rows[i].name, rows[i].writable,
				     "field", &fd);

		cr_expect_eq(rc, rows[i].rc, "%s: %s", rows[i].what,
			     error_record()->text);
		cr_expect_eq(fd >= 0, rc == 0, "%s", rows[i].what);
		if (rc < 0)
			cr_expect_eq(
				strncmp(error_record()->text, "field: ", 7), 0,
				"%s", rows[i].what);
		if (fd >= 0)
			cr_expect_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
		fd_close(fd);
	}
	close(socket_fd);
}

Test(config_file, fds_are_duplicated_and_checked)
{
	int fd = open(path_of("file"), O_RDONLY);
	int write_only = open(path_of("file"), O_WRONLY);
	int path_only = open(path_of("file"), O_PATH);
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_expect_eq(avf_config_set_kernel_fd(raw, fd), 0);
	cr_expect_neq(config_vm(raw)->kernel_fd, fd);
	cr_expect_eq(avf_config_set_kernel_fd(raw, -1), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_kernel_fd(raw, 9999), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_kernel_fd(raw, ends[0]), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_kernel_fd(raw, dir_fd), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_kernel_fd(raw, write_only),
		     AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_kernel_fd(raw, path_only), AVF_ERR_INVALID);
	cr_expect_eq(avf_config_set_kernel_fd(payload, fd), AVF_ERR_STATE);
	cr_expect_geq(config_vm(raw)->kernel_fd, 0, "the first one stays");
	cr_expect_geq(fcntl(fd, F_GETFD), 0, "the caller keeps its own");
	cr_expect_eq(avf_config_set_console_output(raw, fd), AVF_ERR_INVALID,
		     "cannot be written");
	cr_expect_eq(avf_config_set_console_input(raw, write_only),
		     AVF_ERR_INVALID, "cannot be read");
	cr_expect_eq(avf_config_set_console_output(raw, ends[1]), 0);
	cr_expect_eq(avf_config_set_console_output(raw, -1), 0);
	cr_expect_eq(config_vm(raw)->console_out_fd, -1);
	cr_expect_eq(avf_config_set_log_output(raw, 9999), AVF_ERR_IO);
}

Test(config_file, disks_have_options_and_a_limit)
{
	struct {
		struct avf_disk_options options;
		char more[8];
	} newer = {.options = AVF_DISK_OPTIONS_INIT};
	int fd = open(path_of("disk"), O_RDONLY);

	newer.options.size = sizeof(newer);
	newer.options.id = "root";
	cr_expect_eq(avf_config_add_disk_fd(raw, fd, &newer.options), 0);
	cr_expect_str_eq(config_vm(raw)->disks[0].id, "root");
	newer.more[7] = 1;
	cr_expect_eq(avf_config_add_disk_fd(raw, fd, &newer.options),
		     AVF_ERR_UNSUPPORTED);
	newer.options.size = 0;
	cr_expect_eq(avf_config_add_disk_fd(raw, fd, &newer.options),
		     AVF_ERR_INVALID);
	newer.options.size = SIZE_MAX;
	cr_expect_eq(avf_config_add_disk_fd(raw, fd, &newer.options),
		     AVF_ERR_INVALID);
	newer.options.size = sizeof(newer.options);
	newer.options.id = "";
	cr_expect_eq(avf_config_add_disk_fd(raw, fd, &newer.options),
		     AVF_ERR_INVALID);
	newer.options.id = NULL;
	newer.options.writable = true;
	cr_expect_eq(avf_config_add_disk_fd(raw, fd, &newer.options),
		     AVF_ERR_INVALID, "the fd cannot be written");
	cr_expect_eq(config_vm(raw)->n_disks, 1);
	for (unsigned int i = 1; i < AVF_MAX_DISKS; i++)
		cr_assert_eq(avf_config_add_disk_fd(raw, fd, NULL), 0);
	cr_expect_eq(avf_config_add_disk_fd(raw, fd, NULL), AVF_ERR_LIMIT);
	cr_expect_eq(avf_config_add_disk(raw, path_of("disk"), NULL),
		     AVF_ERR_LIMIT);
}

Test(config_file, a_package_is_erofs)
{
	le32 magic = le32_make(0xe0f5e1e2);
	int fd = open(path_of("disk"), O_RDWR);

	cr_expect_eq(avf_config_set_package(payload, path_of("disk")),
		     AVF_ERR_FORMAT);
	cr_assert_eq(pwrite(fd, &magic, sizeof(magic), 1024), 4);
	cr_expect_eq(avf_config_set_package(payload, path_of("disk")), 0);
	cr_expect_eq(avf_config_set_package_fd(raw, fd), AVF_ERR_STATE);
	cr_assert_eq(ftruncate(fd, 1027), 0);
	cr_expect_eq(avf_config_set_package_fd(payload, fd), AVF_ERR_FORMAT);
}
