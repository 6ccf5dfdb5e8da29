/*
 * Where the service is, for the clients in C and C++: in a directory of Unix
 * sockets, or in a VM that is started for it. And how they measure.
 */
#pragma once

#include <stdint.h>

#include <avf/avf.h>

struct place {
	const char *name; /* unix, kvm, emulation */
	const char *dir;  /* of Unix sockets */
	avf_vm *vm;       /* owned */
};

#ifdef __cplusplus
extern "C" {
#endif

/** Words of a command line: "unix DIR", "kvm PACKAGE", "emulation PACKAGE". */
void place_open(struct place *place, const char *name, const char *what);
void place_close(struct place *place);

/** A connection to the bare echo. */
int place_dial_echo(struct place *place);

/** A connection to the service; for ARpcSession_setupPreconnectedClient(). */
int place_dial(void *place);

/** "sample rpc.PLACE.WHO.WHAT us VALUE" */
void place_sample(const struct place *place, const char *who, const char *what,
		  double us);

/* What is measured: sizes of 0 are add(). */
struct work {
	const char *what;
	uint32_t size;
	int threads;
	int share; /* of the calls: one of so many */
};

#define N_WORKS 5
/* A sample is a part of the calls, so that some of them are undisturbed. */
#define N_SLICES 10
extern const struct work works[N_WORKS];

/** Microseconds per call(@data, @size): ten first, then @count on so many
 * threads. */
double measure(const struct work *work, int count,
	       void (*call)(void *data, uint32_t size), void *data);

#ifdef __cplusplus
}
#endif
