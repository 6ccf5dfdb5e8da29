/*
 * Encoded configurations: what can be read can be written and read again.
 *
 * After a minute: cov: 134.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <unistd.h>

#include "config/vm_config.h"

#define N_FDS 6U

static void check_again(const struct vm_config *config)
{
	unsigned char buf[VM_CONFIG_MAX_BYTES];
	int fds[VM_CONFIG_MAX_FDS];
	struct vm_config again;
	unsigned int n;
	size_t used;

	FUZZ_ASSERT(vm_config_encode(config, buf, sizeof(buf), &used, fds,
				     VM_CONFIG_MAX_FDS, &n) == 0);
	for (unsigned int i = 0; i < n; i++)
		fds[i] = dup(fds[i]);
	FUZZ_ASSERT(vm_config_decode(buf, used, fds, n, &again) == 0);
	FUZZ_ASSERT(again.n_disks == config->n_disks);
	vm_config_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int before = fuzz_count_fds();
	struct fuzz_input in = {data, size};
	unsigned int n = fuzz_u8(&in) % (N_FDS + 1);
	bool bare = fuzz_u8(&in) & 1;
	static const uint8_t head[] = {VM_CONFIG_FORMAT, 0, 0, 0};
	unsigned char buf[VM_CONFIG_MAX_BYTES + 64];
	size_t used = bare ? 0 : sizeof(head);
	struct vm_config config;
	int fds[N_FDS];

	memcpy(buf, head, used);
	used += fuzz_bytes(&in, buf + used, sizeof(buf) - used);
	for (unsigned int i = 0; i < n; i++)
		fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (vm_config_decode(buf, used, fds, n, &config) == 0) {
		check_again(&config);
		vm_config_fini(&config);
	}
	FUZZ_ASSERT(fuzz_count_fds() == before);
	return 0;
}
