/*
 * The files of a stopped VM as a set of descriptors, to be given to another
 * process. Storage is the only one that may be missing.
 */
#include <fcntl.h>

#include "base/cleanup.h"
#include "manager/manager.h"

#define N_FILES (AVF_DESCRIPTOR_STORAGE + 1)

int descriptor_alloc(struct avf_descriptor **ret_descriptor)
{
	struct avf_descriptor *descriptor = malloc(sizeof(*descriptor));

	if (!descriptor)
		return fail(AVF_ERR_NO_MEMORY, "descriptor");
	for (int i = 0; i < N_FILES; i++)
		descriptor->fds[i] = -1;
	*ret_descriptor = descriptor;
	return 0;
}

void descriptor_free(struct avf_descriptor *descriptor)
{
	if (!descriptor)
		return;
	for (int i = 0; i < N_FILES; i++)
		fd_close(descriptor->fds[i]);
	free(descriptor);
}

void descriptor_free_p(struct avf_descriptor **descriptor)
{
	descriptor_free(*descriptor);
	*descriptor = NULL;
}

int descriptor_of(const struct named_vm *named,
		  struct avf_descriptor **ret_descriptor)
{
	static const char *const names[] = {VM_FILE_CONFIG, VM_FILE_ID,
					    VM_FILE_INSTANCE, VM_FILE_STORAGE};
	CLEANUP(descriptor_free_p) struct avf_descriptor *descriptor = NULL;
	bool has_storage = named->vm->config->storage_bytes != 0;
	int rc = descriptor_alloc(&descriptor);

	if (rc < 0)
		return rc;
	for (int i = 0; i < (has_storage ? N_FILES : N_FILES - 1); i++) {
		rc = file_open(named->dir_fd, names[i], O_RDONLY,
			       &descriptor->fds[i]);
		if (rc < 0)
			return rc;
	}
	*ret_descriptor = TAKE_PTR(descriptor);
	return 0;
}
