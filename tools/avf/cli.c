#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_fail(enum cli_exit code, const char *format, ...)
{
	va_list ap;

	fputs("avf: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return (int)code;
}

int cli_usage(const char *command, const char *format, ...)
{
	va_list ap;

	fputs("avf: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\nTry `avf %s --help`.\n", command);
	return CLI_EXIT_USAGE;
}

/* Mistakes of the user's are told from what the host lacks. */
static enum cli_exit exit_of_error(int code)
{
	switch (code) {
	case AVF_ERR_INVALID:
	case AVF_ERR_FORMAT:
	case AVF_ERR_STATE:
	case AVF_ERR_EXISTS:
		return CLI_EXIT_USAGE;
	default:
		return CLI_EXIT_HOST;
	}
}

int cli_fail_avf(void)
{
	const struct avf_error *error = avf_last_error();

	return cli_fail(exit_of_error(error->code), "%s (%s)", error->text,
			avf_error_name(error->code));
}

bool cli_parse_number(const char *text, uint32_t max, uint32_t *ret_number)
{
	unsigned long long value;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || value > max)
		return false;
	*ret_number = (uint32_t)value;
	return true;
}

bool cli_parse_architecture(const char *command, const char *text,
			    enum avf_architecture *ret_architecture)
{
	static const enum avf_architecture all[] = {AVF_ARCHITECTURE_X86_64,
						    AVF_ARCHITECTURE_ARM64};

	for (size_t i = 0; i < CLI_ARRAY_SIZE(all); i++) {
		if (strcmp(text, avf_architecture_name(all[i])) == 0) {
			*ret_architecture = all[i];
			return true;
		}
	}
	(void)cli_usage(command, "--arch: \"%s\" is none of %s, %s", text,
			avf_architecture_name(all[0]),
			avf_architecture_name(all[1]));
	return false;
}

void cli_config_free(avf_config **config)
{
	avf_config_free(*config);
	*config = NULL;
}

void cli_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}
