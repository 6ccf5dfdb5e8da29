/*
 * AVirtualizationService, and the VMs that it makes. On Android it is a
 * process; here it only remembers what the environment said.
 */
#include <stdlib.h>

#include "ndk/ndk.h"

int AVirtualizationService_create(AVirtualizationService **service, bool early)
{
	AVirtualizationService *made;
	enum avf_acceleration acceleration;

	if (!service)
		return ndk_result(AVF_ERR_INVALID);
	if (early)
		return ndk_result(AVF_ERR_UNSUPPORTED);
	if (ndk_acceleration(secure_getenv("AVF_ACCELERATION"), &acceleration) <
	    0)
		return ndk_result(AVF_ERR_INVALID);
	made = calloc(1, sizeof(*made));
	if (!made)
		return ndk_result(AVF_ERR_NO_MEMORY);
	made->acceleration = acceleration;
	*service = made;
	return 0;
}

void AVirtualizationService_destroy(AVirtualizationService *service)
{
	free(service);
}

/* The three sinks are duplicated; the caller closes them. */
static int set_sinks(avf_config *config, int console_out, int console_in,
		     int log)
{
	int rc = avf_config_set_console_output(config, console_out);

	if (rc == 0)
		rc = avf_config_set_console_input(config, console_in);
	if (rc == 0)
		rc = avf_config_set_log_output(config, log);
	return rc;
}

int AVirtualMachine_createRaw(const AVirtualizationService *service,
			      AVirtualMachineRawConfig *config,
			      int consoleOutFd, int consoleInFd, int logFd,
			      AVirtualMachine **vm)
{
	const bool complete = service && config && vm;
	int rc = 0;

	if (complete)
		rc = ndk_config_finish(config, service->acceleration);
	if (complete && rc == 0)
		rc = set_sinks(config->config, consoleOutFd, consoleInFd,
			       logFd);
	if (complete && rc == 0)
		rc = ndk_vm_new(config->config, vm);
	ndk_close(consoleOutFd);
	ndk_close(consoleInFd);
	ndk_close(logFd);
	AVirtualMachineRawConfig_destroy(config);
	if (!complete)
		return ndk_result(AVF_ERR_INVALID);
	return rc < 0 ? ndk_result(AVF_ERR_IO) : 0;
}
