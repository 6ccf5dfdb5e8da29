/*
 * A hypervisor that only remembers what it was asked for. Its interrupts are
 * the eventfds of its routes, its doorbells are rung by the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hv/hv.h"

#define FAKE_HV_MAX 64

struct fake_ioeventfd {
	uint64_t gpa;
	int fd;
};

struct fake_route {
	bool used;
	int fd;
	struct hv_msi msi;
};

struct fake_hv {
	struct hv hv;
	unsigned int n_ioeventfds;
	struct fake_ioeventfd ioeventfds[FAKE_HV_MAX];
	unsigned int max_routes; /* lower it to run out */
	struct fake_route routes[FAKE_HV_MAX];
	unsigned int n_memory;
	uint64_t memory_size;
	bool refuse_ioeventfds;
};

void fake_hv_init(struct fake_hv *fake);

/** A guest write at @gpa: rings the doorbell there. False: there is none. */
bool fake_hv_ring(struct fake_hv *fake, uint64_t gpa);

/** How often the message @addr, @data was sent since the last question. */
uint64_t fake_hv_delivered(struct fake_hv *fake, uint64_t addr, uint32_t data);

unsigned int fake_hv_n_routes(const struct fake_hv *fake);
