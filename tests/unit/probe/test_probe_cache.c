/* What is remembered, and every way in which it must not be believed. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/fd.h"
#include "probe/probe_cache.h"

#define NOBODY 65534

static const char *const wanted[] = {"kvm.vm", "kvm.vcpu", NULL};

static char root[64]; /* of a host that is made up */
static char dir[80];  /* the cache */
static char file[96]; /* "answers" in it */
static char device[96];
static struct probe_env env;

static void write_text(const char *path, const void *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fd_write_all(fd, text, size), 0);
	fd_close(fd);
}

static size_t read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	cr_assert_geq(fd, 0, "%s", path);
	n = fd_read_all(fd, buf, size);
	fd_close(fd);
	cr_assert_geq(n, 0);
	return (size_t)n;
}

static void set_boot(const char *id)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id",
		       root);
	write_text(path, id, strlen(id));
}

static void make_host(void)
{
	char command[256];

	(void)umask(022);
	(void)strcpy(root, "/tmp/avf-cache-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	(void)snprintf(command, sizeof(command),
		       "mkdir -p %s/proc/sys/kernel/random %s/dev", root, root);
	cr_assert_eq(system(command), 0);
	(void)snprintf(dir, sizeof(dir), "%s/cache", root);
	(void)snprintf(file, sizeof(file), "%s/answers", dir);
	(void)snprintf(device, sizeof(device), "%s/dev/kvm", root);
	cr_assert_eq(mkdir(dir, 0700), 0);
	write_text(device, "", 0);
	set_boot("first\n");
	env = (struct probe_env){.root = root, .cache_dir = dir};
}

static void remove_host(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", root);
	cr_expect_eq(system(command), 0);
}

TestSuite(probe_cache, .init = make_host, .fini = remove_host);

static struct probe_key key_now(void)
{
	struct probe_key key;

	probe_key_init(&key, &env);
	probe_key_add_file(&key, device);
	return key;
}

static void store_state(enum avf_probe_state ring0)
{
	const struct probe_key key = key_now();
	struct avf_probe probe = {.n_rows = 0};

	probe_add(&probe, "other", AVF_PROBE_YES, "", "not kept");
	probe_add(&probe, "kvm.vm", AVF_PROBE_YES, "", "fine");
	probe_add(&probe, "kvm.vcpu", ring0, "do this", "slow");
	probe_cache_store(&env, "answers", &key, &probe, wanted);
}

static void store(void)
{
	store_state(AVF_PROBE_LIMITED);
}

/* Loaded or not, the probe has what it should have. */
static bool load(void)
{
	const struct probe_key key = key_now();
	struct avf_probe probe = {.n_rows = 0};
	const struct probe_row *row;
	bool loaded;

	probe_add(&probe, "first", AVF_PROBE_YES, "", "is there before");
	loaded = probe_cache_load(&env, "answers", &key, &probe, wanted);
	cr_expect_eq(probe.n_rows, loaded ? 3 : 1);
	row = probe_find(&probe, "kvm.vcpu");
	if (loaded && row) {
		cr_expect_eq(row->state, AVF_PROBE_LIMITED);
		cr_expect_str_eq(row->reason, "slow");
		cr_expect_str_eq(row->hint, "do this");
	}
	return loaded;
}

static unsigned int count_files(void)
{
	char command[128], text[16];
	FILE *pipe;

	(void)snprintf(command, sizeof(command), "ls -A %s | wc -l", dir);
	pipe = popen(command, "r");
	cr_assert(pipe && fgets(text, sizeof(text), pipe));
	(void)pclose(pipe);
	return (unsigned int)strtoul(text, NULL, 10);
}

