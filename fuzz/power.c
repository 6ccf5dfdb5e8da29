/*
 * The ports that turn the machine off or reset it: nothing but the one byte
 * that says so does.
 *
 * After a minute: cov: 86.
 */
#include "fuzz.h"

#include "devices/pm_x86_64.h"

struct counts {
	unsigned int offs, resets;
};

static void power_off(void *userdata)
{
	((struct counts *)userdata)->offs++;
}

static void reset(void *userdata)
{
	((struct counts *)userdata)->resets++;
}

static const struct pm_x86_64_ops ops = {power_off, reset};

/* In ACPI's words (4.8.3.7): SLP_EN with a type of S5. */
static bool means_off(uint64_t port, uint64_t value, uint32_t size)
{
	return size == 1 && port == 0x600 && (value & 0x3c) == 0x34;
}

static bool means_reset(uint64_t port, uint64_t value, uint32_t size)
{
	return size == 1 && ((port == 0x602 && value == 1) ||
			     (port == 0x64 && value == 0xfe));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t bases[] = {0x600, 0x60, 0x5f8, 0x58};
	struct fuzz_input in = {data, size};
	struct counts counts = {0, 0}, want = {0, 0};
	struct pm_x86_64 pm;
	struct bus bus;

	bus_init(&bus, "pio");
	FUZZ_ASSERT(pm_x86_64_init(&pm, &bus, &ops, &counts) == 0);
	while (fuzz_more(&in)) {
		uint8_t how = fuzz_u8(&in);
		uint64_t port = bases[how & 3] + (uint64_t)(how >> 2 & 7);
		uint32_t len = how & 0x80 ? 1U << (fuzz_u8(&in) & 3) : 1;
		uint64_t value = len == 1 ? fuzz_u8(&in) : fuzz_u64(&in);

		if (how & 0x40) {
			(void)bus_read(&bus, port, &value, len);
			continue;
		}
		(void)bus_write(&bus, port, &value, len);
		want.offs += means_off(port, value, len);
		want.resets += means_reset(port, value, len);
		FUZZ_ASSERT(counts.offs == want.offs);
		FUZZ_ASSERT(counts.resets == want.resets);
	}
	pm_x86_64_fini(&pm, &bus);
	FUZZ_ASSERT(bus.n_ranges == 0);
	return 0;
}
