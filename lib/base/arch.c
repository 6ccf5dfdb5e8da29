#include "base/arch.h"

#include <elf.h>
#include <string.h>

#include "base/checked.h"

static const struct arch arches[] = {
	{
		.id = AVF_ARCHITECTURE_X86_64,
		.name = "x86_64",
		.abi = "x86_64",
		.debian = "amd64",
		.triplet = "x86_64-linux-gnu",
		.qemu = "qemu-system-x86_64",
		.qemu_package = "qemu-system-x86",
		.elf_machine = EM_X86_64,
	},
	{
		.id = AVF_ARCHITECTURE_ARM64,
		.name = "arm64",
		.abi = "arm64-v8a",
		.debian = "arm64",
		.triplet = "aarch64-linux-gnu",
		.qemu = "qemu-system-aarch64",
		.qemu_package = "qemu-system-arm",
		.elf_machine = EM_AARCH64,
	},
};

const struct arch *arch_at(size_t index)
{
	return index < ARRAY_SIZE(arches) ? &arches[index] : NULL;
}

const struct arch *arch_find(enum avf_architecture id)
{
	if (id == AVF_ARCHITECTURE_HOST)
		id = ARCH_HOST; /* from the build */
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		if (arches[i].id == id)
			return &arches[i];
	}
	return NULL;
}

const struct arch *arch_host(void)
{
	return arch_find(ARCH_HOST);
}

const struct arch *arch_find_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		if (strcmp(arches[i].name, name) == 0)
			return &arches[i];
	}
	return NULL;
}

const struct arch *arch_find_elf(uint16_t machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		if (arches[i].elf_machine == machine)
			return &arches[i];
	}
	return NULL;
}

const char *avf_architecture_name(enum avf_architecture architecture)
{
	const struct arch *arch = arch_find(architecture);

	return arch ? arch->name : "?";
}
