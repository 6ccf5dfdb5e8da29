/* Rows from the trial's process, which a guest may have taken over. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "probe/probe.h"

static const char *const wanted[] = {"a", "b", NULL};

static const struct {
	const char *what, *text;
	size_t n_rows;
} rows[] = {
	{"two rows", "a\tyes\tr\th\nb\tno\tr\t\n", 2},
	{"nothing", "", 0},
	{"no end of line", "a\tyes\tr\th", 0},
	{"a row that nobody asked for", "c\tyes\tr\th\n", 0},
	{"an empty name", "\tyes\tr\th\n", 0},
	{"the beginning of a name", "ab\tyes\tr\th\n", 0},
	{"a row twice: the first one counts", "a\tno\tr\th\na\tyes\tr\th\n", 1},
	{"a state that is none", "a\tmaybe\tr\th\n", 0},
	{"no state", "a\t\tr\th\n", 0},
	{"three fields", "a\tyes\tr\n", 0},
	{"five fields", "a\tyes\tr\th\tx\n", 0},
	{"an empty line", "\n\n\n", 0},
	{"a terminal's escape", "a\tyes\t\x1b[2J\th\n", 0},
	{"a byte that is not ASCII", "a\tyes\t\xff\th\n", 0},
	{"a good row after a bad one", "x\na\tyes\tr\th\n", 1},
};

Test(probe_rows, lines)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		avf_probe probe = {.n_rows = 0};

		probe_parse_rows(&probe, rows[i].text, strlen(rows[i].text),
				 wanted);
		cr_expect_eq(probe.n_rows, rows[i].n_rows, "%s: %zu",
			     rows[i].what, probe.n_rows);
	}
}

Test(probe_rows, fields_are_taken)
{
	const char text[] = "b\tlimited\tsome reason\tdo this\n";
	avf_probe probe = {.n_rows = 0};

	probe_parse_rows(&probe, text, strlen(text), wanted);
	cr_assert_eq(avf_probe_count(&probe), 1);
	cr_expect_str_eq(avf_probe_what(&probe, 0), "b");
	cr_expect_eq(avf_probe_get_state(&probe, 0), AVF_PROBE_LIMITED);
	cr_expect_str_eq(avf_probe_reason(&probe, 0), "some reason");
	cr_expect_str_eq(avf_probe_hint(&probe, 0), "do this");
}

Test(probe_rows, first_answer_counts)
{
	const char text[] = "a\tno\tr\t\na\tyes\tr\t\n";
	avf_probe probe = {.n_rows = 0};

	probe_parse_rows(&probe, text, strlen(text), wanted);
	cr_expect_eq(avf_probe_get_state(&probe, 0), AVF_PROBE_NO);
}

/* A NUL inside, and text that is not terminated. */
Test(probe_rows, nul_inside)
{
	const char head[] = {'a', '\t', 'y', 'e', 's', '\t', 0, '\t', '\n'};
	char *text = malloc(sizeof(head));
	avf_probe probe = {.n_rows = 0};

	memcpy(text, head, sizeof(head));
	probe_parse_rows(&probe, text, sizeof(head), wanted);
	cr_expect_eq(probe.n_rows, 0);
	free(text);
}

Test(probe_rows, reason_longer_than_its_room)
{
	char text[PROBE_REASON_SIZE + 16];
	avf_probe probe = {.n_rows = 0};

	memset(text, 'x', sizeof(text));
	memcpy(text, "a\tyes\t", 6);
	text[sizeof(text) - 2] = '\t';
	text[sizeof(text) - 1] = '\n';
	probe_parse_rows(&probe, text, sizeof(text), wanted);
	cr_expect_eq(probe.n_rows, 0);
}
