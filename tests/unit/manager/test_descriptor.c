/* Descriptors: copies of a stopped VM, also from a peer that lies. */
#include "manager_dir.h"

#include <sys/socket.h>
#include <sys/wait.h>

TestSuite(manager_descriptor, .init = make_dir, .fini = remove_dir,
	  .timeout = 60);

static avf_descriptor *descriptor_of_vm(avf_vm *vm)
{
	avf_descriptor *descriptor = NULL;

	cr_assert_eq(avf_vm_to_descriptor(vm, &descriptor), 0, "%s",
		     avf_last_error()->text);
	return descriptor;
}

static void read_file(const char *name, char *buf, size_t size)
{
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0, "%s", name);
	cr_assert_eq(read(fd, buf, size), (ssize_t)size, "%s", name);
	close(fd);
}

static void expect_same_identity(const char *a, const char *b)
{
	char one[64], two[64];

	read_file(a, one, sizeof(one));
	read_file(b, two, sizeof(two));
	cr_expect_eq(memcmp(one, two, sizeof(one)), 0);
}

Test(manager_descriptor, an_import_is_a_copy)
{
	static const char text[] = "block of the guest";
	avf_descriptor *descriptor;
	char got[sizeof(text)];
	avf_vm *copy = NULL;
	struct stat st;
	avf_vm *vm;
	int fd;

	cr_assert_eq(avf_config_set_encrypted_storage_bytes(config, 8 << 20),
		     0);
	vm = create("one");
	fd = open(path_of("vm/one/storage.img"), O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, text, sizeof(text), 5 << 20),
		     (ssize_t)sizeof(text));
	close(fd);
	descriptor = descriptor_of_vm(vm);
	cr_assert_eq(avf_manager_import(manager, "two", descriptor, &copy), 0,
		     "%s", avf_last_error()->text);
	expect_same_identity("vm/one/instance_id", "vm/two/instance_id");
	expect_same_identity("vm/one/instance.img", "vm/two/instance.img");
	fd = open(path_of("vm/two/storage.img"), O_RDONLY | O_CLOEXEC);
	cr_assert_eq(pread(fd, got, sizeof(got), 5 << 20),
		     (ssize_t)sizeof(got));
	cr_expect_str_eq(got, text);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_size, 8 << 20);
	cr_expect_lt(st.st_blocks, 1024, "holes stay holes");
	close(fd);
	cr_assert_eq(avf_manager_delete(manager, "one"), 0);
	cr_expect_eq(avf_vm_get_status(copy), AVF_STATUS_STOPPED);
	avf_vm_free(copy);
	avf_vm_free(vm);
}

/* The other process: its own manager, the same directory. */
static int import_elsewhere(int sock)
{
	avf_descriptor *descriptor = NULL;
	avf_manager *mine = NULL;
	avf_vm *vm = NULL;

	if (avf_manager_new(dir, &mine) < 0)
		return 1;
	if (avf_descriptor_receive(sock, &descriptor) < 0)
		return 2;
	if (avf_manager_import(mine, "two", descriptor, &vm) < 0)
		return 3;
	avf_vm_free(vm);
	return 0;
}

static void send_to_another_process(int type)
{
	avf_descriptor *descriptor;
	avf_vm *vm = create("one");
	int pair[2];
	int status;
	pid_t pid;

	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0)
		_exit(import_elsewhere(pair[1]));
	descriptor = descriptor_of_vm(vm);
	cr_assert_eq(avf_descriptor_send(descriptor, pair[0]), 0);
	avf_descriptor_free(descriptor);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "exit code %d", WEXITSTATUS(status));
	expect_same_identity("vm/one/instance_id", "vm/two/instance_id");
	close(pair[0]);
	close(pair[1]);
	avf_vm_free(vm);
}

Test(manager_descriptor, over_a_stream_socket)
{
	send_to_another_process(SOCK_STREAM);
}

Test(manager_descriptor, over_a_packet_socket)
{
	send_to_another_process(SOCK_SEQPACKET);
}

/* Files that a peer may hand over in the place of the real ones. */
enum other {
	OTHER_EMPTY,
	OTHER_NOISE,
	OTHER_PIPE,
	OTHER_DIRECTORY,
	OTHER_NULL,
	OTHER_WRITE_ONLY,
	OTHER_PATH,
	OTHER_GIB,
	OTHER_NONE,
};

