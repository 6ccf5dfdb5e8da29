/*
 * How this works: the tables are written one behind the other into one buffer
 * of the host, through the aml writer, which remembers an overflow. Each table
 * is closed by finish() before the next begins, so addresses of earlier tables
 * are known to the later ones: DSDT, then the FADT that points to it, then the
 * XSDT that lists all. Only the RSDP comes first in memory and is filled last.
 * Nothing here reads what a guest wrote. Section numbers are those of ACPI 6.4.
 */
#include "boot/acpi.h"

#include <string.h>

#include "base/byteorder.h"
#include "boot/layout_x86_64.h"

/* ACPI 6.4 section 5.2.6 */
struct table_header {
	char signature[4];
	le32 length;
	unsigned char revision;
	unsigned char checksum;
	char oem_id[6];
	char oem_table_id[8];
	le32 oem_revision;
	char creator_id[4];
	le32 creator_revision;
};
_Static_assert(sizeof(struct table_header) == 36, "ACPI header layout");

/* Section 5.2.5.3 */
struct rsdp {
	char signature[8];
	unsigned char checksum; /* of the first 20 bytes */
	char oem_id[6];
	unsigned char revision;
	le32 rsdt;
	le32 length;
	le64 xsdt;
	unsigned char ext_checksum; /* of all */
	unsigned char reserved[3];
};
_Static_assert(sizeof(struct rsdp) == 36, "RSDP layout");
#define RSDP_V1_BYTES 20U

/* Generic address structure, section 5.2.3.2 */
struct gas {
	unsigned char space; /* 1: I/O port */
	unsigned char bit_width;
	unsigned char bit_offset;
	unsigned char access_size; /* 1: byte */
	le64 address;
};
_Static_assert(sizeof(struct gas) == 12, "generic address layout");

/* Section 5.2.9, the fields that mean something on reduced hardware. */
struct fadt {
	struct table_header head;
	le32 firmware_ctrl;
	le32 dsdt;
	unsigned char skipped0[109 - 44];
	le16 boot_arch;
	unsigned char skipped1;
	le32 flags;
	struct gas reset_reg;
	unsigned char reset_value;
	unsigned char skipped2[131 - 129];
	unsigned char minor_revision;
	le64 x_firmware_ctrl;
	le64 x_dsdt;
	unsigned char skipped3[244 - 148];
	struct gas sleep_control;
	struct gas sleep_status;
	char hypervisor[8];
};
_Static_assert(sizeof(struct fadt) == 276, "FADT layout");

#define FADT_REVISION   6U
#define FADT_MINOR      4U
#define FADT_NO_VGA     0x0004U
#define FADT_NO_CMOS    0x0020U
#define FADT_WBINVD     0x00000001U
#define FADT_NO_BUTTONS 0x00000030U /* no fixed power or sleep button */
#define FADT_RESET      0x00000400U
#define FADT_REDUCED    0x00100000U

/* Section 5.2.12 */
struct madt {
	struct table_header head;
	le32 lapic_address;
	le32 flags; /* 0: there is no 8259 */
};

struct madt_lapic {
	unsigned char type; /* 0 */
	unsigned char length;
	unsigned char processor_uid;
	unsigned char apic_id;
	le32 flags; /* 1: enabled */
};
_Static_assert(sizeof(struct madt_lapic) == 8, "MADT LAPIC layout");

struct madt_ioapic {
	unsigned char type; /* 1 */
	unsigned char length;
	unsigned char id;
	unsigned char reserved;
	le32 address;
	le32 first_gsi;
};
_Static_assert(sizeof(struct madt_ioapic) == 12, "MADT IOAPIC layout");

/* PCI Firmware 3.0, table 4-3 */
struct mcfg {
	struct table_header head;
	unsigned char reserved0[8];
	le64 base;
	le16 segment;
	unsigned char first_bus;
	unsigned char last_bus;
	unsigned char reserved1[4];
};
_Static_assert(sizeof(struct mcfg) == 60, "MCFG layout");

#define TABLE_ALIGN 16U

struct builder {
	struct aml out;
	gpa_t base;
	const struct boot_input *in; /* borrowed */
};

/*
 * The byte that makes the sum of all bytes 0 (5.2.5.3, 5.2.6). The field itself
 * must still be 0 when this is called.
 */
static unsigned char checksum(const unsigned char *data, size_t size)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += data[i];
	return (unsigned char)(0x100U - (sum & 0xffU));
}

/*
 * Pads the output, not a table: the bytes between tables belong to none, so no
 * length or checksum covers them.
 */
static void align(struct builder *b)
{
	static const unsigned char zeros[TABLE_ALIGN];
	const size_t over = b->out.size % TABLE_ALIGN;

	if (over)
		aml_bytes(&b->out, zeros, TABLE_ALIGN - over);
}

/* Length and checksum stay 0: finish() sets them. */
static struct table_header header(const char *signature, unsigned char revision)
{
	struct table_header h = {
		.revision = revision,
		.oem_revision = le32_make(1),
		.creator_revision = le32_make(1),
	};

	memcpy(h.signature, signature, sizeof(h.signature));
	memcpy(h.oem_id, "LIBAVF", sizeof(h.oem_id));
	memcpy(h.oem_table_id, "AVFVMM  ", sizeof(h.oem_table_id));
	memcpy(h.creator_id, "AVF ", sizeof(h.creator_id));
	return h;
}

/* Set length and checksum of the table at @at, which ends the output. */
static gpa_t finish(struct builder *b, size_t at)
{
	unsigned char *table = b->out.data + at;
	const size_t size = b->out.size - at;
	le32 length = le32_make((uint32_t)size);

	if (!aml_overflowed(&b->out)) {
		memcpy(table + offsetof(struct table_header, length), &length,
		       sizeof(length));
		table[offsetof(struct table_header, checksum)] =
			checksum(table, size);
	}
	align(b);
	return b->base + at;
}

