/* Reading JSON strictly: known keys only, right types only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "config/config.h"

/** Limits of avf_config_parse_json(). */
#define CONFIG_JSON_MAX_BYTES (1024U * 1024U)
#define CONFIG_JSON_MAX_DEPTH 16U

/* One reading of a configuration. */
struct config_reader {
	avf_config *config; /* borrowed */
	int base_dir_fd;    /* borrowed; AT_FDCWD: working directory */
};

/* A key and the one function that stores its value; the others are NULL. */
struct config_key {
	const char *name;
	int (*text)(struct config_reader *reader, const char *value);
	int (*number)(avf_config *config, uint32_t value);
	int (*bytes)(avf_config *config, uint64_t value);
	int (*flag)(avf_config *config, bool value);
	int (*array)(struct config_reader *reader, json_t *value);
	/* Not supported: the reason. An empty array or object is fine. */
	const char *refusal;
};

/** A value as the type that its name says; @field names it in errors. */
int config_json_text(const json_t *value, const char *field,
		     const char **ret_text) MUST_CHECK;
int config_json_number(const json_t *value, const char *field,
		       uint32_t *ret_number) MUST_CHECK;
int config_json_bytes(const json_t *value, const char *field,
		      uint64_t *ret_bytes) MUST_CHECK;
int config_json_flag(const json_t *value, const char *field,
		     bool *ret_flag) MUST_CHECK;

/**
 * Every key of @object is one of the @n_keys. @where is put in front of the
 * key in errors ("disks[0]."). Errors: AVF_ERR_INVALID (proposes the nearest
 * key, or lists them), AVF_ERR_UNSUPPORTED (the key's refusal).
 */
int config_json_check_keys(json_t *object, const char *where,
			   const struct config_key *keys,
			   size_t n_keys) MUST_CHECK;

/** Fail with AVF_ERR_LIMIT where brackets nest deeper than the limit. */
int config_json_check_depth(const char *text, size_t size) MUST_CHECK;

/** The array "disks". */
int config_json_disks(struct config_reader *reader, json_t *array) MUST_CHECK;
