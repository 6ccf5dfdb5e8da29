/*
 * How a PC starts without firmware: check the layout, put kernel, initrd,
 * command line, ACPI tables and memory map into guest memory, and say how the
 * boot CPU's registers must be. A kernel with a PVH note is entered in 32-bit
 * mode (pvh.rst of Linux), another one at its 64-bit entry (boot.rst). Pure:
 * hv/ sets the registers. Runs once, before any vCPU exists. Kernel and initrd
 * may be hostile.
 */
#include <string.h>

#include "base/byteorder.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "boot/acpi.h"
#include "boot/boot.h"
#include "boot/bzimage.h"
#include "boot/elf.h"
#include "boot/initrd.h"
#include "boot/kernel_image.h"
#include "boot/layout_x86_64.h"
#include "boot/pvh.h"
#include "boot/zero_page.h"

#define PAGE 4096ULL

#define CR0_PE   0x1ULL
#define CR0_ET   0x10ULL
#define CR0_PG   0x80000000ULL
#define CR4_PAE  0x20ULL
#define EFER_LME 0x100ULL
#define EFER_LMA 0x400ULL

/* Linux's __BOOT_CS and __BOOT_DS are 0x10 and 0x18; PVH takes any. */
#define SEL_CODE 0x10U
#define SEL_DATA 0x18U
#define SEL_TASK 0x20U

/* Descriptor types, Intel SDM volume 3 sections 3.4.5.1 and 3.5 */
#define TYPE_CODE 0xbU /* execute, read, accessed */
#define TYPE_DATA 0x3U /* read, write, accessed */
#define TYPE_TSS  0xbU /* 32-bit or 64-bit TSS, busy */

#define TSS_LIMIT 0x67U

/*
 * Ranges go into ACPI descriptors as first and last address: one that wraps
 * would describe nonsense.
 */
static int check_window(struct boot_range r, const char *what)
{
	uint64_t end;

	if (ckd_add(&end, r.base, r.size) || ((r.base | r.size) & (PAGE - 1)))
		return fail(AVF_ERR_INVALID,
			    "layout: %s wraps or is not page aligned", what);
	return 0;
}

/*
 * Below 4 GiB, as the DSDT has ECAM in a 32-bit descriptor; whole MiB are
 * counted as buses.
 */
static int check_ecam(struct boot_range ecam)
{
	if (ecam.base > UINT32_MAX || ecam.size < (1U << 20) ||
	    ecam.size > (256U << 20))
		return fail(AVF_ERR_INVALID,
			    "layout: ECAM has 1 to 256 buses below 4 GiB");
	return 0;
}

/*
 * What the rest relies on: no sum of these numbers wraps, and low RAM reaches
 * beyond 1 MiB, so that the tables below it are RAM.
 */
static int check_input(const struct boot_input *in)
{
	uint64_t end;
	int rc;

	if (in->n_vcpus == 0 || in->n_vcpus > BOOT_MAX_VCPUS)
		return fail(AVF_ERR_INVALID, "vCPUs: %u, 1 to %u can be booted",
			    in->n_vcpus, BOOT_MAX_VCPUS);
	if (in->low_ram_size <= LAYOUT_KERNEL_MIN ||
	    in->low_ram_size > LAYOUT_HIGH_RAM ||
	    ckd_add(&end, LAYOUT_HIGH_RAM, in->high_ram_size))
		return fail(AVF_ERR_INVALID, "layout: impossible RAM size");
	rc = check_ecam(in->ecam);
	if (rc >= 0)
		rc = check_window(in->ecam, "ECAM");
	if (rc >= 0)
		rc = check_window(in->mmio32, "32-bit MMIO");
	if (rc >= 0)
		rc = check_window(in->mmio64, "64-bit MMIO");
	return rc;
}

/* arm64's Image: "ARM\x64" at 56 (Documentation/arch/arm64/booting.rst) */
static bool is_arm64_image(const unsigned char *head, size_t size)
{
	return size >= 60 && memcmp(head + 56, "ARM\x64", 4) == 0;
}

/*
 * Find the ELF kernel in the file: the file itself, or unpacked into
 * *@ret_unpacked, which then backs *@ret_elf.
 */
