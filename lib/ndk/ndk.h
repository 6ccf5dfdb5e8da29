/*
 * What the handles of <android/virtualization.h> hold. The layer sees nothing
 * of the library but its public headers.
 */
#pragma once

#include <pthread.h>

#include <android/virtualization.h>
#include <avf/avf.h>

#define NDK_INSTANCE_ID_BYTES 64U

struct AVirtualMachineRawConfig {
	avf_config *config; /* owned: what could be checked at once */
	int kernel_fd;      /* owned, or -1: looked at by createRaw */
	int initrd_fd;      /* the same */
	int overlay_fd;     /* the same */
	int32_t memory_mib; /* as it was given: the setter cannot fail */
	int32_t n_vcpus;    /* the same */
	uint8_t instance_id[NDK_INSTANCE_ID_BYTES];
};

struct AVirtualizationService {
	enum avf_acceleration acceleration;
};

struct AVirtualMachine {
	avf_vm *vm;           /* owned; avf_vm_connect() without @lock */
	int started_fd;       /* eventfd: readable once it is not STARTING */
	int stopped_fd;       /* eventfd: readable once it is STOPPED */
	pthread_mutex_t lock; /* guards what follows, and most of @vm */
	bool asked_to_start;
	bool started; /* the guest ran */
	bool stopped; /* for good: @reason is valid */
	enum AVirtualMachineStopReason reason;
};

/** Close @fd; -1 is a no-op. */
void ndk_close(int fd);

/** Put what was only kept into @config's avf_config: 0 or an AVF_ERR_*. */
int ndk_config_finish(struct AVirtualMachineRawConfig *config,
		      enum avf_acceleration acceleration);

/** A stopped VM of a copy of @config: 0 or an AVF_ERR_*. */
int ndk_vm_new(const avf_config *config, struct AVirtualMachine **ret_vm);

/** The number that libavf has for an enum avf_stop_reason. */
enum AVirtualMachineStopReason ndk_stop_reason(int reason);

/** The acceleration that @text names; NULL is the default.
 * 0 or AVF_ERR_INVALID. */
int ndk_acceleration(const char *text, enum avf_acceleration *ret_acceleration);

/** A result of ours as the negative errno that Android's functions return. */
int ndk_result(int rc);