static int open_other(enum other other)
{
	int pair[2];
	int fd;

	switch (other) {
	case OTHER_PIPE:
		cr_assert_eq(pipe2(pair, O_CLOEXEC), 0);
		close(pair[1]);
		return pair[0];
	case OTHER_DIRECTORY:
		return open(dir, O_RDONLY | O_CLOEXEC);
	case OTHER_NULL:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case OTHER_WRITE_ONLY:
		return open(path_of("vm/one/instance.img"),
			    O_WRONLY | O_CLOEXEC);
	case OTHER_PATH:
		return open(path_of("vm/one/instance_id"), O_PATH | O_CLOEXEC);
	default:
		break;
	}
	fd = open(path_of("other"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
		  0600);
	cr_assert_geq(fd, 0);
	if (other == OTHER_NOISE)
		cr_assert_eq(pwrite(fd, "noise", 5, 0), 5);
	if (other == OTHER_NOISE || other == OTHER_GIB)
		cr_assert_eq(
			ftruncate(fd, other == OTHER_GIB ? 1 << 30 : 10485760),
			0);
	return fd;
}

static const struct {
	const char *what;
	enum avf_descriptor_file file;
	enum other other;
	int rc;
} rows[] = {
	{"an empty configuration", AVF_DESCRIPTOR_CONFIG, OTHER_EMPTY,
	 AVF_ERR_FORMAT},
	{"noise for configuration", AVF_DESCRIPTOR_CONFIG, OTHER_NOISE,
	 AVF_ERR_FORMAT},
	{"1 GiB of configuration", AVF_DESCRIPTOR_CONFIG, OTHER_GIB,
	 AVF_ERR_FORMAT},
	{"a pipe", AVF_DESCRIPTOR_CONFIG, OTHER_PIPE, AVF_ERR_FORMAT},
	{"a directory", AVF_DESCRIPTOR_CONFIG, OTHER_DIRECTORY, AVF_ERR_FORMAT},
	{"a device", AVF_DESCRIPTOR_CONFIG, OTHER_NULL, AVF_ERR_FORMAT},
	{"an instance id of other size", AVF_DESCRIPTOR_INSTANCE_ID,
	 OTHER_NOISE, AVF_ERR_FORMAT},
	{"an fd that cannot be read", AVF_DESCRIPTOR_INSTANCE_ID, OTHER_PATH,
	 AVF_ERR_FORMAT},
	{"an fd only for writing", AVF_DESCRIPTOR_INSTANCE_IMAGE,
	 OTHER_WRITE_ONLY, AVF_ERR_FORMAT},
	{"10 MiB of noise", AVF_DESCRIPTOR_INSTANCE_IMAGE, OTHER_NOISE,
	 AVF_ERR_FORMAT},
	{"an image of 1 GiB", AVF_DESCRIPTOR_INSTANCE_IMAGE, OTHER_GIB,
	 AVF_ERR_FORMAT},
	{"no storage", AVF_DESCRIPTOR_STORAGE, OTHER_NONE, AVF_ERR_FORMAT},
	{"an empty storage", AVF_DESCRIPTOR_STORAGE, OTHER_EMPTY,
	 AVF_ERR_FORMAT},
	{"a storage of other size", AVF_DESCRIPTOR_STORAGE, OTHER_NOISE,
	 AVF_ERR_FORMAT},
};

Test(manager_descriptor, wrong_files)
{
	avf_descriptor *descriptor;
	avf_descriptor *wrong;
	avf_vm *copy = NULL;
	unsigned int before;
	avf_vm *vm;

	cr_assert_eq(avf_config_set_encrypted_storage_bytes(config, 4096), 0);
	vm = create("one");
	before = count_fds();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = rows[i].other == OTHER_NONE
				 ? -1
				 : open_other(rows[i].other);
		int fds[4];

		descriptor = descriptor_of_vm(vm);
		for (int f = 0; f < 4; f++)
			fds[f] = avf_descriptor_get_fd(
				descriptor, (enum avf_descriptor_file)f);
		fds[rows[i].file] = fd;
		cr_assert_eq(avf_descriptor_new(fds[0], fds[1], fds[2], fds[3],
						&wrong),
			     0, "%s", rows[i].what);
		cr_expect_eq(avf_manager_import(manager, "two", wrong, &copy),
			     rows[i].rc, "%s: %s", rows[i].what,
			     avf_last_error()->text);
		avf_descriptor_free(descriptor);
		if (fd >= 0)
			close(fd);
		cr_expect_eq(count_fds(), before, "%s", rows[i].what);
		cr_expect_eq(count_entries(path_of("vm")), 1, "%s",
			     rows[i].what);
		cr_expect_eq(count_entries(path_of("vm-work")), 1, "%s",
			     rows[i].what);
	}
	cr_expect_null(copy);
	cr_expect_eq(avf_descriptor_new(-1, 0, 0, -1, &wrong), AVF_ERR_INVALID);
	cr_expect_eq(avf_descriptor_new(999, 0, 0, -1, &wrong),
		     AVF_ERR_INVALID);
	avf_vm_free(vm);
}