static int open_kernel(int fd, struct unpack_buffer *ret_unpacked,
		       struct kernel_image *ret_elf)
{
	unsigned char head[BZIMAGE_HEAD_BYTES] = {0};
	struct kernel_image file;
	size_t size;
	int rc;

	rc = kernel_image_from_fd(fd, &file);
	if (rc < 0)
		return rc;
	size = (size_t)MIN(file.size, sizeof(head));
	rc = kernel_image_read(&file, 0, head, size, "its beginning");
	if (rc < 0)
		return rc;
	if (elf_detect(head, size)) {
		*ret_elf = file;
		return 0;
	}
	if (is_arm64_image(head, size))
		return fail(AVF_ERR_UNSUPPORTED,
			    "kernel: arm64 Image; this host is x86-64");
	if (bzimage_detect(head, size))
		rc = bzimage_unpack(&file, ret_unpacked);
	else if (unpack_detect(head, size) != UNPACK_NONE)
		rc = bzimage_unpack_at(&file, 0, file.size, ret_unpacked);
	else
		return fail(AVF_ERR_FORMAT, "kernel: neither ELF nor bzImage");
	if (rc >= 0)
		*ret_elf = kernel_image_from_bytes(ret_unpacked->data,
						   ret_unpacked->size);
	return rc;
}

/* The unpacked kernel lives until it has been copied into the guest. */
static int load_kernel(const struct boot_input *in,
		       struct elf_kernel *ret_kernel)
{
	CLEANUP(unpack_buffer_fini) struct unpack_buffer unpacked = {0};
	struct kernel_image elf;
	int rc;

	rc = open_kernel(in->kernel_fd, &unpacked, &elf);
	if (rc < 0)
		return rc;
	return elf_load(&elf, in->gm, in->low_ram_size, ret_kernel);
}

static int load_initrd(const struct boot_input *in, gpa_t kernel_end,
		       struct boot_range *ret_range)
{
	/* the kernel was checked to end in RAM */
	const struct boot_range room = {
		.base = kernel_end,
		.size = in->low_ram_size - kernel_end,
	};

	*ret_range = (struct boot_range){0};
	if (in->initrd_fd < 0)
		return 0;
	return initrd_load(in->initrd_fd, in->gm, room, ret_range);
}

/* LAYOUT_CMDLINE_MAX bytes and the NUL end before the page tables begin. */
static int write_cmdline(const struct boot_input *in,
			 struct boot_range *ret_range)
{
	const char *text = in->cmdline ? in->cmdline : "";
	const size_t len = strlen(text);

	if (len > LAYOUT_CMDLINE_MAX)
		return fail(AVF_ERR_INVALID,
			    "command line: %zu bytes, Linux takes %u", len,
			    LAYOUT_CMDLINE_MAX);
	*ret_range = (struct boot_range){.base = LAYOUT_CMDLINE, .size = len};
	return gmem_write(in->gm, LAYOUT_CMDLINE, text, len + 1);
}

static int write_acpi(const struct boot_input *in)
{
	CLEANUP(free_p) void *tables = calloc(1, LAYOUT_ACPI_SIZE);
	size_t size;
	int rc;

	if (!tables)
		return fail(AVF_ERR_NO_MEMORY, "ACPI tables");
	rc = acpi_build(in, LAYOUT_ACPI, tables, LAYOUT_ACPI_SIZE, &size);
	if (rc < 0)
		return rc;
	return gmem_write(in->gm, LAYOUT_ACPI, tables, size);
}

/* A descriptor of a flat segment, Intel SDM volume 3 figure 3-8. */
static uint64_t descriptor(const struct boot_segment *s)
{
	const uint64_t limit = s->granular ? s->limit >> 12 : s->limit;

	return (limit & 0xffff) | (uint64_t)s->type << 40 |
	       (uint64_t)!s->system << 44 | 1ULL << 47 /* present */ |
	       (limit >> 16 & 0xf) << 48 | (uint64_t)s->long_mode << 53 |
	       (uint64_t)s->big << 54 | (uint64_t)s->granular << 55;
}

