/* The tables by their bytes, and by ACPICA's disassembler where it exists. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/fd.h"
#include "boot/acpi.h"
#include "boot/layout_x86_64.h"

#define BASE LAYOUT_ACPI

static unsigned char tables[LAYOUT_ACPI_SIZE];

static struct boot_input machine(unsigned int n_vcpus)
{
	return (struct boot_input){
		.n_vcpus = n_vcpus,
		.ecam = {0xe0000000, 0x100000},
		.mmio32 = {0xc0000000, 0x20000000},
		.mmio64 = {0x4000000000, 0x1000000000},
	};
}

static uint32_t get32(const unsigned char *at)
{
	le32 v;

	memcpy(&v, at, sizeof(v));
	return le32_get(v);
}

static uint64_t get64(const unsigned char *at)
{
	le64 v;

	memcpy(&v, at, sizeof(v));
	return le64_get(v);
}

static unsigned int sum(const unsigned char *at, size_t size)
{
	unsigned int s = 0;

	for (size_t i = 0; i < size; i++)
		s += at[i];
	return s & 0xff;
}

static size_t build(unsigned int n_vcpus)
{
	const struct boot_input in = machine(n_vcpus);
	size_t size = 0;

	cr_assert_eq(acpi_build(&in, BASE, tables, sizeof(tables), &size), 0);
	return size;
}

/* The table of that name, by the way a kernel finds it. */
static const unsigned char *find(const char *signature)
{
	const unsigned char *xsdt = tables + (get64(tables + 24) - BASE);
	const unsigned char *table;

	for (uint32_t at = 36; at < get32(xsdt + 4); at += 8) {
		table = tables + (get64(xsdt + at) - BASE);
		if (memcmp(table, signature, 4) == 0)
			return table;
		if (memcmp(table, "FACP", 4) == 0 &&
		    strcmp(signature, "DSDT") == 0)
			return tables + (get64(table + 140) - BASE);
	}
	cr_assert_fail("no table %s", signature);
	return NULL;
}

Test(acpi, every_table_adds_up)
{
	static const char *const names[] = {"FACP", "APIC", "MCFG", "DSDT"};
	size_t size = build(3);

	cr_expect_eq(memcmp(tables, "RSD PTR ", 8), 0);
	cr_expect_eq(tables[15], 2, "RSDP revision");
	cr_expect_eq(sum(tables, 20), 0, "RSDP checksum");
	cr_expect_eq(sum(tables, 36), 0, "RSDP extended checksum");
	cr_expect_eq(get64(tables + 24) % 16, 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const unsigned char *t = find(names[i]);

		cr_expect_leq(t - tables + (ptrdiff_t)get32(t + 4),
			      (ptrdiff_t)size, "%s", names[i]);
		cr_expect_eq(sum(t, get32(t + 4)), 0, "%s", names[i]);
	}
}

Test(acpi, fadt_describes_reduced_hardware)
{
	static const unsigned char ports[] = {1, 8, 0, 1, 0x00, 0x06,
					      0, 0, 0, 0, 0,    0};
	const unsigned char *t;

	(void)build(1);
	t = find("FACP");
	cr_expect_eq(get32(t + 4), 276);
	cr_expect_eq(t[8], 6, "revision");
	cr_expect(get32(t + 112) & BIT(20), "HW_REDUCED_ACPI");
	cr_expect(get32(t + 112) & BIT(10), "RESET_REG_SUP");
	cr_expect_eq(get32(t + 36), 0, "no FACS");
	cr_expect_eq(get32(t + 40), get64(t + 140), "both DSDT pointers");
	cr_expect_eq(get64(t + 116 + 4), 0x602, "reset port");
	cr_expect_eq(t[128], 1, "reset value");
	cr_expect_eq(memcmp(t + 244, ports, sizeof(ports)), 0, "sleep port");
	cr_expect_eq(get64(t + 256 + 4), 0x601, "sleep status port");
}

