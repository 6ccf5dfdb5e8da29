#include "support/fake_hv.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"

static struct fake_hv *to_fake(struct hv *hv)
{
	return container_of(hv, struct fake_hv, hv);
}

static int add_memory(struct hv *hv, uint64_t gpa, uint64_t size, void *host)
{
	(void)gpa;
	(void)host;
	to_fake(hv)->n_memory++;
	to_fake(hv)->memory_size += size;
	return 0;
}

static int add_irq_chip(struct hv *hv)
{
	(void)hv;
	return 0;
}

static int add_ioeventfd(struct hv *hv, uint64_t gpa, int fd)
{
	struct fake_hv *fake = to_fake(hv);

	if (fake->refuse_ioeventfds || fake->n_ioeventfds == FAKE_HV_MAX)
		return fail(AVF_ERR_LIMIT, "no more ioeventfds");
	for (unsigned int i = 0; i < fake->n_ioeventfds; i++) {
		if (fake->ioeventfds[i].gpa == gpa)
			return fail(AVF_ERR_EXISTS, "doorbell exists");
	}
	fake->ioeventfds[fake->n_ioeventfds++] =
		(struct fake_ioeventfd){gpa, fd};
	return 0;
}

static void remove_ioeventfd(struct hv *hv, uint64_t gpa, int fd)
{
	struct fake_hv *fake = to_fake(hv);

	for (unsigned int i = 0; i < fake->n_ioeventfds; i++) {
		const struct fake_ioeventfd *e = &fake->ioeventfds[i];

		if (e->gpa != gpa || e->fd != fd)
			continue;
		fake->ioeventfds[i] = fake->ioeventfds[--fake->n_ioeventfds];
		return;
	}
}

static int add_msi_route(struct hv *hv, int fd, struct hv_msi msi,
			 unsigned int *ret_route)
{
	struct fake_hv *fake = to_fake(hv);

	for (unsigned int i = 0; i < fake->max_routes; i++) {
		if (fake->routes[i].used)
			continue;
		fake->routes[i] = (struct fake_route){true, fd, msi};
		*ret_route = i;
		return 0;
	}
	return fail(AVF_ERR_LIMIT, "no more routes");
}

static int set_msi_route(struct hv *hv, unsigned int route, struct hv_msi msi)
{
	to_fake(hv)->routes[route].msi = msi;
	return 0;
}

static void remove_msi_route(struct hv *hv, unsigned int route)
{
	to_fake(hv)->routes[route].used = false;
}

static int add_line(struct hv *hv, unsigned int line, int fd)
{
	(void)hv;
	(void)line;
	(void)fd;
	return 0;
}

static int start(struct hv *hv)
{
	(void)hv;
	return 0;
}

static void no_free(struct hv *hv)
{
	(void)hv;
}

static int vcpu_new(struct hv *hv, unsigned int index,
		    struct hv_vcpu **ret_vcpu)
{
	(void)hv;
	(void)index;
	(void)ret_vcpu;
	return fail(AVF_ERR_UNSUPPORTED, "the fake has no CPUs");
}

static const struct hv_ops fake_ops = {
	.add_memory = add_memory,
	.add_irq_chip = add_irq_chip,
	.add_ioeventfd = add_ioeventfd,
	.remove_ioeventfd = remove_ioeventfd,
	.add_msi_route = add_msi_route,
	.set_msi_route = set_msi_route,
	.remove_msi_route = remove_msi_route,
	.add_line = add_line,
	.start = start,
	.free = no_free,
	.vcpu_new = vcpu_new,
};

void fake_hv_init(struct fake_hv *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->hv.ops = &fake_ops;
	fake->max_routes = FAKE_HV_MAX;
}

bool fake_hv_ring(struct fake_hv *fake, uint64_t gpa)
{
	const uint64_t one = 1;

	for (unsigned int i = 0; i < fake->n_ioeventfds; i++) {
		if (fake->ioeventfds[i].gpa == gpa)
			return write(fake->ioeventfds[i].fd, &one,
				     sizeof(one)) == sizeof(one);
	}
	return false;
}

uint64_t fake_hv_delivered(struct fake_hv *fake, uint64_t addr, uint32_t data)
{
	uint64_t count;

	for (unsigned int i = 0; i < FAKE_HV_MAX; i++) {
		const struct fake_route *r = &fake->routes[i];

		if (r->used && r->msi.addr == addr && r->msi.data == data &&
		    read(r->fd, &count, sizeof(count)) == sizeof(count))
			return count;
	}
	return 0;
}

unsigned int fake_hv_n_routes(const struct fake_hv *fake)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < FAKE_HV_MAX; i++)
		n += fake->routes[i].used;
	return n;
}
