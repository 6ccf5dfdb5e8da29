/* Uses the disks of its VM, after the package: the first may be written to, the
 * second not. Prints one fact a line. */
#include <avf/vm_payload.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void use(const char *path)
{
	static const char text[] = "from the payload";
	char first = '?';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &first, 1) != 1)
		printf("%s: read: %s\n", path, strerror(errno));
	else
		printf("%s: read: %c\n", path, first);
	(void)close(fd);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 ||
	    write(fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1 ||
	    fsync(fd) < 0)
		printf("%s: write: %s\n", path, strerror(errno));
	else
		printf("%s: write: done\n", path);
	(void)close(fd);
}

/* Which disk is which it may ask by the id that the configuration gave it. */
static void print_id(const char *path)
{
	char id[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, id, sizeof(id) - 1);

	printf("%s: %.*s\n", path, n < 0 ? 0 : (int)n, id);
	(void)close(fd);
}

int AVmPayload_main(void)
{
	use("/dev/vda");
	use("/dev/vdb");
	use("/dev/vdc");
	print_id("/sys/block/vdb/serial");
	(void)fflush(stdout);
	return 0;
}