Test(acpi, madt_lists_every_cpu_once)
{
	const unsigned char *t;
	uint32_t at;

	(void)build(BOOT_MAX_VCPUS);
	t = find("APIC");
	cr_expect_eq(get32(t + 36), 0xfee00000);
	cr_expect_eq(get32(t + 40), 0, "no 8259");
	for (unsigned int i = 0; i < BOOT_MAX_VCPUS; i++) {
		at = 44 + 8 * i;
		cr_expect_eq(t[at], 0);
		cr_expect_eq(t[at + 1], 8);
		cr_expect_eq(t[at + 3], i, "APIC id");
		cr_expect_eq(get32(t + at + 4), 1, "enabled");
	}
	at = 44 + 8 * BOOT_MAX_VCPUS;
	cr_expect_eq(t[at], 1, "IOAPIC");
	cr_expect_eq(t[at + 1], 12);
	cr_expect_eq(get32(t + at + 4), 0xfec00000);
	cr_expect_eq(get32(t + 4), at + 12, "and nothing else");
}

Test(acpi, mcfg_covers_the_buses)
{
	const unsigned char *t;

	(void)build(1);
	t = find("MCFG");
	cr_expect_eq(get32(t + 4), 60);
	cr_expect_eq(get64(t + 44), 0xe0000000);
	cr_expect_eq(t[54], 0, "first bus");
	cr_expect_eq(t[55], 0, "last bus");
}

Test(acpi, too_little_room_is_an_error_at_any_size)
{
	const struct boot_input in = machine(2);
	const size_t size = build(2);
	size_t got = 0;

	for (size_t room = 0; room < size; room++) {
		/* an exact buffer, so that a sanitizer sees overruns */
		void *small = malloc(room ? room : 1);

		cr_expect_eq(acpi_build(&in, BASE, small, room, &got),
			     AVF_ERR_LIMIT, "%zu bytes", room);
		free(small);
	}
	cr_expect_eq(got, 0);
	cr_expect_eq(acpi_build(&in, BASE, tables, size, &got), 0);
	cr_expect_eq(got, size);
}

static char *read_text(const char *path)
{
	char *text = calloc(1, 65536);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert_not_null(text);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_gt(fd_read_all(fd, text, 65535), 0);
	(void)close(fd);
	return text;
}

/* What ACPICA must find in the DSDT. */
static const char *const expected[] = {
	"Device (PCI0)",
	"EisaId (\"PNP0A08\")",
	"WordBusNumber (ResourceProducer",
	"0xDFFFFFFF,         // Range Maximum",
	"0x0000004FFFFFFFFF, // Range Maximum",
	"0xE0000000,         // Address Base",
	"EisaId (\"PNP0501\")",
	"0x03F8,             // Range Minimum",
	"IRQNoFlags ()",
	"Name (_S5, Package (0x04)",
};

Test(acpi, acpica_reads_the_dsdt)
{
	char command[256];
	char dir[] = "/tmp/test_acpi.XXXXXX";
	char path[64];
	const unsigned char *t;
	char *text;
	int fd;

	if (system("command -v iasl >/dev/null 2>&1") != 0)
		cr_skip_test("iasl (acpica-tools) is not installed");
	(void)build(2);
	t = find("DSDT");
	cr_assert_not_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/dsdt.dat", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_eq(fd_write_all(fd, t, get32(t + 4)), 0);
	(void)close(fd);
	(void)snprintf(command, sizeof(command),
		       "cd %s && iasl -d dsdt.dat >log 2>&1 && "
		       "iasl -we dsdt.dsl >>log 2>&1",
		       dir);
	cr_expect_eq(system(command), 0, "disassembled and compiled again");
	(void)snprintf(path, sizeof(path), "%s/dsdt.dsl", dir);
	text = read_text(path);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		cr_expect_not_null(strstr(text, expected[i]), "%s",
				   expected[i]);
	free(text);
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_expect_eq(system(command), 0);
}
