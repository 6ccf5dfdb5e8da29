/*
 * Copying assets into a package: files and directories, no links and no
 * devices, within limits on number and depth. Permissions become 0755 or 0644,
 * since owners mean nothing in the guest.
 */
#include "image/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/scratch.h"

#define COPY_CHUNK ((size_t)16 << 20)

struct copy {
	unsigned int n_entries;
	unsigned int depth;
};

static void close_dir_p(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* read-only: nothing to lose */
}

int tree_copy_file(const char *from, const char *to, uint32_t permissions)
{
	CLEANUP(close_p) int in = -1;
	CLEANUP(close_p) int out = -1;
	struct stat st;
	ssize_t n;

	in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (in < 0 || fstat(in, &st) < 0)
		return fail_errno("open %s", from);
	if (!S_ISREG(st.st_mode))
		return fail(AVF_ERR_INVALID, "%s is not a file", from);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
	if (out < 0 && errno == EEXIST)
		return fail(AVF_ERR_EXISTS,
			    "%s: another file of this name comes before it",
			    from);
	if (out < 0 || fchmod(out, permissions) < 0)
		return fail_errno("create %s", to);
	do {
		n = sendfile(out, in, NULL, COPY_CHUNK);
	} while (n > 0);
	if (n < 0)
		return fail_errno("copy %s", from);
	return 0;
}

static int copy_dir(struct copy *copy, const char *from, const char *to);

/* lstat: a link could lead out of the tree. */
static int copy_entry(struct copy *copy, const char *from, const char *to)
{
	struct stat st;

	if (++copy->n_entries > TREE_MAX_ENTRIES)
		return fail(AVF_ERR_LIMIT, "more than %u assets",
			    TREE_MAX_ENTRIES);
	if (lstat(from, &st) < 0)
		return fail_errno("%s", from);
	if (S_ISREG(st.st_mode))
		return tree_copy_file(from, to,
				      st.st_mode & S_IXUSR ? 0755 : 0644);
	if (S_ISDIR(st.st_mode))
		return copy_dir(copy, from, to);
	return fail(AVF_ERR_INVALID, "%s is neither a file nor a directory",
		    from);
}

static int copy_named(struct copy *copy, const char *from, const char *to,
		      const char *name)
{
	char source[PATH_MAX];
	char target[PATH_MAX];
	int rc;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	rc = path_join(source, from, name);
	if (rc < 0)
		return rc;
	rc = path_join(target, to, name);
	if (rc < 0)
		return rc;
	return copy_entry(copy, source, target);
}

static int copy_dir(struct copy *copy, const char *from, const char *to)
{
	CLEANUP(close_dir_p) DIR *dir = NULL;
	const struct dirent *entry;
	int rc;

	/* each level has two paths on the stack */
	if (copy->depth == TREE_MAX_DEPTH)
		return fail(AVF_ERR_LIMIT, "more than %u directories deep",
			    TREE_MAX_DEPTH);
	dir = opendir(from);
	if (!dir)
		return fail_errno("open %s", from);
	if (mkdir(to, 0755) < 0)
		return fail_errno("create %s", to);
	copy->depth++;
	while ((entry = readdir(dir)) != NULL) {
		rc = copy_named(copy, from, to, entry->d_name);
		if (rc < 0)
			return rc;
	}
	copy->depth--;
	return 0;
}

int tree_copy(const char *from, const char *to)
{
	struct copy copy = {0, 0};

	return copy_dir(&copy, from, to);
}
