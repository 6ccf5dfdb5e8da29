/*
 * A VM's process does not answer for its own jail here: the kernel does, in
 * proc(5). Some of it, as where the links of ns/ lead, root alone may see.
 */
#include "vm_jail.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "console_dir.h"

#define VMM_NAME    "avf-vmm"
#define PROC_PATH   96
#define LINE_SIZE   512
#define NO_CAPS     "0000000000000000"
#define NOT_VISIBLE "only root may see that"

/* --- /proc ----------------------------------------------------------------
 */

/* The value of the line of /proc/PID/FILE that begins with @key. */
static bool read_value(pid_t pid, const char *file, const char *key,
		       char ret_value[LINE_SIZE])
{
	char path[PROC_PATH], line[LINE_SIZE];
	bool found = false;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		const char *value = line + strlen(key);

		found = strncmp(line, key, strlen(key)) == 0;
		if (!found)
			continue;
		line[strcspn(line, "\n")] = '\0';
		value += strspn(value, " \t");
		memmove(ret_value, value, strlen(value) + 1);
	}
	if (f)
		(void)fclose(f);
	return found;
}

static bool is_vmm(pid_t pid)
{
	char name[LINE_SIZE];

	return read_value(pid, "comm", "", name) && strcmp(name, VMM_NAME) == 0;
}

/* --- which process -----------------------------------------------------------
 */

/* Who listens on the console of the VM @name; 0: nobody. */
static pid_t find_owner(const char *name)
{
	CLI_CLEANUP(cli_close) int dir_fd = console_dir_open();
	CLI_CLEANUP(cli_close) int fd = -1;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (dir_fd < 0)
		return 0;
	fd = console_connect(dir_fd, name);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return 0;
	return peer.pid;
}

/* The VMM among the children of @owner's main thread; 0: none. */
static pid_t find_child(pid_t owner)
{
	char file[PROC_PATH], line[LINE_SIZE];
	const char *at = line;
	char *end;
	long pid;

	(void)snprintf(file, sizeof(file), "task/%d/children", owner);
	if (!read_value(owner, file, "", line))
		return 0;
	while ((pid = strtol(at, &end, 10)) > 0 && end != at) {
		if (is_vmm((pid_t)pid))
			return (pid_t)pid;
		at = end;
	}
	return 0;
}

int vm_jail_find(const char *name, pid_t *ret_pid)
{
	uint32_t number;
	pid_t owner;

	if (cli_parse_number(name, INT32_MAX, &number)) {
		*ret_pid = (pid_t)number;
		if (is_vmm(*ret_pid))
			return CLI_EXIT_OK;
		return cli_fail(CLI_EXIT_USAGE,
				"process %s runs no VM (its name is not %s)",
				name, VMM_NAME);
	}
	if (name[0] == '\0' || strchr(name, '/'))
		return cli_usage("info", "\"%s\" is no name of a VM", name);
	owner = find_owner(name);
	*ret_pid = owner > 0 ? find_child(owner) : 0;
	if (*ret_pid > 0)
		return CLI_EXIT_OK;
	return cli_fail(CLI_EXIT_USAGE,
			"no VM called %s runs here with a console; name its "
			"process by number, or see `avf info --jail`",
			name);
}

/* --- the rows ----------------------------------------------------------------
 */

struct look {
	pid_t pid;
	struct vm_jail_row *rows;
	size_t n;
};

static void add(struct look *look, const char *what, enum avf_probe_state state,
		const char *format, ...) CLI_PRINTF(4, 5);

static void add(struct look *look, const char *what, enum avf_probe_state state,
		const char *format, ...)
{
	struct vm_jail_row *row = &look->rows[look->n++];
	va_list ap;

	row->what = what;
	row->state = state;
	va_start(ap, format);
	(void)vsnprintf(row->reason, sizeof(row->reason), format, ap);
	va_end(ap);
}

/* Threads of the process, and how many of them lack something. */
struct count {
	unsigned int all, lacking;
};

/* A thread lacks something when its line @key has another value. */
static struct count count_threads(pid_t pid, const char *key, const char *value)
{
	struct count count = {0, 0};
	char path[PROC_PATH], line[LINE_SIZE];
	const struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "task/%.20s/status",
			       entry->d_name);
		count.all++;
		if (!read_value(pid, path, key, line) ||
		    strcmp(line, value) != 0)
			count.lacking++;
	}
	if (dir)
		(void)closedir(dir);
	return count;
}

static void add_threads(struct look *look, const char *what, const char *key,
			const char *value, const char *good)
{
	const struct count count = count_threads(look->pid, key, value);

	if (count.lacking == 0 && count.all > 0)
		add(look, what, AVF_PROBE_YES, "%s; %u threads", good,
		    count.all);
	else
		add(look, what, AVF_PROBE_NO, "not in %u of %u threads",
		    count.lacking, count.all);
}

