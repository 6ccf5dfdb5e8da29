/*
 * AVirtualMachineRawConfig. A setter that can fail checks at once; what the
 * others were given is kept as it is, and looked at when a VM is made of it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ndk/ndk.h"

AVirtualMachineRawConfig *AVirtualMachineRawConfig_create(void)
{
	AVirtualMachineRawConfig *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	if (avf_config_new(AVF_CONFIG_RAW, &config->config) < 0) {
		free(config);
		return NULL;
	}
	config->kernel_fd = -1;
	config->initrd_fd = -1;
	config->overlay_fd = -1;
	config->n_vcpus = 1;
	return config;
}

void AVirtualMachineRawConfig_destroy(AVirtualMachineRawConfig *config)
{
	if (!config)
		return;
	ndk_close(config->overlay_fd);
	ndk_close(config->initrd_fd);
	ndk_close(config->kernel_fd);
	avf_config_free(config->config);
	free(config);
}

int AVirtualMachineRawConfig_setName(AVirtualMachineRawConfig *config,
				     const char *name)
{
	if (!config)
		return ndk_result(AVF_ERR_INVALID);
	return ndk_result(avf_config_set_name(config->config, name));
}

int AVirtualMachineRawConfig_setInstanceId(AVirtualMachineRawConfig *config,
					   const uint8_t *instanceId,
					   size_t instanceIdSize)
{
	if (!config || !instanceId || instanceIdSize != NDK_INSTANCE_ID_BYTES)
		return ndk_result(AVF_ERR_INVALID);
	memcpy(config->instance_id, instanceId, instanceIdSize);
	return 0;
}

/* @field, a descriptor of @config's, becomes @fd. */
static void replace(AVirtualMachineRawConfig *config, int *field, int fd)
{
	if (!config) {
		ndk_close(fd);
		return;
	}
	if (*field != fd)
		ndk_close(*field);
	*field = fd;
}

void AVirtualMachineRawConfig_setKernel(AVirtualMachineRawConfig *config,
					int fd)
{
	replace(config, config ? &config->kernel_fd : NULL, fd);
}

void AVirtualMachineRawConfig_setInitRd(AVirtualMachineRawConfig *config,
					int fd)
{
	replace(config, config ? &config->initrd_fd : NULL, fd);
}

void AVirtualMachineRawConfig_setDeviceTreeOverlay(
	AVirtualMachineRawConfig *config, int fd)
{
	replace(config, config ? &config->overlay_fd : NULL, fd);
}

int AVirtualMachineRawConfig_addDisk(AVirtualMachineRawConfig *config, int fd,
				     bool writable)
{
	struct avf_disk_options options = AVF_DISK_OPTIONS_INIT;
	int rc = AVF_ERR_INVALID;

	options.writable = writable;
	if (config)
		rc = avf_config_add_disk_fd(config->config, fd, &options);
	ndk_close(fd); /* it was duplicated */
	return rc < 0 ? ndk_result(AVF_ERR_INVALID) : 0;
}

void AVirtualMachineRawConfig_setMemoryMiB(AVirtualMachineRawConfig *config,
					   int32_t memoryMiB)
{
	if (config)
		config->memory_mib = memoryMiB;
}

void AVirtualMachineRawConfig_setSwiotlbMiB(AVirtualMachineRawConfig *config,
					    int32_t swiotlbMiB)
{
	/* of protected VMs only, whose pool has AVF's sizes */
	(void)config;
	(void)swiotlbMiB;
}

void AVirtualMachineRawConfig_setVCpuCount(AVirtualMachineRawConfig *config,
					   int32_t n)
{
	if (config)
		config->n_vcpus = n;
}

void AVirtualMachineRawConfig_setProtectedVm(AVirtualMachineRawConfig *config,
					     bool protectedVm)
{
	if (config) /* documented to fail later only */
		(void)!avf_config_set_protected(config->config, protectedVm);
}

int AVirtualMachineRawConfig_setHypervisorSpecificAuthMethod(
	AVirtualMachineRawConfig *config, bool enable)
{
	if (!config)
		return ndk_result(AVF_ERR_INVALID);
	return enable ? ndk_result(AVF_ERR_UNSUPPORTED) : 0;
}

int AVirtualMachineRawConfig_addCustomMemoryBackingFile(
	AVirtualMachineRawConfig *config, int memFd, uint64_t rangeStart,
	uint64_t rangeEnd)
{
	(void)rangeStart;
	(void)rangeEnd;
	ndk_close(memFd);
	return ndk_result(config ? AVF_ERR_UNSUPPORTED : AVF_ERR_INVALID);
}

static int finish_files(struct AVirtualMachineRawConfig *config)
{
	int rc;

	if (config->overlay_fd >= 0) {
		rc = avf_config_set_device_tree_overlay_fd(config->config,
							   config->overlay_fd);
		if (rc < 0)
			return rc;
	}
	/* without a kernel, validation has the words */
	if (config->kernel_fd >= 0) {
		rc = avf_config_set_kernel_fd(config->config,
					      config->kernel_fd);
		if (rc < 0)
			return rc;
	}
	if (config->initrd_fd < 0)
		return 0;
	return avf_config_set_initrd_fd(config->config, config->initrd_fd);
}

int ndk_config_finish(struct AVirtualMachineRawConfig *config,
		      enum avf_acceleration acceleration)
{
	avf_config *c = config->config;
	int rc = 0;

	if (!avf_config_get_name(c))
		rc = avf_config_set_name(c, ""); /* fails, and says how */
	if (rc == 0)
		rc = avf_config_set_acceleration(c, acceleration);
	if (rc == 0 && config->memory_mib > 0)
		rc = avf_config_set_memory_mib(c, (uint32_t)config->memory_mib);
	if (rc == 0) /* a negative one becomes too many */
		rc = avf_config_set_vcpus(c, (uint32_t)config->n_vcpus);
	return rc < 0 ? rc : finish_files(config);
}
