#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/run_config.h"
#include "wire/wire.h"

static struct vm_config config, orders;

static int temp_file(void)
{
	char path[] = "/tmp/avf-test-XXXXXX";
	int fd = mkstemp(path);

	cr_assert(fd >= 0);
	(void)unlink(path);
	return fd;
}

static void setup(void)
{
	vm_config_init(&config);
	vm_config_init(&orders);
}

TestSuite(run_config, .init = setup);

Test(run_config, disks_are_locked_copies_for_as_long_as_the_orders_live)
{
	struct vm_config other;

	config.disks[0] = (struct vm_disk){.fd = temp_file(), .writable = true};
	config.n_disks = 1;
	cr_assert_eq(run_config_make(&config, &orders), 0);
	cr_expect_neq(orders.disks[0].fd, config.disks[0].fd);
	cr_expect_eq(run_config_make(&config, &other), AVF_ERR_BUSY,
		     "the same VM twice");
	vm_config_fini(&orders);
	cr_expect_eq(run_config_make(&config, &other), 0);
	vm_config_fini(&other);
	vm_config_fini(&config);
}

Test(run_config, a_payload_vm_needs_a_guest_image)
{
	char nowhere[] = "/nonexistent/image";

	config.kind = AVF_CONFIG_PAYLOAD;
	config.guest_image = nowhere;
	cr_expect_eq(run_config_make(&config, &orders), AVF_ERR_NOT_FOUND);
	cr_expect(strstr(error_record()->text, nowhere), "%s",
		  error_record()->text);
}

Test(run_config, the_orders_arrive_with_their_files)
{
	struct wire_message m;
	struct vm_config got;
	char name[] = "n";
	int pair[2];

	config.name = name;
	config.kernel_fd = temp_file();
	cr_assert_eq(fd_write_all(config.kernel_fd, "kernel", 6), 0);
	cr_assert_eq(wire_socketpair(pair), 0);
	cr_assert_eq(run_config_send(&config, pair[0]), 0);
	cr_assert_eq(wire_receive(pair[1], &m), 1);
	cr_expect_eq(m.type, WIRE_RUN);
	cr_assert_eq(vm_config_decode(m.body, m.size, m.fds, m.n_fds, &got), 0);
	cr_expect_str_eq(got.name, "n");
	cr_expect_eq(lseek(got.kernel_fd, 0, SEEK_END), 6);
	vm_config_fini(&got);
}
