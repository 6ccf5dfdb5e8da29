/*
 * PID 1 of the Linux guest of test_kernel.c: uses every kind of device, says
 * what came of it, keeps a secret, and powers off, or waits to be killed.
 *
 *	word=LETTERS	the secret is the next letter of each
 *	wait=1		wait
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#define COPIES 1024

static char cmdline[1024];

/* Up to @size bytes of @path as text. */
static const char *read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return buf;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    (strncmp(path, "/dev/vd", 7) == 0 && fsync(fd) < 0))
		printf("%s: failed\n", path);
	if (fd >= 0)
		(void)close(fd);
}

/* How often the word is in the table of interrupts. */
static int count_interrupts(const char *word)
{
	static char table[16384];
	size_t used = 0;
	int fd = open("/proc/interrupts", O_RDONLY | O_CLOEXEC);
	int n = 0;
	ssize_t got;

	while (fd >= 0 && used < sizeof(table) - 1) {
		got = read(fd, table + used, sizeof(table) - 1 - used);
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	for (const char *p = table; (p = strstr(p, word)); p++)
		n++;
	return n;
}

static void use_devices(void)
{
	char buf[64];
	int fd;

	printf("disk: %.12s\n", read_text("/dev/vda", buf, sizeof(buf)));
	write_text("/dev/vdb", "from the guest\n");
	fd = open("/dev/hwrng", O_RDONLY | O_CLOEXEC);
	printf("entropy: %zd\n", fd < 0 ? (ssize_t)-1 : read(fd, buf, 16));
	write_text("/dev/hvc0", "console: through the device\n");
	/* as the kernel found it at boot: nobody sets it here */
	printf("clock: %lld\n", (long long)time(NULL));
	printf("interrupts: %d\n", count_interrupts("virtio"));
}

/* Only in memory: what is in a register or on a wire is another test's. */
static char *keep_secret(void)
{
	const char *word = strstr(cmdline, "word=");
	char *secret = NULL;
	size_t n;

	word = word ? word + 5 : "none";
	n = strspn(word, "abcdefghijklmnopqrstuvwxyz");
	secret = malloc(n * COPIES + 1);
	if (!secret)
		return NULL;
	for (size_t i = 0; i < n * COPIES; i++)
		secret[i] = (char)(word[i % n] + 1);
	secret[n * COPIES] = '\0';
	return secret;
}

int main(void)
{
	char *secret;
	int tty;

	(void)mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	(void)mount("proc", "/proc", "proc", 0, NULL);
	tty = open("/dev/ttyS0", O_RDWR);
	for (int fd = 0; fd < 3 && tty >= 0; fd++)
		(void)dup2(tty, fd);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)read_text("/proc/cmdline", cmdline, sizeof(cmdline));
	use_devices();
	secret = keep_secret();
	puts(secret ? "secret: kept" : "secret: no memory");
	while (strstr(cmdline, "wait=1"))
		(void)pause();
	free(secret);
	(void)reboot(RB_POWER_OFF);
	return 1;
}
