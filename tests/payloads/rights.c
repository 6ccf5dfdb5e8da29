/* Prints what it is allowed to do, one fact a line. */
#include <avf/vm_payload.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

/* Uid, Gid, Groups, NoNewPrivs and the capability sets. */
static void print_status(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Uid", 3) == 0 ||
		    strncmp(line, "Gid", 3) == 0 ||
		    strncmp(line, "Groups", 6) == 0 ||
		    strncmp(line, "Cap", 3) == 0 ||
		    strncmp(line, "NoNewPrivs", 10) == 0)
			printf("%s", line);
	}
	if (file)
		(void)fclose(file);
}

static void print_fds(void)
{
	char path[64];
	char target[256];
	ssize_t n;

	for (int fd = 0; fd < 64; fd++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		printf("fd %d: %s\n", fd, target);
	}
}

int AVmPayload_main(void)
{
	char cwd[256];

	print_status();
	print_fds();
	printf("page size: %ld\n", sysconf(_SC_PAGESIZE));
	printf("cwd: %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "?");
	printf("mount: %s\n", mount("x", "/tmp", "tmpfs", 0, NULL) < 0
				      ? "refused"
				      : "allowed");
	printf("reboot: %s\n",
	       reboot(RB_DISABLE_CAD) < 0 ? "refused" : "allowed");
	printf("disk: %s\n",
	       open("/dev/vda", O_RDONLY) < 0 ? "refused" : "allowed");
	printf("kill init: %s\n",
	       access("/proc/1/environ", F_OK) < 0 ? "hidden" : "visible");
	printf("root: %s\n", mkdir("/x", 0755) < 0 ? "refused" : "allowed");
	printf("tmp: %s\n", mkdir("/tmp/x", 0755) < 0 ? "refused" : "allowed");
	fflush(stdout);
	return 0;
}
