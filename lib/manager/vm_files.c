/* The files of one VM: made, copied, read, and found to be missing. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "manager/manager.h"

#define CONFIG_NEW VM_FILE_CONFIG ".new"

#define INSTANCE_ID_SIZE 64U

/* AVF's instance image: 10 MiB by convention, of which nothing but the disk
 * header is written until the guest does. */
#define INSTANCE_BYTES   (10U << 20)
#define INSTANCE_VERSION 1U

static const char instance_magic[19] = {'A', 'n', 'd', 'r', 'o', 'i', 'd',
					'-', 'V', 'M', '-', 'i', 'n', 's',
					't', 'a', 'n', 'c', 'e'};

struct instance_header {
	char magic[sizeof(instance_magic)];
	le16 version;
	unsigned char zero[491];
};
_Static_assert(sizeof(struct instance_header) == 512, "one sector");

/* Storage is a disk: whole blocks. */
#define STORAGE_BLOCK 4096U

static uint64_t storage_size(const avf_config *config)
{
	uint64_t mask = STORAGE_BLOCK - 1;

	/* AVF_MAX_STORAGE_BYTES is far from where this would overflow */
	return (config->storage_bytes + mask) & ~mask;
}

/* Written and synced in place: only for directories nobody uses yet. */
static int write_config(int dir_fd, const char *name, const avf_config *config)
{
	CLEANUP(free_p) char *text = NULL;
	int rc = config_write_json(config, &text);

	if (rc < 0)
		return rc;
	return file_write(dir_fd, name, text, strlen(text), 0);
}

int vm_files_store(int dir_fd, const avf_config *config)
{
	int rc = write_config(dir_fd, CONFIG_NEW, config);

	if (rc == 0 && renameat(dir_fd, CONFIG_NEW, dir_fd, VM_FILE_CONFIG) < 0)
		rc = fail_errno("%s", VM_FILE_CONFIG);
	if (rc < 0) {
		(void)unlinkat(dir_fd, CONFIG_NEW, 0);
		return rc;
	}
	return file_sync(dir_fd, "the VM's directory");
}

/* The identity: random, made once, never changed. */
static int make_instance(int dir_fd)
{
	struct instance_header header = {.version =
						 le16_make(INSTANCE_VERSION)};
	unsigned char id[INSTANCE_ID_SIZE];
	int rc;

	/* never short for 256 bytes and less: getrandom(2) */
	if (getrandom(id, sizeof(id), 0) != sizeof(id))
		return fail_errno("getrandom");
	rc = file_write(dir_fd, VM_FILE_ID, id, sizeof(id), 0);
	if (rc < 0)
		return rc;
	memcpy(header.magic, instance_magic, sizeof(header.magic));
	return file_write(dir_fd, VM_FILE_INSTANCE, &header, sizeof(header),
			  INSTANCE_BYTES);
}

int vm_files_make(int dir_fd, const avf_config *config)
{
	int rc = make_instance(dir_fd);

	if (rc == 0 && config->storage_bytes != 0)
		rc = file_write(dir_fd, VM_FILE_STORAGE, "", 0,
				storage_size(config));
	if (rc == 0)
		rc = write_config(dir_fd, VM_FILE_CONFIG, config);
	if (rc < 0)
		return rc;
	return file_sync(dir_fd, "the VM's directory");
}

/* A descriptor's fd is anything that its sender had. */
static int check_size(int fd, const char *name, uint64_t size)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &st) < 0)
		return fail_errno("%s", name);
	if (!S_ISREG(st.st_mode) || (flags & O_PATH) ||
	    (flags & O_ACCMODE) == O_WRONLY)
		return fail(AVF_ERR_FORMAT,
			    "%s: not a regular file open for reading", name);
	if ((uint64_t)st.st_size != size)
		return fail(AVF_ERR_FORMAT, "%s: %lld bytes, must be %llu",
			    name, (long long)st.st_size,
			    (unsigned long long)size);
	return 0;
}

static int check_instance(int fd)
{
	struct instance_header header;
	ssize_t n;
	int rc = check_size(fd, VM_FILE_INSTANCE, INSTANCE_BYTES);

	if (rc < 0)
		return rc;
	n = fd_pread_all(fd, &header, sizeof(header), 0);
	if (n < 0)
		return (int)n;
	if (n != sizeof(header) ||
	    memcmp(header.magic, instance_magic, sizeof(header.magic)) != 0 ||
	    le16_get(header.version) != INSTANCE_VERSION)
		return fail(AVF_ERR_FORMAT, "%s: not an instance image",
			    VM_FILE_INSTANCE);
	return 0;
}

/*
 * The configuration is one that config_write.c wrote: version required, files
 * not opened.
 */
