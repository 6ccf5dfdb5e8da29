#include "runtime.h"

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < size; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

void print_bytes(const void *data, size_t size)
{
	const char *p = data;

	for (size_t i = 0; i < size; i++)
		print_char(p[i]);
}

void print(const char *text)
{
	while (*text)
		print_char(*text++);
}

void print_number(uint64_t value)
{
	char digits[21];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	print_bytes(digits + at, sizeof(digits) - at);
}

void print_hex(const void *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < size; i++) {
		print_char(digits[p[i] >> 4]);
		print_char(digits[p[i] & 15]);
	}
}

_Noreturn void give_up(const char *text)
{
	print("FAIL: ");
	print(text);
	print("\n");
	power_off();
}

static uint64_t parse(const char *s)
{
	const bool hex = s[0] == '0' && s[1] == 'x';
	const unsigned int base = hex ? 16 : 10;
	uint64_t value = 0;
	unsigned int digit;

	for (s += hex ? 2 : 0;; s++) {
		if (*s >= '0' && *s <= '9')
			digit = (unsigned int)(*s - '0');
		else if (hex && *s >= 'a' && *s <= 'f')
			digit = (unsigned int)(*s - 'a') + 10;
		else
			return value;
		value = value * base + digit;
	}
}

uint64_t cmdline_number(const char *key, uint64_t fallback)
{
	const char *s = cmdline();
	size_t i;

	for (; *s; s++) {
		for (i = 0; key[i] && s[i] == key[i]; i++)
			;
		if (!key[i] && s[i] == '=')
			return parse(s + i + 1);
	}
	return fallback;
}

/* For guests that use one CPU. */
__attribute__((weak)) void cpu_main(unsigned int cpu)
{
	(void)cpu;
	halt_forever();
}