Test(manager_descriptor, it_is_taken_also_when_the_name_is)
{
	avf_vm *vm = create("one");
	unsigned int before = count_fds();
	avf_vm *copy = NULL;

	cr_expect_eq(
		avf_manager_import(manager, "one", descriptor_of_vm(vm), &copy),
		AVF_ERR_EXISTS);
	cr_expect_eq(
		avf_manager_import(manager, "..", descriptor_of_vm(vm), &copy),
		AVF_ERR_INVALID);
	cr_expect_eq(avf_manager_import(NULL, "x", descriptor_of_vm(vm), &copy),
		     AVF_ERR_INVALID);
	cr_expect_eq(count_fds(), before);
	cr_assert_eq(avf_manager_delete(manager, "one"), 0);
	expect_error(avf_vm_to_descriptor(vm, &(avf_descriptor *){NULL}),
		     AVF_ERR_STATE, "VM has been deleted");
	avf_vm_free(vm);
}

/* What a peer may send: 12 bytes { magic, version, files }, and fds. */
static const struct {
	const char *what;
	uint32_t words[4];
	size_t size;
	int n_fds;
} messages[] = {
	{"another protocol", {0x12345678, 1, 7}, 12, 3},
	{"another version", {0x44465641, 2, 7}, 12, 3},
	{"fewer fds than it says", {0x44465641, 1, 7}, 12, 2},
	{"more fds than it says", {0x44465641, 1, 7}, 12, 4},
	{"no fds", {0x44465641, 1, 7}, 12, 0},
	{"without an instance id", {0x44465641, 1, 5}, 12, 2},
	{"files that do not exist", {0x44465641, 1, 0xffffffff}, 12, 16},
	{"more fds than anything has", {0x44465641, 1, 7}, 12, 40},
	{"cut short", {0x44465641, 1}, 8, 3},
	{"too long", {0x44465641, 1, 7, 0}, 16, 3},
	{"one byte", {0}, 1, 0},
};

static void send_raw(int sock, const void *data, size_t size, int n_fds)
{
	char control[CMSG_SPACE(40 * sizeof(int))];
	struct iovec iov = {(void *)(uintptr_t)data, size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cmsg = (struct cmsghdr *)(void *)control;
	int *fds = (int *)(void *)CMSG_DATA(cmsg);

	memset(control, 0, sizeof(control));
	if (n_fds > 0) {
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN((size_t)n_fds * sizeof(int));
		for (int i = 0; i < n_fds; i++)
			fds[i] = 0;
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE((size_t)n_fds * sizeof(int));
	}
	cr_assert_eq(sendmsg(sock, &msg, 0), (ssize_t)size);
}

Test(manager_descriptor, messages_that_are_none)
{
	avf_descriptor *descriptor = NULL;
	unsigned int before;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX,
				SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
				0, pair),
		     0);
	before = count_fds();
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		send_raw(pair[0], messages[i].words, messages[i].size,
			 messages[i].n_fds);
		cr_expect_eq(avf_descriptor_receive(pair[1], &descriptor),
			     AVF_ERR_PROTOCOL, "%s: %s", messages[i].what,
			     avf_last_error()->text);
		cr_expect_eq(count_fds(), before, "%s", messages[i].what);
	}
	cr_expect_eq(avf_descriptor_receive(pair[1], &descriptor),
		     AVF_ERR_BUSY);
	close(pair[0]);
	cr_expect_eq(avf_descriptor_receive(pair[1], &descriptor),
		     AVF_ERR_CLOSED);
	cr_expect_eq(avf_descriptor_receive(dup(0), &descriptor), AVF_ERR_IO);
	cr_expect_null(descriptor);
	close(pair[1]);
}
