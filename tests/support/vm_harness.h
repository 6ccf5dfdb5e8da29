/*
 * For the programs that run real VMs: tests by name with their results on
 * standard output, and one run of a VM with what it said. Uses the public
 * interface only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <avf/avf.h>

/* How long a guest may take to do what the test waits for. Generous: an
 * emulated CPU may run it, on a busy computer. */
#define VMT_PATIENCE_MS 90000

struct vmt_test {
	const char *name;
	void (*run)(void);
};

/**
 * Run the tests whose names are given as arguments, or all. After each one
 * the process must have as many open descriptors as before and no child.
 * Returns the exit code.
 */
int vmt_main(int argc, char **argv, const struct vmt_test *tests,
	     size_t n_tests);

/**
 * The first VM of a computer, and the end of the last, make the kernel patch
 * its scheduler (static keys). The lab's emulated CPUs sometimes trip over
 * that, so there a VM exists from now on to the end. vmt_main() does this.
 */
void vmt_keep_a_vm(void);

/** Print "SKIP: @reason" and end the program. */
_Noreturn void vmt_skip_all(const char *reason);

/** The running test cannot be done here. */
void vmt_skip(const char *reason);

/** The running test has failed; says where and what. */
void vmt_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Whether the running test has failed. For a child of it, which starts with
 * its parent's failures. */
bool vmt_has_failed(void);

/* Goes on when it fails. */
#define CHECK(condition)                                                \
	do {                                                            \
		if (!(condition))                                       \
			vmt_fail(__FILE__, __LINE__, "%s", #condition); \
	} while (0)

/* A call that must succeed. */
#define CHECK_OK(call)                                                    \
	do {                                                              \
		int check_rc_ = (call);                                   \
		if (check_rc_ < 0)                                        \
			vmt_fail(__FILE__, __LINE__, "%s: %s: %s", #call, \
				 avf_error_name(check_rc_),               \
				 avf_last_error()->text);                 \
	} while (0)

/* A call that must fail in this way, with @part in the error's text. */
#define CHECK_FAILS(call, code, part)                                          \
	do {                                                                   \
		int check_rc_ = (call);                                        \
		if (check_rc_ != (code) ||                                     \
		    !vmt_contains(avf_last_error()->text, part))               \
			vmt_fail(__FILE__, __LINE__, "%s: %s, not %s: \"%s\"", \
				 #call, avf_error_name(check_rc_), #code,      \
				 avf_last_error()->text);                      \
	} while (0)

bool vmt_contains(const char *text, const char *part);

/* A VM, what it has said in its present run, and where its output goes. */
struct vmt_vm {
	avf_vm *vm;
	int output;   /* memfd: the console, or a payload's log */
	size_t start; /* where the output of this run begins, in bytes */
	unsigned int n_stopped;
	int reason;       /* stop reason; -100 as long as there is none */
	int error_code;   /* of the last ERROR, else -1 */
	int exit_code;    /* of PAYLOAD_FINISHED, else -1 */
	int acceleration; /* code of STARTED, else -1 */
	uint64_t run_ns, last_ns; /* when run, and the last event's time */
	char events[256];         /* "STARTED PAYLOAD_READY ", without LOG */
	char text[AVF_EVENT_TEXT_SIZE];       /* of STOPPED */
	char error_text[AVF_EVENT_TEXT_SIZE]; /* of the last ERROR */
	unsigned int n_log;
};

/** What a VM loads of guest/bare's @guest; static memory, as vmt_path(). */
const char *vmt_bare_path(const char *guest);

/** Whether it is an ELF file, else it is an arm64 Image. */
bool vmt_bare_is_elf(void);

/** Whether this architecture has it. */
bool vmt_has_bare(const char *guest);

/** Whether this host has protected VMs. */
bool vmt_can_protect(void);

/**
 * Whether the tests of this run are to use them: AVF_TEST_PROTECTED is set in
 * the environment. vmt_bare_config() then asks for one.
 */
bool vmt_wants_protected(void);

/** A raw configuration on KVM of guest/bare's @guest, 16 MiB. */
avf_config *vmt_bare_config(const char *guest);

/** Path of a file of the build tree, in a static buffer. */
const char *vmt_path(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/** Make a VM of @config, which is freed; its output is kept. False: failed,
 * and said so. */
bool vmt_new(struct vmt_vm *v, avf_config *config);

/** Start a run and forget what was said in the one before. */
bool vmt_run(struct vmt_vm *v);

/** Take one event, waiting for @timeout_ms at most; its type, or -1. */
int vmt_event(struct vmt_vm *v, int timeout_ms);

/** Take events until one of @type; false when STOPPED or nothing came. */
bool vmt_wait_event(struct vmt_vm *v, int type);

/** Take events until STOPPED, and check that no other one follows. */
bool vmt_wait_stopped(struct vmt_vm *v);

/** Wait until the output of this run contains @text. */
bool vmt_wait_output(struct vmt_vm *v, const char *text);

/** The output of this run, NUL-terminated; free() it. */
char *vmt_output(const struct vmt_vm *v);

/** Run until STOPPED and check its reason. */
void vmt_run_to(struct vmt_vm *v, int reason);

/** Fail unless it stopped for @reason, with @part in the text. */
void vmt_check_stopped(const struct vmt_vm *v, int reason, const char *part);

/** Free the VM, whatever it does. */
void vmt_free(struct vmt_vm *v);

/** Open descriptors of this process. */
unsigned int vmt_count_fds(void);

/** Threads of this process. */
unsigned int vmt_count_threads(void);

/** Whether this process has a child, dead or alive. */
bool vmt_has_child(void);

/** Resident memory of this process in KiB. */
long vmt_rss_kib(void);

/** CPU time of process @pid so far, in ms; -1 when it cannot be read. */
long vmt_cpu_ms(pid_t pid);

/**
 * Memory of @v's VMM itself in KiB: what is private and written to, without
 * guest memory. -1, and a line that says so, when it cannot be told.
 */
long vmt_own_memory_kib(const struct vmt_vm *v);

/** A memfd of @size bytes, all of value @fill. */
int vmt_memfd(size_t size, int fill);

uint64_t vmt_now_ms(void);
void vmt_sleep_ms(unsigned int ms);

/** Wait until @fd is readable, or hung up. */
bool vmt_wait_readable(int fd, int timeout_ms);

/** Send or receive all of it; false on an error or an early end. */
bool vmt_send(int fd, const void *data, size_t size);
bool vmt_recv(int fd, void *data, size_t size);
