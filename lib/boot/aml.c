#include "boot/aml.h"

#include <string.h>

#include "base/byteorder.h"

/* ACPI 6.4 table 20.2 */
enum {
	OP_ZERO = 0x00,
	OP_ONE = 0x01,
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_QWORD = 0x0e,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_EXT = 0x5b,
	OP_EXT_DEVICE = 0x82,
};

#define NAME_CHARS 4U

void aml_init(struct aml *a, void *data, size_t capacity)
{
	*a = (struct aml){.data = data, .capacity = capacity};
}

bool aml_overflowed(const struct aml *a)
{
	return a->overflowed;
}

void aml_bytes(struct aml *a, const void *data, size_t size)
{
	if (a->overflowed || size > a->capacity - a->size) {
		a->overflowed = true;
		return;
	}
	memcpy(a->data + a->size, data, size);
	a->size += size;
}

/* One byte: an opcode, a tag or a small field. */
static void put8(struct aml *a, unsigned int value)
{
	const unsigned char byte = (unsigned char)value;

	aml_bytes(a, &byte, 1);
}

/* The low @size bytes of @value, little-endian, as everything in AML is. */
static void put_le(struct aml *a, uint64_t value, size_t size)
{
	const le64 v = le64_make(value);

	aml_bytes(a, v.bytes, size);
}

void aml_integer(struct aml *a, uint64_t value)
{
	if (value <= 1) {
		put8(a, value ? OP_ONE : OP_ZERO);
	} else if (value <= UINT8_MAX) {
		put8(a, OP_BYTE);
		put_le(a, value, 1);
	} else if (value <= UINT16_MAX) {
		put8(a, OP_WORD);
		put_le(a, value, 2);
	} else if (value <= UINT32_MAX) {
		put8(a, OP_DWORD);
		put_le(a, value, 4);
	} else {
		put8(a, OP_QWORD);
		put_le(a, value, 8);
	}
}

/* Shorter names are padded with underscores (20.2.2). */
static void name_segment(struct aml *a, const char *name)
{
	char segment[NAME_CHARS];

	memset(segment, '_', sizeof(segment));
	memcpy(segment, name, strnlen(name, sizeof(segment)));
	aml_bytes(a, segment, sizeof(segment));
}

void aml_name(struct aml *a, const char *name)
{
	put8(a, OP_NAME);
	name_segment(a, name);
}

/* Upper case only: ids come from our own sources, not from a guest. */
static unsigned int hex_digit(char c)
{
	return c <= '9' ? (unsigned int)(c - '0')
			: (unsigned int)(c - 'A') + 10;
}

/* Three letters of five bits and four hex digits, big-endian (19.3.4). */
void aml_eisaid(struct aml *a, const char *id)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < 3; i++)
		v = v << 5 | (uint32_t)(id[i] - '@');
	for (unsigned int i = 3; i < 7; i++)
		v = v << 4 | hex_digit(id[i]);
	put8(a, OP_DWORD);
	put_le(a, __builtin_bswap32(v), 4);
}

/*
 * A block begins with its own length, known only at its end. Nothing is
 * reserved for it: aml_close() moves the content up by the bytes it takes.
 */
size_t aml_open_scope(struct aml *a, const char *name)
{
	size_t opened;

	put8(a, OP_SCOPE);
	opened = a->size;
	name_segment(a, name);
	return opened;
}

size_t aml_open_device(struct aml *a, const char *name)
{
	size_t opened;

	put8(a, OP_EXT);
	put8(a, OP_EXT_DEVICE);
	opened = a->size;
	name_segment(a, name);
	return opened;
}

size_t aml_open_package(struct aml *a, unsigned char n_elements)
{
	size_t opened;

	put8(a, OP_PACKAGE);
	opened = a->size;
	put8(a, n_elements);
	return opened;
}

/*
 * Moves what is behind @at up by @size bytes. Offsets that callers hold for
 * outer blocks stay right, as those lie before @at.
 */
static void insert(struct aml *a, size_t at, const void *data, size_t size)
{
	size_t behind = a->size - at;

	aml_bytes(a, data, size); /* makes room or overflows */
	if (a->overflowed)
		return;
	memmove(a->data + at + size, a->data + at, behind);
	memcpy(a->data + at, data, size);
}

/*
 * PkgLength (20.2.4) counts itself. One byte holds 63; in the longer forms
 * the first byte has four bits and the number of bytes that follow.
 */
