/*
 * A payload's secret, looked for in all that its VMM has, as root of the host
 * can: not found in a protected VM, found in another one. The VMM is the real
 * one, so there are the ways of another process only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "pkvm/secret_search.h"
#include "pkvm/secret_vm.h"
#include "vm/linux_vm.h"

#define PORT 5680U

/* Returns the connection to the payload that has its secret; -1: failed. */
static int start(struct vmt_vm *v, bool is_protected, uint64_t *ret_seed)
{
	avf_config *config = linux_config("good", "keep");
	char answer[5];
	char *log;
	int fd;

	CHECK_OK(avf_config_set_protected(config, is_protected));
	if (!vmt_new(v, config))
		return -1;
	(void)!getrandom(ret_seed, sizeof(*ret_seed), 0);
	*ret_seed &= 0x0fffffff;
	fd = vmt_run(v) && vmt_wait_event(v, AVF_EVENT_PAYLOAD_READY)
		     ? linux_connect(v, PORT)
		     : -1;
	if (fd >= 0 && vmt_send(fd, ret_seed, sizeof(*ret_seed)) &&
	    vmt_recv(fd, answer, 5) && memcmp(answer, "kept\n", 5) == 0)
		return fd;
	log = vmt_output(v);
	vmt_fail(__FILE__, __LINE__, "no payload with a secret: %s",
		 log ? log : "");
	free(log);
	if (fd >= 0)
		(void)close(fd);
	vmt_free(v);
	return -1;
}

static bool is_whole(int fd)
{
	char answer[5] = "";

	return vmt_send(fd, "?", 1) && vmt_recv(fd, answer, 5) &&
	       memcmp(answer, "whole", 5) == 0;
}

/* Whether @way finds the secret of @seed in @v's VMM. */
static bool finds(const struct vmt_vm *v, secret_read_fn *way, uint64_t seed)
{
	unsigned long n_read;
	bool found = secret_search(avf_vm_get_pid(v->vm), way, seed, &n_read);

	printf("    %lu pages read: %s\n", n_read,
	       found ? "found" : "not found");
	CHECK(n_read > 100);
	return found;
}

/* A payload that nobody protects: found in each way, and it lives. */
static void control(void)
{
	struct vmt_vm v;
	uint64_t seed;
	int fd = start(&v, false, &seed);

	if (fd < 0)
		return;
	CHECK(finds(&v, secret_by_process_vm_readv, seed));
	CHECK(finds(&v, secret_by_proc_mem, seed));
	CHECK(is_whole(fd));
	(void)close(fd);
	vmt_free(&v);
}

/*
 * What was read is wiped and taken from the guest: it cannot go on, and its end
 * says why. Each way needs a VM of its own.
 */
static void search(secret_read_fn *way)
{
	struct vmt_vm v;
	uint64_t seed;
	int fd = start(&v, true, &seed);

	if (fd < 0)
		return;
	CHECK(!finds(&v, way, seed));
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_CRASH,
			  "page of the guest's memory is gone");
	(void)close(fd);
	vmt_free(&v);
}

/* Another one runs meanwhile, and is asked afterwards. */
static void by_process_vm_readv(void)
{
	struct vmt_vm other;
	uint64_t seed;
	int fd = start(&other, true, &seed);

	if (fd < 0)
		return;
	search(secret_by_process_vm_readv);
	CHECK(is_whole(fd));
	/* in the middle of its life; the next VM gets its memory */
	CHECK_OK(avf_vm_kill(other.vm));
	CHECK(vmt_wait_stopped(&other));
	(void)close(fd);
	vmt_free(&other);
}

static void by_proc_mem(void)
{
	search(secret_by_proc_mem);
}

static const struct vmt_test tests[] = {
	{"control", control},
	{"process_vm_readv", by_process_vm_readv},
	{"proc_mem", by_proc_mem},
};

int main(int argc, char **argv)
{
	secret_vm_need_protection();
	if (!getenv("AVF_GUEST_IMAGE"))
		vmt_skip_all("no guest image ($AVF_GUEST_IMAGE)");
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