/*
 * The hidden parts of the segment registers. In protected mode with paging off
 * and in long mode alike they must be set as if loaded from the GDT: KVM checks
 * them at VM entry (Intel SDM volume 3).
 */
static void set_segments(struct boot_cpu_state *state)
{
	const bool wide = state->mode == BOOT_LONG64;

	state->code = (struct boot_segment){.selector = SEL_CODE,
					    .type = TYPE_CODE,
					    .long_mode = wide,
					    .big = !wide,
					    .granular = true,
					    .limit = UINT32_MAX};
	state->data = (struct boot_segment){.selector = SEL_DATA,
					    .type = TYPE_DATA,
					    .big = true,
					    .granular = true,
					    .limit = UINT32_MAX};
	state->task = (struct boot_segment){.selector = SEL_TASK,
					    .type = TYPE_TSS,
					    .system = true,
					    .limit = TSS_LIMIT};
}

/*
 * The table itself, for the guest's first reload of a segment register, which
 * finds what set_segments() put into the hidden parts.
 */
static int write_gdt(const struct gmem *gm, struct boot_cpu_state *state)
{
	/* in long mode a TSS descriptor takes two entries */
	le64 gdt[6] = {0};

	gdt[SEL_CODE / 8] = le64_make(descriptor(&state->code));
	gdt[SEL_DATA / 8] = le64_make(descriptor(&state->data));
	gdt[SEL_TASK / 8] = le64_make(descriptor(&state->task));
	state->gdt_gpa = LAYOUT_GDT;
	state->gdt_limit = sizeof(gdt) - 1;
	return gmem_write(gm, LAYOUT_GDT, gdt, sizeof(gdt));
}

/* Paging is off, ebx points to start_info (pvh.rst). cr0.ET is fixed to 1. */
static int enter_pvh(const struct boot_input *in, const struct boot_handover *h,
		     uint32_t entry, struct boot_cpu_state *state)
{
	state->mode = BOOT_PVH32;
	state->entry = entry;
	state->boot_info_gpa = LAYOUT_START_INFO;
	state->cr0 = CR0_PE | CR0_ET;
	return pvh_write_start_info(in->gm, h);
}

/*
 * boot.rst wants long mode with paging on, an identity mapping of the kernel
 * and the zero page, rsi pointing to the zero page.
 */
static int enter_long(const struct boot_input *in,
		      const struct boot_handover *h, gpa_t entry,
		      struct boot_cpu_state *state)
{
	int rc = zero_page_write(in->gm, h);

	if (rc < 0)
		return rc;
	state->mode = BOOT_LONG64;
	state->entry = entry;
	state->boot_info_gpa = LAYOUT_ZERO_PAGE;
	state->page_tables_gpa = LAYOUT_PAGE_TABLES;
	state->cr0 = CR0_PE | CR0_ET | CR0_PG;
	state->cr4 = CR4_PAE;
	state->efer = EFER_LME | EFER_LMA;
	return zero_page_write_tables(in->gm);
}

int boot_load(const struct boot_input *in, struct boot_cpu_state *ret_state)
{
	struct boot_handover h = {.rsdp = LAYOUT_ACPI};
	struct boot_cpu_state state = {0};
	struct elf_kernel kernel;
	int rc;

	rc = check_input(in);
	if (rc < 0)
		return rc;
	rc = load_kernel(in, &kernel);
	if (rc < 0)
		return rc;
	rc = load_initrd(in, kernel.end, &h.initrd);
	if (rc < 0)
		return rc;
	rc = write_cmdline(in, &h.cmdline);
	if (rc < 0)
		return rc;
	rc = write_acpi(in);
	if (rc < 0)
		return rc;
	/* last, since it describes what was placed above */
	h.memory = e820_build(in);
	rc = kernel.has_pvh ? enter_pvh(in, &h, kernel.pvh_entry, &state)
			    : enter_long(in, &h, kernel.entry, &state);
	if (rc < 0)
		return rc;
	set_segments(&state);
	rc = write_gdt(in->gm, &state);
	if (rc < 0)
		return rc;
	*ret_state = state;
	return 0;
}