static gpa_t write_dsdt(struct builder *b)
{
	const struct table_header h = header("DSDT", 2);
	const size_t at = b->out.size;

	aml_bytes(&b->out, &h, sizeof(h));
	acpi_write_dsdt(&b->out, b->in);
	return finish(b, at);
}

/* A byte-wide I/O port, the only kind of register that we have. */
static struct gas port(uint16_t number)
{
	return (struct gas){.space = 1,
			    .bit_width = 8,
			    .access_size = 1,
			    .address = le64_make(number)};
}

/*
 * HW_REDUCED_ACPI says that there is no PM1 block, no SMI command and no FACS
 * (4.1), so those fields stay 0. The three ports must be those that
 * lib/devices/pm_x86_64.c serves.
 */
static gpa_t write_fadt(struct builder *b, gpa_t dsdt)
{
	const size_t at = b->out.size;
	const struct fadt t = {
		.head = header("FACP", FADT_REVISION),
		.dsdt = le32_make((uint32_t)dsdt),
		.x_dsdt = le64_make(dsdt),
		.boot_arch = le16_make(FADT_NO_VGA | FADT_NO_CMOS),
		.flags = le32_make(FADT_REDUCED | FADT_RESET | FADT_NO_BUTTONS |
				   FADT_WBINVD),
		.reset_reg = port(LAYOUT_PM_RESET),
		.reset_value = LAYOUT_PM_RESET_VALUE,
		.minor_revision = FADT_MINOR,
		.sleep_control = port(LAYOUT_PM_SLEEP_CONTROL),
		.sleep_status = port(LAYOUT_PM_SLEEP_STATUS),
		.hypervisor = "AVFVMM",
	};

	aml_bytes(&b->out, &t, sizeof(t));
	return finish(b, at);
}

/*
 * Processor UIDs and APIC ids are the index of the vCPU; hv/ gives each vCPU
 * the same APIC id, and Linux boots no CPU that is not listed here.
 */
static gpa_t write_madt(struct builder *b)
{
	const size_t at = b->out.size;
	const struct madt t = {.head = header("APIC", 5),
			       .lapic_address =
				       le32_make((uint32_t)LAYOUT_LAPIC)};
	/* its id is free to choose: nothing on a modern bus uses it */
	const struct madt_ioapic ioapic = {
		.type = 1,
		.length = sizeof(ioapic),
		.address = le32_make((uint32_t)LAYOUT_IOAPIC)};

	aml_bytes(&b->out, &t, sizeof(t));
	for (unsigned int i = 0; i < b->in->n_vcpus; i++) {
		const struct madt_lapic cpu = {
			.length = sizeof(cpu),
			.processor_uid = (unsigned char)i,
			.apic_id = (unsigned char)i,
			.flags = le32_make(1),
		};

		aml_bytes(&b->out, &cpu, sizeof(cpu));
	}
	aml_bytes(&b->out, &ioapic, sizeof(ioapic));
	return finish(b, at);
}

/*
 * ECAM has 1 MiB for each bus, which is where the last bus number is from. The
 * DSDT reserves the same range, or Linux would not use it.
 */
static gpa_t write_mcfg(struct builder *b)
{
	const size_t at = b->out.size;
	const struct mcfg t = {
		.head = header("MCFG", 1),
		.base = le64_make(b->in->ecam.base),
		.last_bus = (unsigned char)((b->in->ecam.size >> 20) - 1),
	};

	aml_bytes(&b->out, &t, sizeof(t));
	return finish(b, at);
}

static gpa_t write_xsdt(struct builder *b, const gpa_t *tables, size_t n)
{
	const struct table_header h = header("XSDT", 1);
	const size_t at = b->out.size;
	le64 entry;

	aml_bytes(&b->out, &h, sizeof(h));
	for (size_t i = 0; i < n; i++) {
		entry = le64_make(tables[i]);
		aml_bytes(&b->out, &entry, sizeof(entry));
	}
	return finish(b, at);
}

/* Goes into the room that acpi_build() left at the front. */
static void write_rsdp(struct builder *b, gpa_t xsdt)
{
	struct rsdp r = {.revision = 2,
			 .length = le32_make(sizeof(r)),
			 .xsdt = le64_make(xsdt)};

	memcpy(r.signature, "RSD PTR ", sizeof(r.signature));
	memcpy(r.oem_id, "LIBAVF", sizeof(r.oem_id));
	r.checksum = checksum((const unsigned char *)&r, RSDP_V1_BYTES);
	r.ext_checksum = checksum((const unsigned char *)&r, sizeof(r));
	memcpy(b->out.data, &r, sizeof(r));
}

int acpi_build(const struct boot_input *in, gpa_t base, void *data,
	       size_t capacity, size_t *ret_size)
{
	static const struct rsdp room;
	struct builder b = {.base = base, .in = in};
	gpa_t tables[3];
	gpa_t dsdt;
	gpa_t xsdt;

	aml_init(&b.out, data, capacity);
	aml_bytes(&b.out, &room, sizeof(room));
	align(&b);
	dsdt = write_dsdt(&b);
	/* Linux wants the FADT before the others that depend on it */
	tables[0] = write_fadt(&b, dsdt);
	tables[1] = write_madt(&b);
	tables[2] = write_mcfg(&b);
	xsdt = write_xsdt(&b, tables, 3);
	if (aml_overflowed(&b.out))
		return fail(AVF_ERR_LIMIT,
			    "ACPI tables need more than %zu bytes", capacity);
	write_rsdp(&b, xsdt);
	*ret_size = b.out.size;
	return 0;
}