static int read_config(int fd, avf_config **ret_config)
{
	int rc = config_load_written(fd, ret_config);

	/* a file's content is wrong, whatever the setter thought of it */
	if (rc == AVF_ERR_INVALID || rc == AVF_ERR_LIMIT || rc == AVF_ERR_STATE)
		rc = fail_as(AVF_ERR_FORMAT);
	if (rc == AVF_ERR_FORMAT || rc == AVF_ERR_UNSUPPORTED)
		return error_prefix("Persisted VM config is invalid");
	if (rc < 0)
		return error_prefix("Failed to read VM config from file");
	return 0;
}

static int import_config(int dir_fd, int fd, avf_config **ret_config)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return fail_errno("%s", VM_FILE_CONFIG);
	rc = check_size(fd, VM_FILE_CONFIG, (uint64_t)st.st_size);
	if (rc < 0)
		return rc;
	rc = read_config(fd, &config);
	if (rc < 0)
		return rc;
	/* what was understood, and not what was sent */
	rc = write_config(dir_fd, VM_FILE_CONFIG, config);
	if (rc < 0)
		return rc;
	*ret_config = TAKE_PTR(config);
	return 0;
}

/* Copied, never shared: the sender may go on writing. */
static int import_storage(int dir_fd, int fd, const avf_config *config)
{
	int rc;

	if (config->storage_bytes == 0)
		return 0;
	if (fd < 0)
		return fail(AVF_ERR_FORMAT, "Storage image missing");
	rc = check_size(fd, VM_FILE_STORAGE, storage_size(config));
	if (rc < 0)
		return rc;
	return file_copy(fd, dir_fd, VM_FILE_STORAGE, storage_size(config));
}

int vm_files_import(int dir_fd, const struct avf_descriptor *descriptor)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	const int *fds = descriptor->fds;
	int rc = import_config(dir_fd, fds[AVF_DESCRIPTOR_CONFIG], &config);

	if (rc == 0)
		rc = check_size(fds[AVF_DESCRIPTOR_INSTANCE_ID], VM_FILE_ID,
				INSTANCE_ID_SIZE);
	if (rc == 0)
		rc = check_instance(fds[AVF_DESCRIPTOR_INSTANCE_IMAGE]);
	if (rc == 0)
		rc = file_copy(fds[AVF_DESCRIPTOR_INSTANCE_ID], dir_fd,
			       VM_FILE_ID, INSTANCE_ID_SIZE);
	if (rc == 0)
		rc = file_copy(fds[AVF_DESCRIPTOR_INSTANCE_IMAGE], dir_fd,
			       VM_FILE_INSTANCE, INSTANCE_BYTES);
	if (rc == 0)
		rc = import_storage(dir_fd, fds[AVF_DESCRIPTOR_STORAGE],
				    config);
	if (rc < 0)
		return rc;
	return file_sync(dir_fd, "the VM's directory");
}

/* Open a file that must be there; @missing is AVF's text for when it is not. */
static int open_part(int dir_fd, const char *name, const char *missing,
		     int *ret_fd)
{
	int rc = file_open(dir_fd, name, O_RDONLY, ret_fd);

	return rc == AVF_ERR_NOT_FOUND ? fail(AVF_ERR_FORMAT, "%s", missing)
				       : rc;
}

/* Contents are the guest's; sizes and the header are ours to check. */
static int load_instance(int dir_fd)
{
	CLEANUP(close_p) int id = -1;
	CLEANUP(close_p) int image = -1;
	int rc = open_part(dir_fd, VM_FILE_ID, "instance_id file missing", &id);

	if (rc < 0)
		return rc;
	rc = check_size(id, VM_FILE_ID, INSTANCE_ID_SIZE);
	if (rc < 0)
		return rc;
	rc = open_part(dir_fd, VM_FILE_INSTANCE, "instance image missing",
		       &image);
	return rc < 0 ? rc : check_instance(image);
}

static int load_storage(int dir_fd, const avf_config *config)
{
	CLEANUP(close_p) int fd = -1;
	int rc;

	if (config->storage_bytes == 0)
		return 0;
	rc = open_part(dir_fd, VM_FILE_STORAGE, "Storage image missing", &fd);
	if (rc < 0)
		return rc;
	return check_size(fd, VM_FILE_STORAGE, storage_size(config));
}

int vm_files_load(int dir_fd, avf_config **ret_config)
{
	CLEANUP(config_free_p) avf_config *config = NULL;
	CLEANUP(close_p) int fd = -1;
	int rc;

	rc = open_part(dir_fd, VM_FILE_CONFIG,
		       "Persisted VM config is invalid: it is missing", &fd);
	if (rc < 0)
		return rc;
	rc = read_config(fd, &config);
	if (rc == 0)
		rc = load_instance(dir_fd);
	if (rc == 0)
		rc = load_storage(dir_fd, config);
	if (rc < 0)
		return rc;
	*ret_config = TAKE_PTR(config);
	return 0;
}
