#include "probe/probe.h"

#include <string.h>

#include "base/checked.h"

#define N_FIELDS 4

/* A field of a line; not terminated. */
struct field {
	const char *text;
	size_t size;
};

/* Split at TABs. Returns whether there are exactly N_FIELDS fields. */
static bool split(const char *line, size_t size, struct field *ret_fields)
{
	const char *tab;
	size_t n;

	for (int i = 0; i < N_FIELDS; i++) {
		tab = memchr(line, '\t', size);
		n = tab ? (size_t)(tab - line) : size;
		ret_fields[i] = (struct field){line, n};
		if (!tab)
			return i == N_FIELDS - 1;
		line += n + 1;
		size -= n + 1;
	}
	return false;
}

/* It ends up on terminals. */
static bool is_printable(const struct field *f)
{
	for (size_t i = 0; i < f->size; i++) {
		if (f->text[i] < 0x20 || f->text[i] > 0x7e)
			return false;
	}
	return true;
}

static bool is_word(const struct field *f, const char *word)
{
	return f->size == strlen(word) && memcmp(f->text, word, f->size) == 0;
}

static bool find_state(const struct field *f, enum avf_probe_state *ret_state)
{
	for (int s = AVF_PROBE_YES; s <= AVF_PROBE_UNKNOWN; s++) {
		if (!is_word(f, avf_probe_state_name((enum avf_probe_state)s)))
			continue;
		*ret_state = (enum avf_probe_state)s;
		return true;
	}
	return false;
}

static void take_line(struct avf_probe *probe, const struct field *fields,
		      const char *const *wanted)
{
	char hint[PROBE_HINT_SIZE];
	enum avf_probe_state state;

	for (int i = 0; i < N_FIELDS; i++) {
		if (!is_printable(&fields[i]))
			return;
	}
	while (*wanted && !is_word(&fields[0], *wanted))
		wanted++;
	if (!*wanted || probe_find(probe, *wanted) ||
	    !find_state(&fields[1], &state) || fields[3].size >= sizeof(hint) ||
	    fields[2].size >= PROBE_REASON_SIZE)
		return;
	memcpy(hint, fields[3].text, fields[3].size);
	hint[fields[3].size] = '\0';
	probe_add(probe, *wanted, state, hint, "%.*s", (int)fields[2].size,
		  fields[2].text);
}

void probe_parse_rows(struct avf_probe *probe, const char *text, size_t size,
		      const char *const *wanted)
{
	struct field fields[N_FIELDS];
	const char *end;
	size_t n;

	while ((end = memchr(text, '\n', size))) {
		n = (size_t)(end - text);
		if (split(text, n, fields))
			take_line(probe, fields, wanted);
		text += n + 1;
		size -= n + 1;
	}
}
