/* Accesses to memory that a guest keeps to itself: pages without access stand
 * for it, so this needs no protected VM. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "gmem/guest_access.h"
#include "support/vm_harness.h"

#define PAGE 4096U

/* Two pages, the second without access. */
static unsigned char *map_pair(void)
{
	unsigned char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && mprotect(p + PAGE, PAGE, PROT_NONE) == 0);
	return p;
}

static void copies(void)
{
	static unsigned char from[300], to[300];
	size_t wrong = 0;

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (unsigned char)(i * 7 + 1);
	for (size_t size = 0; size < 200; size++) {
		for (size_t shift = 0; shift < 20; shift++) {
			memset(to, 0, sizeof(to));
			wrong += guest_copy(to + shift, from + 3, size) != 0;
			wrong += memcmp(to + shift, from + 3, size) != 0;
			wrong += to[shift + size] != 0;
		}
	}
	CHECK(wrong == 0);
}

/* Wherever in the copy the page begins, both ways. */
static void faults(void)
{
	static unsigned char buf[256];
	unsigned char *p = map_pair();
	size_t wrong = 0;

	for (size_t size = 1; size < 100; size++) {
		for (size_t inside = 1; inside <= size; inside++) {
			unsigned char *at = p + PAGE - size + inside;

			wrong += guest_copy(buf, at, size) != AVF_ERR_PROTOCOL;
			wrong += guest_copy(at, buf, size) != AVF_ERR_PROTOCOL;
			wrong += guest_copy(buf, p + PAGE - size, size) != 0;
		}
	}
	CHECK(wrong == 0);
	(void)munmap(p, 2 * PAGE);
}

static void indices(void)
{
	unsigned char *p = map_pair();
	uint16_t *good = (uint16_t *)(void *)(p + PAGE - 2);
	uint16_t *bad = (uint16_t *)(void *)(p + PAGE);
	uint16_t value = 0;

	CHECK(guest_store16(good, 0x1234) == 0);
	CHECK(guest_load16(good, &value) == 0 && value == 0x1234);
	CHECK(guest_store16(bad, 1) == AVF_ERR_PROTOCOL);
	CHECK(guest_load16(bad, &value) == AVF_ERR_PROTOCOL);
	CHECK(value == 0x1234);
	(void)munmap(p, 2 * PAGE);
}

/* Every other fault ends the process as it always did. */
static void other_faults(void)
{
	unsigned char *p = map_pair();
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		*(volatile unsigned char *)(p + PAGE) = 1;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	(void)munmap(p, 2 * PAGE);
}

static const struct vmt_test tests[] = {
	{"copies", copies},
	{"faults", faults},
	{"indices", indices},
	{"other_faults", other_faults},
};

int main(int argc, char **argv)
{
	if (guest_access_init() < 0)
		return 1;
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
