#include "support/fake_kernel.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <criterion/criterion.h>

static void fill_head(Elf64_Ehdr *h)
{
	memcpy(h->e_ident, ELFMAG, SELFMAG);
	h->e_ident[EI_CLASS] = ELFCLASS64;
	h->e_ident[EI_DATA] = ELFDATA2LSB;
	h->e_ident[EI_VERSION] = EV_CURRENT;
	h->e_type = ET_EXEC;
	h->e_machine = EM_X86_64;
	h->e_version = EV_CURRENT;
	h->e_entry = FAKE_KERNEL_ENTRY;
	h->e_phoff = offsetof(struct fake_kernel, load);
	h->e_ehsize = sizeof(*h);
	h->e_phentsize = sizeof(Elf64_Phdr);
	h->e_phnum = 2;
}

void fake_kernel_init(struct fake_kernel *k)
{
	memset(k, 0, sizeof(*k));
	fill_head(&k->head);
	k->load.p_type = PT_LOAD;
	k->load.p_offset = offsetof(struct fake_kernel, text);
	k->load.p_vaddr = 0xffffffff81000000;
	k->load.p_paddr = FAKE_KERNEL_BASE;
	k->load.p_filesz = sizeof(k->text);
	k->load.p_memsz = FAKE_KERNEL_SIZE;
	k->note.p_type = PT_NOTE;
	k->note.p_offset = offsetof(struct fake_kernel, pvh);
	k->note.p_filesz = sizeof(k->pvh);
	k->note.p_align = 4;
	k->pvh.name_size = le32_make(4);
	k->pvh.desc_size = le32_make(4);
	k->pvh.type = le32_make(18);
	memcpy(k->pvh.name, "Xen", 4);
	k->pvh.entry = le32_make(FAKE_KERNEL_PVH);
	for (size_t i = 0; i < sizeof(k->text); i++)
		k->text[i] = (unsigned char)i;
}

int fake_file(const void *data, size_t size)
{
	int fd = memfd_create("fake", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, data, size), (ssize_t)size);
	return fd;
}
