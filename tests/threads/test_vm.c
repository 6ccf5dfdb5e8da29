/*
 * The functions that any thread may call, while the owner of the VM takes its
 * events; and the VMM's own threads under load. For ThreadSanitizer, here and
 * in the VMM: one that finds something ends without its last word.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/vm_harness.h"

#define N_THREADS 4
#define N_ROUNDS  50

struct crowd {
	avf_vm *vm;
	atomic_uint n_good, n_bad, n_working;
	pthread_t threads[N_THREADS];
};

static void count(struct crowd *c, bool good)
{
	atomic_fetch_add(good ? &c->n_good : &c->n_bad, 1);
}

static void *connect_often(void *data)
{
	struct crowd *c = data;
	int fd;

	for (unsigned int i = 0; i < N_ROUNDS; i++) {
		char answer = 'x';

		fd = -1;
		if (avf_vm_connect(c->vm, 5000, 30000, &fd) < 0) {
			count(c, false);
			continue;
		}
		count(c, vmt_send(fd, "y", 1) && vmt_recv(fd, &answer, 1) &&
				 answer == 'y');
		(void)close(fd);
	}
	atomic_fetch_sub(&c->n_working, 1);
	return NULL;
}

/* Until the VM is gone, whatever it answers. */
static void *connect_to_the_end(void *data)
{
	struct crowd *c = data;
	int fd, rc;

	do {
		fd = -1;
		rc = avf_vm_connect(c->vm, 5000, 30000, &fd);
		if (rc == 0)
			(void)close(fd);
		count(c, rc == 0);
	} while (rc != AVF_ERR_STATE);
	atomic_fetch_sub(&c->n_working, 1);
	return NULL;
}

static void *listen_often(void *data)
{
	struct crowd *c = data;

	for (unsigned int i = 0; i < N_ROUNDS; i++) {
		avf_listener *listener = NULL;

		count(c, avf_vm_listen(c->vm, 5000 + i, &listener) == 0);
		avf_listener_free(listener);
	}
	atomic_fetch_sub(&c->n_working, 1);
	return NULL;
}

static void *kill_it(void *data)
{
	struct crowd *c = data;

	vmt_sleep_ms(20);
	/* it may have been killed by another one of us */
	(void)!avf_vm_kill(c->vm);
	atomic_fetch_sub(&c->n_working, 1);
	return NULL;
}

static bool start_fake(struct vmt_vm *v, const char *scenario)
{
	avf_config *config = NULL;
	int kernel = vmt_memfd(512, 0);

	(void)setenv("AVF_VMM", vmt_path("tests/fake_vmm"), 1);
	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	CHECK_OK(avf_config_set_kernel_fd(config, kernel));
	CHECK_OK(avf_config_set_name(config, scenario));
	(void)close(kernel);
	if (!vmt_new(v, config))
		return false;
	return vmt_run(v) && vmt_wait_event(v, AVF_EVENT_STARTED);
}

static void gather(struct crowd *c, avf_vm *vm, void *(*run)(void *))
{
	c->vm = vm;
	atomic_store(&c->n_good, 0);
	atomic_store(&c->n_bad, 0);
	atomic_store(&c->n_working, N_THREADS);
	for (int i = 0; i < N_THREADS; i++)
		CHECK(pthread_create(&c->threads[i], NULL, run, c) == 0);
}

static void disperse(struct crowd *c)
{
	for (int i = 0; i < N_THREADS; i++)
		CHECK(pthread_join(c->threads[i], NULL) == 0);
}

/* The owner takes events all the while. */
static void work(const char *scenario, void *(*run)(void *))
{
	struct crowd crowd;
	struct vmt_vm v;

	if (!start_fake(&v, scenario))
		return;
	gather(&crowd, v.vm, run);
	while (atomic_load(&crowd.n_working) > 0)
		(void)vmt_event(&v, 1);
	disperse(&crowd);
	CHECK(atomic_load(&crowd.n_bad) == 0);
	CHECK(atomic_load(&crowd.n_good) == N_THREADS * N_ROUNDS);
	vmt_free(&v);
}

static void connect_from_threads(void)
{
	work("serve_echo", connect_often);
}

static void listen_from_threads(void)
{
	work("serve_stop", listen_often);
}