Test(probe_cache, what_is_stored_is_loaded)
{
	struct stat st;

	cr_expect_not(load(), "nothing there yet");
	store();
	cr_expect(load());
	cr_expect(load(), "again");
	cr_assert_eq(stat(file, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	cr_expect_eq(count_files(), 1);
}

Test(probe_cache, fresh_forgets_and_remembers)
{
	store();
	env.fresh = true;
	cr_expect_not(load());
	cr_assert_eq(unlink(file), 0);
	store();
	env.fresh = false;
	cr_expect(load());
}

Test(probe_cache, what_does_not_work_is_not_kept)
{
	store_state(AVF_PROBE_NO);
	cr_expect_eq(count_files(), 0);
	store_state(AVF_PROBE_UNKNOWN);
	cr_expect_eq(count_files(), 0);
}

Test(probe_cache, another_boot_device_or_kernel_is_another_key)
{
	store();
	set_boot("second\n");
	cr_expect_not(load(), "another boot");
	set_boot("first\n");
	cr_expect(load());
	cr_assert_eq(chmod(device, 0640), 0);
	cr_expect_not(load(), "the device has changed");
	store();
	cr_assert_eq(unlink(device), 0);
	write_text(device, "", 0);
	cr_expect_not(load(), "a new device");
}

Test(probe_cache, no_boot_id_or_file_no_memory)
{
	char path[128];

	cr_assert_eq(unlink(device), 0);
	store();
	cr_expect_eq(count_files(), 0, "an unknown file");
	write_text(device, "", 0);
	(void)snprintf(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id",
		       root);
	cr_assert_eq(unlink(path), 0);
	store();
	cr_expect_eq(count_files(), 0, "an unknown boot");
}

Test(probe_cache, a_key_that_is_too_long_is_none)
{
	struct probe_key key = key_now();

	for (int i = 0; i < 100; i++)
		probe_key_add_file(&key, device);
	cr_expect(key.bad);
	cr_expect_lt(key.used, sizeof(key.text));
}

/* Cut anywhere, the rest is never taken for the whole. */
Test(probe_cache, truncated_files)
{
	char text[2048];
	size_t size;

	store();
	size = read_text(file, text, sizeof(text));
	for (size_t n = 0; n < size; n++) {
		write_text(file, text, n);
		cr_expect_not(load(), "%zu of %zu bytes", n, size);
	}
	write_text(file, text, size);
	cr_expect(load());
}

static void replace(char *text, const char *from, const char *to)
{
	char *at = strstr(text, from);

	cr_assert(at && strlen(from) == strlen(to), "%s", from);
	memcpy(at, to, strlen(to));
}

Test(probe_cache, changed_files)
{
	static const struct {
		const char *what, *from, *to;
	} rows[] = {
		{"another version", "libvirt", "libvirr"},
		{"another user", "\nuser ", "\nUser "},
		{"no empty line", "\n\n", "\nx"},
		{"another question", "kvm.vm", "kvm.xx"},
		{"no such state", "limited", "perhaps"},
		{"a no", "\tlimited\t", "\tno\tlimit"},
		{"a control character", "slow", "s\x1bow"},
		{"too few fields", "\tdo this", " do this"},
		{"one row for the other", "kvm.vcpu\t", "kvm.vm\tx\t"},
	};
	char text[2048], changed[2048];
	size_t size;

	store();
	size = read_text(file, text, sizeof(text) - 1);
	text[size] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(changed, text, size + 1);
		replace(changed, rows[i].from, rows[i].to);
		write_text(file, changed, size);
		cr_expect_not(load(), "%s", rows[i].what);
		store();
		cr_expect(load(), "%s: rewritten", rows[i].what);
	}
}

Test(probe_cache, noise_of_any_size)
{
	static char noise[20000];
	static const size_t sizes[] = {1, 100, 8191, 8192, 8193, 20000};

	memset(noise, 'x', sizeof(noise));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		write_text(file, noise, sizes[i]);
		cr_expect_not(load(), "%zu", sizes[i]);
	}
}

/* --- files and directories that are not what they should be ------------- */

static void expect_rewritten(const char *what)
{
	struct stat st;

	cr_expect_not(load(), "%s", what);
	store();
	cr_expect(load(), "%s: rewritten", what);
	cr_expect(lstat(file, &st) == 0 && S_ISREG(st.st_mode) &&
			  st.st_uid == geteuid(),
		  "%s", what);
}

