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

/* By the first @n_ways of these. */
static void search(bool is_protected, secret_read_fn *const *ways,
		   unsigned int n_ways)
{
	unsigned long n_read;
	char answer[5] = "";
	struct vmt_vm v;
	uint64_t seed;
	bool found;
	int fd = start(&v, is_protected, &seed);

	if (fd < 0)
		return;
	for (unsigned int i = 0; i < n_ways; i++) {
		found = secret_search(avf_vm_get_pid(v.vm), ways[i], seed,
				      &n_read);
		printf("    %lu pages read: %s\n", n_read,
		       found ? "found" : "not found");
		CHECK(found == !is_protected);
		CHECK(n_read > 100);
	}
	/* a protected one may have lost pages, and then it is gone */
	if (vmt_send(fd, "?", 1) && vmt_recv(fd, answer, 5))
		CHECK(memcmp(answer, "whole", 5) == 0);
	else
		CHECK(is_protected);
	(void)close(fd);
	vmt_free(&v);
}

static secret_read_fn *const ways[] = {secret_by_process_vm_readv,
				       secret_by_proc_mem};

static void control(void)
{
	search(false, ways, 2);
}

/* What the first way read is wiped: each needs a VM of its own. */
static void by_process_vm_readv(void)
{
	search(true, &ways[0], 1);
}

static void by_proc_mem(void)
{
	search(true, &ways[1], 1);
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