static void add_capabilities(struct look *look)
{
	static const char *const sets[] = {
		"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};

	for (size_t i = 0; i + 1 < CLI_ARRAY_SIZE(sets); i++) {
		if (count_threads(look->pid, sets[i], NO_CAPS).lacking == 0)
			continue;
		add(look, "jail.capabilities", AVF_PROBE_NO,
		    "%.6s has some in a thread", sets[i]);
		return;
	}
	add_threads(look, "jail.capabilities", "CapAmb:", NO_CAPS,
		    "none, and none to be had");
}

/* A container's filter is on this command as well as on the VMM; the jail's
 * come on top of those. Kernels before 5.9 do not count them. */
static void add_filters(struct look *look)
{
	char ours[LINE_SIZE];
	struct count other;

	if (read_value(getpid(), "status", "Seccomp_filters:", ours)) {
		other = count_threads(look->pid, "Seccomp_filters:", ours);
		if (other.lacking < other.all) {
			add(look, "jail.filters", AVF_PROBE_NO,
			    "not in %u of %u threads",
			    other.all - other.lacking, other.all);
			return;
		}
	}
	add_threads(look, "jail.filters", "Seccomp:", "2",
		    "a list of system calls");
}

static void add_limits(struct look *look)
{
	char core[LINE_SIZE], files[LINE_SIZE];
	bool held;

	if (!read_value(look->pid, "limits", "Max core file size", core) ||
	    !read_value(look->pid, "limits", "Max open files", files)) {
		add(look, "jail.limits", AVF_PROBE_UNKNOWN, NOT_VISIBLE);
		return;
	}
	held = strtoul(core, NULL, 10) == 0 && core[0] == '0';
	add(look, "jail.limits", held ? AVF_PROBE_YES : AVF_PROBE_NO,
	    "core dump of %.*s bytes, %.*s open files", (int)strcspn(core, " "),
	    core, (int)strcspn(files, " "), files);
}

static void add_namespace(struct look *look, const char *what, const char *name)
{
	char path[PROC_PATH], theirs[PROC_PATH], ours[PROC_PATH];
	ssize_t n, m;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", look->pid, name);
	n = readlink(path, theirs, sizeof(theirs));
	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	m = readlink(path, ours, sizeof(ours));
	if (n < 0 || m < 0)
		add(look, what, AVF_PROBE_UNKNOWN, NOT_VISIBLE);
	else if (n == m && memcmp(ours, theirs, (size_t)n) == 0)
		add(look, what, AVF_PROBE_NO, "the same as this command's");
	else
		add(look, what, AVF_PROBE_YES, "not this command's");
}

/* Its number in each of its namespaces, from ours inwards: anybody sees it. */
static void add_pid_namespace(struct look *look)
{
	char numbers[LINE_SIZE];

	if (!read_value(look->pid, "status", "NSpid:", numbers))
		numbers[0] = '\0';
	if (strpbrk(numbers, " \t"))
		add(look, "jail.pid_namespace", AVF_PROBE_YES,
		    "not this command's");
	else
		add(look, "jail.pid_namespace", AVF_PROBE_NO,
		    "the same as this command's");
}

static void add_file_system(struct look *look)
{
	char path[PROC_PATH];
	const struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/root/", look->pid);
	dir = opendir(path);
	if (!dir) {
		add(look, "jail.file_system", AVF_PROBE_UNKNOWN, NOT_VISIBLE);
		return;
	}
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	if (n == 0)
		add(look, "jail.file_system", AVF_PROBE_YES, "an empty one");
	else
		add(look, "jail.file_system", AVF_PROBE_NO,
		    "its root directory has %u entries", n);
}

int vm_jail_look(pid_t pid, struct vm_jail_row ret_rows[VM_JAIL_ROWS])
{
	struct look look = {pid, ret_rows, 0};

	add_threads(&look, "jail.privileges", "NoNewPrivs:", "1", "none new");
	add_limits(&look);
	add_namespace(&look, "jail.user_namespace", "user");
	add_pid_namespace(&look);
	add_namespace(&look, "jail.network_namespace", "net");
	add_namespace(&look, "jail.ipc_namespace", "ipc");
	add_namespace(&look, "jail.uts_namespace", "uts");
	add_file_system(&look);
	add(&look, "jail.landlock", AVF_PROBE_UNKNOWN,
	    "the kernel does not show it from outside");
	add_capabilities(&look);
	add_filters(&look);
	if (is_vmm(pid))
		return CLI_EXIT_OK;
	return cli_fail(CLI_EXIT_HOST, "the VM has ended");
}
