/*
 * Behind avf_config: the setters' internals for the library's own use. They
 * do not clear the error record, as the public functions do.
 */
#pragma once

#include <avf/config.h>

#include "base/error.h"
#include "config/vm_config.h"

/* The files that a configuration names, disks apart. */
enum config_file {
	CONFIG_KERNEL = 0,
	CONFIG_INITRD = 1,
	CONFIG_PACKAGE = 2,
	CONFIG_OVERLAY = 3,
	CONFIG_N_FILES,
};

/* Changes when an old library would misread a configuration on disk. */
#define CONFIG_VERSION 1U

/* One thread at a time. */
struct avf_config {
	struct vm_config vm;
	/* What vm.vcpus is made of: an explicit count wins. */
	enum avf_cpu_topology topology;
	bool has_vcpus;
	/* Absolute paths, owned; NULL: not set, or given as an fd. */
	char *paths[CONFIG_N_FILES];
	char *disk_paths[AVF_MAX_DISKS];
	/* The files are known by path only: config_resolve() opens them. */
	bool deferred;
	uint64_t storage_bytes; /* 0: no encrypted storage */
	bool output_captured;
	bool console_input;
};

/* One wrong field. */
struct config_problem {
	char *field; /* owned */
	char *text;  /* owned */
};

struct avf_problems {
	struct config_problem *rows; /* owned */
	size_t n_rows;
};

/**
 * The beginning of every public function: an old error must not be taken for
 * one of this call, and @object must not be NULL (AVF_ERR_INVALID).
 */
int config_begin(const void *object) MUST_CHECK;

/** avf_config_new() and _free() without the error record. */
int config_new(enum avf_config_kind kind, avf_config **ret_config) MUST_CHECK;
void config_free(avf_config *config);
/** For CLEANUP. */
void config_free_p(avf_config **config);

/** A copy, with duplicates of its fds. */
int config_copy(const avf_config *config, avf_config **ret_config) MUST_CHECK;

/**
 * The plain data of @config; borrowed until the next change. It has no files
 * while the configuration is deferred.
 */
const struct vm_config *config_vm(const avf_config *config);

/**
 * avf_config_validate(). As it, returns the number of problems; the error
 * record then holds nothing of them.
 */
int config_validate(const avf_config *config,
		    avf_problems **ret_problems) MUST_CHECK;

/** Fail with the first problem, as "field: text". Errors: AVF_ERR_INVALID. */
int config_check(const avf_config *config) MUST_CHECK;

void problems_free(avf_problems *problems);
/** For CLEANUP. */
void problems_free_p(avf_problems **problems);

/** Add a row, for config_validate(). */
int problems_add(avf_problems *problems, const char *field, const char *format,
		 ...) MUST_CHECK PRINTF_LIKE(3, 4);

/* The setters that may fail. */
int config_set_name(avf_config *config, const char *name) MUST_CHECK;
int config_set_cmdline(avf_config *config, const char *cmdline) MUST_CHECK;
int config_set_memory_mib(avf_config *config, uint32_t mib) MUST_CHECK;
int config_set_vcpus(avf_config *config, uint32_t count) MUST_CHECK;
int config_set_cpu_topology(avf_config *config,
			    enum avf_cpu_topology topology) MUST_CHECK;
int config_set_jail(avf_config *config, enum avf_jail jail) MUST_CHECK;
int config_set_acceleration(avf_config *config,
			    enum avf_acceleration acceleration) MUST_CHECK;
int config_set_architecture(avf_config *config,
			    enum avf_architecture architecture) MUST_CHECK;
int config_set_debug_level(avf_config *config,
			   enum avf_debug_level level) MUST_CHECK;
int config_set_payload_name(avf_config *config, const char *name) MUST_CHECK;
int config_set_payload_config_path(avf_config *config,
				   const char *path) MUST_CHECK;
int config_set_guest_image(avf_config *config, const char *dir) MUST_CHECK;

int config_set_storage_bytes(avf_config *config, uint64_t bytes) MUST_CHECK;

/**
 * Put a duplicate of @fd, -1 for none, in *@target (console, log). @field
 * names it in errors. Errors: AVF_ERR_INVALID (not open for that).
 */
int config_set_sink(int *target, int fd, const char *field,
		    bool is_input) MUST_CHECK;

/* Files. These take @fd, also when they fail. */
int config_take_file(avf_config *config, enum config_file file,
		     int fd) MUST_CHECK;
int config_take_disk(avf_config *config, int fd,
		     const struct avf_disk_options *options) MUST_CHECK;

/** Open @path below @dir_fd, take it, and remember its absolute path. A
 * deferred configuration only remembers. */
int config_set_file_at(avf_config *config, enum config_file file, int dir_fd,
		       const char *path) MUST_CHECK;
/** Open @path below @dir_fd and add it. As config_set_file_at(). */
int config_add_disk_at(avf_config *config, int dir_fd, const char *path,
		       const struct avf_disk_options *options) MUST_CHECK;

/**
 * Open @path below @dir_fd, reading only or also writing, for @field of the
 * configuration. Never waits, whatever the path names.
 * Errors: AVF_ERR_NOT_FOUND, AVF_ERR_PERMISSION, AVF_ERR_INVALID (neither a
 * regular file nor a block device), AVF_ERR_IO.
 */
int config_open(int dir_fd, const char *path, bool writable, const char *field,
		int *ret_fd) MUST_CHECK;

/** As avf_config_load(), in an open directory. */
int config_parse_json(const char *text, size_t size, int base_dir_fd,
		      avf_config **ret_config) MUST_CHECK;

/* config_path.c: configurations that outlive their fds. */

/**
 * @path as an absolute one, taken from @dir_fd (AT_FDCWD: working directory).
 * The text belongs to the caller. Errors: AVF_ERR_INVALID (empty, too long).
 */
int config_absolute(int dir_fd, const char *path, const char *field,
		    char **ret_path) MUST_CHECK;

/**
 * Close the files of @config and keep their paths. Console and log stay.
 * Errors: AVF_ERR_INVALID (a file was given as an fd), with no change.
 */
int config_defer(avf_config *config) MUST_CHECK;

/**
 * A copy of @config with its files open. Errors: those of opening them.
 */
int config_resolve(const avf_config *config,
		   avf_config **ret_config) MUST_CHECK;

/** AVF's isCompatibleWith(). */
bool config_is_compatible(const avf_config *a, const avf_config *b);

/**
 * @config as JSON text with its version, for a file. Only paths are kept of
 * its files, and nothing of console and log. The text belongs to the caller.
 * Errors: AVF_ERR_INVALID (a path or text is not UTF-8), AVF_ERR_NO_MEMORY.
 */
int config_write_json(const avf_config *config, char **ret_text) MUST_CHECK;

/**
 * Read what config_write_json() wrote: deferred, nothing is opened.
 * Errors: AVF_ERR_FORMAT, AVF_ERR_UNSUPPORTED (a newer version),
 * AVF_ERR_INVALID, AVF_ERR_LIMIT.
 */
int config_parse_written(const char *text, size_t size,
			 avf_config **ret_config) MUST_CHECK;

/** The same, from the beginning of the open file @fd. */
int config_load_written(int fd, avf_config **ret_config) MUST_CHECK;
