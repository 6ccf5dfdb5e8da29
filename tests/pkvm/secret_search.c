#include "pkvm/secret_search.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "pkvm/secret_vm.h"

bool secret_by_load(pid_t pid, uintptr_t at, void *to)
{
	(void)pid;
	return secret_load((const void *)at, to, SECRET_PAGE);
}

bool secret_by_process_vm_readv(pid_t pid, uintptr_t at, void *to)
{
	const struct iovec local = {to, SECRET_PAGE};
	const struct iovec remote = {(void *)at, SECRET_PAGE};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == SECRET_PAGE;
}

bool secret_by_proc_mem(pid_t pid, uintptr_t at, void *to)
{
	char path[32];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = pread(fd, to, SECRET_PAGE, (off_t)at);
	fd_close(fd);
	return n == SECRET_PAGE;
}

bool secret_search(pid_t pid, secret_read_fn *read_page, uint64_t seed,
		   unsigned long *ret_read)
{
	static unsigned char copy[SECRET_PAGE];
	unsigned long begin, end, n_read = 0;
	char line[512], rights[8];
	bool found = false;
	FILE *maps;

	(void)snprintf(line, sizeof(line), "/proc/%d/maps", (int)pid);
	maps = fopen(line, "re");
	while (maps && !found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) != 3 ||
		    rights[0] != 'r' || strstr(line, "[vvar"))
			continue;
		for (; begin < end && !found; begin += SECRET_PAGE) {
			if (!read_page(pid, begin, copy))
				continue;
			n_read++;
			found = secret_is_in(copy, SECRET_PAGE, seed);
			/* this process may be the one that is searched */
			memset(copy, 0, sizeof(copy));
		}
	}
	if (maps)
		(void)fclose(maps);
	*ret_read = n_read;
	return found;
}