void aml_close(struct aml *a, size_t opened)
{
	size_t len = a->size - opened;
	/*
	 * All counts below include the length field itself, which one byte more
	 * of it can push over the next border: hence the loop.
	 */
	unsigned char pkg[4];
	size_t n = 1;

	if (len + 1 <= 0x3f) {
		pkg[0] = (unsigned char)(len + 1);
		insert(a, opened, pkg, 1);
		/*
		 * More than the longest form holds is impossible: 2^28 bytes do
		 * not fit into the room for the tables.
		 */
		return;
	}
	do
		n++;
	while (n < sizeof(pkg) && (len + n) >> (4 + 8 * (n - 1)));
	len += n;
	pkg[0] = (unsigned char)((n - 1) << 6 | (len & 0xf));
	for (size_t i = 1; i < n; i++)
		pkg[i] = (unsigned char)(len >> (8 * i - 4));
	insert(a, opened, pkg, n);
}

size_t aml_open_resources(struct aml *a)
{
	put8(a, OP_BUFFER);
	return a->size;
}

/* End tag (6.4.2.9), whose checksum 0 means "do not check". */
void aml_close_resources(struct aml *a, size_t opened)
{
	static const unsigned char end_tag[] = {0x79, 0x00};
	unsigned char size[3] = {OP_WORD};
	size_t len;

	aml_bytes(a, end_tag, sizeof(end_tag));
	len = a->size - opened;
	size[1] = (unsigned char)len;
	size[2] = (unsigned char)(len >> 8);
	insert(a, opened, size, sizeof(size));
	aml_close(a, opened);
}

/* I/O port descriptor (6.4.2.5), 16-bit decode, not movable */
void aml_io(struct aml *a, uint16_t base, uint8_t len)
{
	put8(a, 0x47);
	put8(a, 1);
	put_le(a, base, 2);
	put_le(a, base, 2);
	put8(a, 1);
	put8(a, len);
}

/* IRQ descriptor (6.4.2.1) of two bytes: edge, active high, not shared */
void aml_irq(struct aml *a, unsigned int irq)
{
	put8(a, 0x22);
	put_le(a, 1ULL << irq, 2);
}

/* What the three address space descriptors have in common (6.4.3.5). */
struct address_space {
	unsigned int tag;
	size_t field; /* bytes of each address field */
	unsigned int resource_type;
	unsigned int type_flags;
	uint64_t first;
	uint64_t last;
};

#define ADDRESS_FIXED 0x0cU /* minimum and maximum are both fixed */

/*
 * Length is the bytes behind the first three, as for all large descriptors
 * (6.4.3): three bytes of flags and five fields.
 */
static void address_space(struct aml *a, const struct address_space *s)
{
	put8(a, s->tag);
	put_le(a, 3 + 5 * s->field, 2);
	put8(a, s->resource_type);
	put8(a, ADDRESS_FIXED);
	put8(a, s->type_flags);
	put_le(a, 0, s->field); /* granularity */
	put_le(a, s->first, s->field);
	put_le(a, s->last, s->field);
	put_le(a, 0, s->field); /* translation */
	put_le(a, s->last - s->first + 1, s->field);
}

/* Bus numbers are a word descriptor of resource type 2. */
void aml_bus_numbers(struct aml *a, uint16_t first, uint16_t last)
{
	address_space(a, &(struct address_space){.tag = 0x88,
						 .field = 2,
						 .resource_type = 2,
						 .first = first,
						 .last = last});
}

/* A dword or qword descriptor of resource type 0, by where the range ends. */
void aml_memory_window(struct aml *a, struct boot_range range)
{
	const uint64_t last = range.base + range.size - 1;
	const bool wide = last > UINT32_MAX;

	address_space(a, &(struct address_space){
				 .tag = wide ? 0x8a : 0x87,
				 .field = wide ? 8 : 4,
				 .resource_type = 0,
				 .type_flags = 1, /* writable, not cached */
				 .first = range.base,
				 .last = last});
}

/* 32-bit fixed memory range descriptor (6.4.3.4), writable */
void aml_memory_fixed(struct aml *a, uint32_t base, uint32_t size)
{
	put8(a, 0x86);
	put_le(a, 9, 2);
	put8(a, 1);
	put_le(a, base, 4);
	put_le(a, size, 4);
}