/* Its end is seen by every thread, with an error and not with a hang. */
static void ends_under_threads(const char *scenario, void *(*run)(void *),
			       bool kill_vmm)
{
	struct crowd crowd;
	struct vmt_vm v;

	if (!start_fake(&v, scenario))
		return;
	gather(&crowd, v.vm, run);
	vmt_sleep_ms(30);
	if (kill_vmm)
		CHECK(kill(avf_vm_get_pid(v.vm), SIGKILL) == 0);
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_KILLED, "");
	disperse(&crowd);
	vmt_free(&v);
}

static void dies_under_connects(void)
{
	ends_under_threads("serve_hang_up", connect_to_the_end, true);
}

static void dies_under_waiting_connects(void)
{
	ends_under_threads("serve_nothing", connect_to_the_end, true);
}

static void killed_from_threads(void)
{
	for (int i = 0; i < 10; i++)
		ends_under_threads("serve_stop", kill_it, false);
}

/* --- the VMM's threads ------------------------------------------------ */

static void run_guest(const char *guest, unsigned int vcpus, int reason)
{
	avf_config *config = vmt_bare_config(guest);
	struct vmt_vm v;

	CHECK_OK(avf_config_set_vcpus(config, vcpus));
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, reason);
	vmt_free(&v);
}

static void real_vmm(void (*run)(void))
{
	char *fake = getenv("AVF_VMM") ? strdup(getenv("AVF_VMM")) : NULL;

	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		vmt_skip("no /dev/kvm that this user may use");
		free(fake);
		return;
	}
	(void)unsetenv("AVF_VMM");
	run();
	if (fake)
		(void)setenv("AVF_VMM", fake, 1);
	free(fake);
}

static void endings(void)
{
	run_guest("hello", 1, AVF_STOP_REASON_SHUTDOWN);
	run_guest("smp", 4, AVF_STOP_REASON_SHUTDOWN);
	run_guest("triple", 2, AVF_STOP_REASON_CRASH);
	run_guest("reset", 2, AVF_STOP_REASON_REBOOT);
	run_guest("rng", 1, AVF_STOP_REASON_SHUTDOWN);
}

static void vmm_endings(void)
{
	real_vmm(endings);
}

static void disks(void)
{
	const struct avf_disk_options writable = {sizeof(writable), true, NULL};
	avf_config *config = vmt_bare_config("blk");
	int first = vmt_memfd(4096, 'a'), second = vmt_memfd(4096, 0);
	struct vmt_vm v;

	CHECK_OK(avf_config_add_disk_fd(config, first, NULL));
	CHECK_OK(avf_config_add_disk_fd(config, second, &writable));
	(void)close(first);
	(void)close(second);
	if (!vmt_new(&v, config))
		return;
	for (int i = 0; i < 5; i++)
		vmt_run_to(&v, AVF_STOP_REASON_SHUTDOWN);
	vmt_free(&v);
}

static void vmm_disks(void)
{
	real_vmm(disks);
}

static void echo(void)
{
	char block[4096], answer[sizeof(block)];
	struct vmt_vm v;
	int fd = -1;

	memset(block, 'e', sizeof(block));
	if (!vmt_new(&v, vmt_bare_config("vsock")))
		return;
	CHECK(vmt_run(&v) && vmt_wait_output(&v, "listening"));
	CHECK_OK(avf_vm_connect(v.vm, 5678, VMT_PATIENCE_MS, &fd));
	for (int i = 0; i < 20; i++) {
		CHECK(vmt_send(fd, block, sizeof(block)));
		CHECK(vmt_recv(fd, answer, sizeof(answer)));
	}
	(void)close(fd);
	CHECK(vmt_wait_stopped(&v));
	vmt_check_stopped(&v, AVF_STOP_REASON_SHUTDOWN, "");
	vmt_free(&v);
}

static void vmm_vsock(void)
{
	real_vmm(echo);
}

static const struct vmt_test tests[] = {
	{"connect_from_threads", connect_from_threads},
	{"listen_from_threads", listen_from_threads},
	{"dies_under_connects", dies_under_connects},
	{"dies_under_waiting_connects", dies_under_waiting_connects},
	{"killed_from_threads", killed_from_threads},
	{"vmm_endings", vmm_endings},
	{"vmm_disks", vmm_disks},
	{"vmm_vsock", vmm_vsock},
};

int main(int argc, char **argv)
{
	(void)setenv("TSAN_OPTIONS", "halt_on_error=1", 0);
	return vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
