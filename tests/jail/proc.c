#include "jail/proc.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *path_of(pid_t pid, const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return path;
}

const char *proc_line(pid_t pid, const char *file, const char *key)
{
	static char line[512];
	FILE *f = fopen(path_of(pid, file), "r");
	const char *found = NULL;

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		found = line + strlen(key);
		found += strspn(found, " \t");
	}
	if (f)
		(void)fclose(f);
	return found;
}

const char *proc_link(pid_t pid, const char *name)
{
	static char target[PATH_MAX];
	ssize_t n = readlink(path_of(pid, name), target, sizeof(target) - 1);

	target[n < 0 ? 0 : n] = '\0';
	return target;
}

bool proc_other_namespace(pid_t pid, const char *name)
{
	char ours[PATH_MAX], link[64];

	(void)snprintf(link, sizeof(link), "ns/%s", name);
	(void)snprintf(ours, sizeof(ours), "%s", proc_link(getpid(), link));
	return strcmp(ours, proc_link(pid, link)) != 0 &&
	       proc_link(pid, link)[0] != '\0';
}

int proc_each(pid_t pid, const char *directory,
	      void (*each)(pid_t pid, const char *name))
{
	DIR *dir = opendir(path_of(pid, directory));
	const struct dirent *entry;
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		each(pid, entry->d_name);
		n++;
	}
	(void)closedir(dir);
	return n;
}

pid_t proc_child(pid_t pid)
{
	char file[64];
	const char *line;

	(void)snprintf(file, sizeof(file), "task/%d/children", pid);
	line = proc_line(pid, file, "");
	return line ? (pid_t)strtol(line, NULL, 10) : 0;
}
