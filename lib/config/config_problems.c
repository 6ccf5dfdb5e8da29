/*
 * The list that validation fills: rows of field and text, owned by the list.
 * Running out of memory is an error of the call, not a row.
 */
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* Rows are few: one more at a time is fast enough. */
int problems_add(avf_problems *problems, const char *field, const char *format,
		 ...)
{
	CLEANUP(free_p) char *field_copy = strdup(field);
	CLEANUP(free_p) char *text = NULL;
	struct config_problem *rows;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		text = NULL; /* its value is undefined after a failure */
	rows = reallocarray(problems->rows, problems->n_rows + 1,
			    sizeof(*rows));
	if (rows)
		problems->rows = rows;
	if (!rows || !text || !field_copy)
		return fail(AVF_ERR_NO_MEMORY, "list of problems");
	rows[problems->n_rows++] =
		(struct config_problem){TAKE_PTR(field_copy), TAKE_PTR(text)};
	return 0;
}

void problems_free(avf_problems *problems)
{
	if (!problems)
		return;
	for (size_t i = 0; i < problems->n_rows; i++) {
		free(problems->rows[i].text);
		free(problems->rows[i].field);
	}
	free(problems->rows);
	free(problems);
}

void problems_free_p(avf_problems **problems)
{
	problems_free(*problems);
	*problems = NULL;
}

size_t avf_problems_count(const avf_problems *problems)
{
	return problems ? problems->n_rows : 0;
}

const char *avf_problems_field(const avf_problems *problems, size_t index)
{
	if (index >= avf_problems_count(problems))
		return NULL;
	return problems->rows[index].field;
}

const char *avf_problems_text(const avf_problems *problems, size_t index)
{
	if (index >= avf_problems_count(problems))
		return NULL;
	return problems->rows[index].text;
}

void avf_problems_free(avf_problems *problems)
{
	problems_free(problems);
}
