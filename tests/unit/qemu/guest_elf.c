#include "guest_elf.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

#define LOAD_ADDR        0x100000U
#define XEN_PHYS32_ENTRY 18U

/* 32-bit protected mode, flat segments, paging off. */
static const unsigned char print_hello[] = {
	0xba, 0xf8, 0x03, 0x00, 0x00, /* mov $0x3f8, %edx */
	0xb0, 'h',  0xee, 0xb0, 'e',  0xee, 0xb0, 'l', 0xee, 0xb0,
	'l',  0xee, 0xb0, 'o',  0xee, 0xb0, '\n', 0xee /* mov $c, %al; out %al,
							  %dx */
};
static const unsigned char endings[][16] = {
	/* mov $0x604, %dx; mov $0x2000, %ax; out %ax, %dx; hlt: SLP_EN in
	 * the PM1a control register, where the firmware puts it on q35 */
	[GUEST_POWERS_OFF] = {0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20,
			      0x66, 0xef, 0xf4},
	/* lidt 0 (an empty table at 0x1000 of zeroes); ud2 */
	[GUEST_TRIPLE_FAULTS] = {0x0f, 0x01, 0x1d, 0x00, 0x10, 0x00, 0x00, 0x0f,
				 0x0b},
	[GUEST_HANGS] = {0xeb, 0xfe}, /* jmp . */
};

struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr load, note;
	Elf64_Nhdr nh;
	char owner[4];
	uint64_t entry;
	unsigned char code[64];
};

static void fill(struct image *im, enum guest_end end)
{
	memset(im, 0, sizeof(*im));
	memcpy(im->eh.e_ident, ELFMAG, SELFMAG);
	im->eh.e_ident[EI_CLASS] = ELFCLASS64;
	im->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	im->eh.e_ident[EI_VERSION] = EV_CURRENT;
	im->eh.e_type = ET_EXEC;
	im->eh.e_machine = EM_X86_64;
	im->eh.e_version = EV_CURRENT;
	im->entry = LOAD_ADDR + offsetof(struct image, code);
	im->eh.e_entry = im->entry;
	im->eh.e_phoff = offsetof(struct image, load);
	im->eh.e_ehsize = sizeof(im->eh);
	im->eh.e_phentsize = sizeof(im->load);
	im->eh.e_phnum = 2;
	im->load.p_type = PT_LOAD;
	im->load.p_flags = PF_R | PF_W | PF_X;
	im->load.p_vaddr = LOAD_ADDR;
	im->load.p_paddr = LOAD_ADDR;
	im->load.p_filesz = sizeof(*im);
	im->load.p_memsz = sizeof(*im);
	im->load.p_align = 4096;
	im->note.p_type = PT_NOTE;
	im->note.p_offset = offsetof(struct image, nh);
	im->note.p_filesz = offsetof(struct image, code) - im->note.p_offset;
	im->note.p_memsz = im->note.p_filesz;
	im->note.p_align = 4;
	im->nh.n_namesz = sizeof(im->owner);
	im->nh.n_descsz = sizeof(im->entry);
	im->nh.n_type = XEN_PHYS32_ENTRY;
	memcpy(im->owner, "Xen", 4);
	memcpy(im->code, print_hello, sizeof(print_hello));
	memcpy(im->code + sizeof(print_hello), endings[end],
	       sizeof(endings[end]));
}

int guest_elf_open(enum guest_end end)
{
	struct image im;
	int fd = memfd_create("guest", MFD_CLOEXEC);

	fill(&im, end);
	if (fd >= 0 && fd_write_all(fd, &im, sizeof(im)) < 0) {
		fd_close(fd);
		return -1;
	}
	return fd;
}
