#include "probe/probe_cache.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <avf/avf.h>

#include "base/checked.h"
#include "base/cleanup.h"

/* A file: the key, an empty line, rows. All that it may hold, in bytes. */
#define MAX_FILE 8192U
#define SUBDIR   "libvirtualization"

/* --- keys --------------------------------------------------------------- */

static void PRINTF_LIKE(2, 3)
	add(struct probe_key *key, const char *format, ...)
{
	const size_t room = sizeof(key->text) - key->used;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(key->text + key->used, room, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		key->bad = true;
	else
		key->used += (size_t)n;
}

static void add_boot(struct probe_key *key, const struct probe_env *env)
{
	CLEANUP(close_p) int fd = -1;
	char path[PATH_MAX], id[40];
	ssize_t n = -1;

	(void)snprintf(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id",
		       env->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = fd_read_all(fd, id, sizeof(id) - 1);
	if (n <= 0) {
		key->bad = true;
		return;
	}
	id[n] = '\0';
	id[strcspn(id, "\n")] = '\0';
	add(key, "boot %s\n", id);
}

void probe_key_init(struct probe_key *key, const struct probe_env *env)
{
	struct utsname name;

	memset(key, 0, sizeof(*key));
	add(key, "libvirtualization %d.%d.%d\n", AVF_VERSION_MAJOR,
	    AVF_VERSION_MINOR, AVF_VERSION_PATCH);
	add_boot(key, env);
	if (uname(&name) < 0)
		key->bad = true;
	else
		add(key, "kernel %s %s\n", name.release, name.machine);
	add(key, "user %u\n", geteuid());
}

void probe_key_add_file(struct probe_key *key, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		key->bad = true;
		return;
	}
	/* the time of the last change of its status covers its content, too */
	add(key, "file %jx %jx %jx %jo %ju %ju %jd %jd.%ld\n",
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, (uintmax_t)st.st_rdev,
	    (uintmax_t)st.st_mode, (uintmax_t)st.st_uid, (uintmax_t)st.st_gid,
	    (intmax_t)st.st_size, (intmax_t)st.st_ctim.tv_sec,
	    st.st_ctim.tv_nsec);
}

/* --- the directory -------------------------------------------------------- */

/* Ours, of the right type, and nobody else writes to it. */
static bool is_own(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type &&
	       st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

static int open_dir(const char *path)
{
	CLEANUP(close_p)
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && is_own(fd, S_IFDIR) ? take_fd(&fd) : -1;
}

/* Whether @base/@middle SUBDIR can be used; it is in @buf then. */
static bool try_dir(char *buf, size_t size, const char *base,
		    const char *middle)
{
	int n, fd;

	/* a relative one is to be ignored (XDG base directories) */
	if (!base || base[0] != '/')
		return false;
	n = snprintf(buf, size, "%s/%s" SUBDIR, base, middle);
	if (n < 0 || (size_t)n >= size)
		return false;
	(void)mkdir(buf, 0700);
	fd = open_dir(buf);
	fd_close(fd);
	return fd >= 0;
}

void probe_cache_find_dir(char *buf, size_t size)
{
	if (!try_dir(buf, size, secure_getenv("XDG_RUNTIME_DIR"), "") &&
	    !try_dir(buf, size, secure_getenv("XDG_CACHE_HOME"), "") &&
	    !try_dir(buf, size, secure_getenv("HOME"), ".cache/"))
		buf[0] = '\0';
}

/* The directory, or -1 where nothing is to be remembered. */
static int open_cache(const struct probe_env *env, const struct probe_key *key)
{
	if (!env->cache_dir || env->cache_dir[0] == '\0' || key->bad)
		return -1;
	return open_dir(env->cache_dir);
}

/* --- load and store ---------------------------------------------------------
 */

/* A file of somebody else's is none. */
static ssize_t read_file(int dir, const char *name, char *buf, size_t size)
{
	CLEANUP(close_p)
	int fd = openat(dir, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || !is_own(fd, S_IFREG))
		return -1;
	return fd_read_all(fd, buf, size);
}

static bool has_all(const struct avf_probe *probe, const char *const *wanted)
{
	const struct probe_row *row;

	for (size_t i = 0; wanted[i]; i++) {
		row = probe_find(probe, wanted[i]);
		if (!row || row->state > AVF_PROBE_LIMITED)
			return false;
	}
	return true;
}

bool probe_cache_load(const struct probe_env *env, const char *name,
		      const struct probe_key *key, struct avf_probe *probe,
		      const char *const *wanted)
{
	CLEANUP(close_p) int dir = open_cache(env, key);
	const size_t n_before = probe->n_rows;
	char text[MAX_FILE];
	size_t rows = key->used + 1;
	ssize_t n;

	if (dir < 0 || env->fresh)
		return false;
	n = read_file(dir, name, text, sizeof(text));
	if (n < 0 || (size_t)n < rows ||
	    memcmp(text, key->text, key->used) != 0 || text[key->used] != '\n')
		return false;
	probe_parse_rows(probe, text + rows, (size_t)n - rows, wanted);
	if (has_all(probe, wanted))
		return true;
	probe->n_rows = n_before;
	return false;
}

static size_t format_rows(const struct avf_probe *probe,
			  const char *const *wanted, char *buf, size_t size)
{
	const struct probe_row *row;
	size_t used = 0;
	int n;

	for (size_t i = 0; wanted[i]; i++) {
		row = probe_find(probe, wanted[i]);
		n = snprintf(buf + used, size - used, "%s\t%s\t%s\t%s\n",
			     row->what, avf_probe_state_name(row->state),
			     row->reason, row->hint);
		if (n < 0 || (size_t)n >= size - used)
			return 0;
		used += (size_t)n;
	}
	return used;
}

/* Whole or not at all: whoever reads sees the old file or the new one. */
static void replace_file(int dir, const char *name, const char *text,
			 size_t size)
{
	CLEANUP(close_p) int fd = -1;
	char temporary[64];

	(void)snprintf(temporary, sizeof(temporary), "%.32s.%d", name,
		       gettid());
	/* of a thread with this number that did not come to an end */
	(void)unlinkat(dir, temporary, 0);
	fd = openat(dir, temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (fd_write_all(fd, text, size) < 0 ||
	    renameat(dir, temporary, dir, name) < 0)
		(void)unlinkat(dir, temporary, 0);
}

void probe_cache_store(const struct probe_env *env, const char *name,
		       const struct probe_key *key,
		       const struct avf_probe *probe, const char *const *wanted)
{
	CLEANUP(close_p) int dir = open_cache(env, key);
	char text[MAX_FILE];
	size_t n;

	if (dir < 0 || !has_all(probe, wanted))
		return;
	memcpy(text, key->text, key->used);
	text[key->used] = '\n';
	n = format_rows(probe, wanted, text + key->used + 1,
			sizeof(text) - key->used - 1);
	if (n > 0)
		replace_file(dir, name, text, key->used + 1 + n);
}