Test(probe_cache, a_file_that_others_may_write_is_none)
{
	store();
	cr_assert_eq(chmod(file, 0620), 0);
	expect_rewritten("its group may write");
	cr_assert_eq(chmod(file, 0602), 0);
	expect_rewritten("everybody may write");
}

Test(probe_cache, a_link_or_a_pipe_is_none)
{
	char other[96];

	store();
	(void)snprintf(other, sizeof(other), "%s/real", root);
	cr_assert_eq(rename(file, other), 0);
	cr_assert_eq(symlink(other, file), 0);
	expect_rewritten("a link");
	cr_assert_eq(unlink(file), 0);
	cr_assert_eq(mkfifo(file, 0600), 0);
	expect_rewritten("a pipe that nobody writes to");
}

Test(probe_cache, somebody_elses_file_is_none)
{
	if (geteuid() != 0)
		cr_skip_test("only root can give a file away");
	store();
	cr_assert_eq(chown(file, NOBODY, NOBODY), 0);
	expect_rewritten("a file of somebody else");
}

/* Nothing is read there, nothing is written. */
static void expect_unused(const char *what)
{
	const unsigned int n = count_files();

	cr_expect_not(load(), "%s", what);
	store();
	cr_expect_eq(count_files(), n, "%s", what);
}

Test(probe_cache, a_directory_that_others_may_write_is_none)
{
	store();
	cr_assert_eq(chmod(dir, 0777), 0);
	expect_unused("everybody may write");
	cr_assert_eq(chmod(dir, 0700), 0);
	if (geteuid() == 0) {
		cr_assert_eq(chown(dir, NOBODY, NOBODY), 0);
		expect_unused("somebody else's");
	}
}

Test(probe_cache, a_directory_behind_a_link_is_none)
{
	char other[96];

	(void)snprintf(other, sizeof(other), "%s/real", root);
	cr_assert_eq(rename(dir, other), 0);
	cr_assert_eq(symlink(other, dir), 0);
	expect_unused("a link");
}

Test(probe_cache, no_directory_does_no_harm)
{
	static const char *const none[] = {NULL, "", "/nonexistent",
					   "/dev/null", "/proc"};

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		env.cache_dir = none[i];
		store();
		cr_expect_not(load());
	}
}

/* A write that fails leaves the old file, and no other. */
Test(probe_cache, a_full_disk_does_no_harm)
{
	const struct rlimit small = {10, 10};

	store();
	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	env.fresh = true;
	store();
	env.fresh = false;
	cr_expect(load());
	cr_expect_eq(count_files(), 1);
}

/* --- where it is --------------------------------------------------------- */

static void expect_dir(const char *what, const char *want)
{
	char found[256];

	probe_cache_find_dir(found, sizeof(found));
	cr_expect_str_eq(found, want, "%s: %s", what, found);
}

Test(probe_cache, the_directory_is_the_users_own)
{
	char runtime[128], caches[128], home[128], want[192];

	(void)snprintf(runtime, sizeof(runtime), "%s/run", root);
	(void)snprintf(caches, sizeof(caches), "%s/caches", root);
	(void)snprintf(home, sizeof(home), "%s/home", root);
	(void)mkdir(runtime, 0700);
	(void)mkdir(caches, 0700);
	(void)unsetenv("XDG_RUNTIME_DIR");
	(void)setenv("XDG_CACHE_HOME", "relative", 1);
	(void)setenv("HOME", home, 1);
	expect_dir("no home", "");
	(void)setenv("XDG_CACHE_HOME", caches, 1);
	(void)snprintf(want, sizeof(want), "%s/libvirtualization", caches);
	expect_dir("the user's caches", want);
	(void)setenv("XDG_RUNTIME_DIR", runtime, 1);
	(void)snprintf(want, sizeof(want), "%s/libvirtualization", runtime);
	expect_dir("until log-out", want);
	cr_assert_eq(chmod(want, 0777), 0);
	(void)snprintf(want, sizeof(want), "%s/libvirtualization", caches);
	expect_dir("others may write the first", want);
}
