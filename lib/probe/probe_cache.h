/*
 * Answers that hold until the next boot, remembered in a file of the user:
 * those that take a trial guest or another program. An answer is kept under a
 * key, a text of all that it depends on; with any other key it is forgotten.
 *
 * Whatever is wrong with the file, its directory or the disk: the question is
 * asked again, and nothing fails.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "probe/probe.h"

#define PROBE_KEY_SIZE 640U /* bytes, NUL included */

/* What an answer depends on. */
struct probe_key {
	char text[PROBE_KEY_SIZE];
	size_t used;
	bool bad; /* something could not be found out, or was too long */
};

/** Begin with what is the same for every question: this boot, this kernel,
 * this user, this version of the library. */
void probe_key_init(struct probe_key *key, const struct probe_env *env);

/** Add a file's identity: which one it is, and when it last changed. */
void probe_key_add_file(struct probe_key *key, const char *path);

/**
 * Append the rows of @wanted (NULL-terminated) that file @name keeps under
 * @key. Returns whether all of them were there; otherwise @probe is as it was.
 */
bool probe_cache_load(const struct probe_env *env, const char *name,
		      const struct probe_key *key, struct avf_probe *probe,
		      const char *const *wanted);

/** Keep the rows of @wanted in @probe, if each says yes or limited: what does
 * not work may be made to work. */
void probe_cache_store(const struct probe_env *env, const char *name,
		       const struct probe_key *key,
		       const struct avf_probe *probe,
		       const char *const *wanted);

/**
 * The directory for the files: $XDG_RUNTIME_DIR/libvirtualization, else
 * $XDG_CACHE_HOME/libvirtualization, else ~/.cache/libvirtualization; "" where
 * none of them can be had as the user's own. Makes the last component.
 */
void probe_cache_find_dir(char *buf, size_t size);
