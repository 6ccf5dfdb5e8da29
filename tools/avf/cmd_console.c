/* avf console NAME */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "console_dir.h"
#include "pump.h"

/* Ctrl-], as in telnet: the byte that leaves. */
#define LEAVE_BYTE 0x1d

/* The user's terminal, to be put back as it was. */
struct terminal {
	bool is_raw;
	struct termios before;
};

static int print_help(void)
{
	fputs("Usage: avf console NAME\n\n"
	      "Connects this terminal to the console of the VM called NAME,\n"
	      "which an `avf run` of the same user runs. Ctrl-] leaves.\n\n"
	      "Example:\n  avf console VmRun\n",
	      stdout);
	return CLI_EXIT_OK;
}

static void make_raw(struct terminal *terminal)
{
	struct termios raw;

	terminal->is_raw = false;
	if (tcgetattr(STDIN_FILENO, &terminal->before) < 0)
		return; /* not a terminal: bytes go as they come */
	raw = terminal->before;
	cfmakeraw(&raw);
	terminal->is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void restore(struct terminal *terminal)
{
	if (terminal->is_raw)
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal->before);
	terminal->is_raw = false;
}

/* Every signal that would end the program goes through the loop, so that
 * the terminal is put back. */
static int open_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT,
				      SIGPIPE};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < CLI_ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Cut what was typed at the leaving byte. Returns whether it was there. */
static bool find_leave(struct pump *keys)
{
	const char *found = memchr(keys->buf + keys->start, LEAVE_BYTE,
				   keys->end - keys->start);

	if (!found)
		return false;
	keys->end = (size_t)(found - keys->buf);
	return true;
}

static void relay(int fd, int signal_fd, bool may_leave)
{
	struct pollfd polls[3];
	struct pump screen;
	struct pump keys;

	pump_init(&screen, fd, STDOUT_FILENO);
	pump_init(&keys, STDIN_FILENO, fd);
	while (!screen.ended || pump_is_full(&screen)) {
		pump_prepare(&screen, &polls[0]);
		pump_prepare(&keys, &polls[1]);
		polls[2] = (struct pollfd){signal_fd, POLLIN, 0};
		if (poll(polls, 3, -1) < 0 && errno != EINTR)
			return;
		if (polls[2].revents != 0)
			return;
		pump_run(&screen, polls[0].revents);
		pump_run(&keys, polls[1].revents);
		if (may_leave && find_leave(&keys)) {
			pump_flush(&keys);
			return;
		}
		if (screen.out < 0)
			return;
	}
}

static int use_console(const char *name)
{
	CLI_CLEANUP(cli_close) int signal_fd = -1;
	CLI_CLEANUP(cli_close) int dir_fd = -1;
	CLI_CLEANUP(cli_close) int fd = -1;
	struct terminal terminal;

	dir_fd = console_dir_open();
	if (dir_fd < 0)
		return CLI_EXIT_HOST;
	fd = console_connect(dir_fd, name);
	if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		return cli_fail(CLI_EXIT_USAGE,
				"no VM called %s runs with a console here",
				name);
	if (fd < 0)
		return cli_fail(CLI_EXIT_HOST, "console of %s: %s", name,
				strerror(errno));
	signal_fd = open_signals();
	if (signal_fd < 0)
		return cli_fail(CLI_EXIT_HOST, "signals: %s", strerror(errno));
	make_raw(&terminal);
	if (terminal.is_raw)
		fprintf(stderr, "avf: console of %s; Ctrl-] leaves\r\n", name);
	relay(fd, signal_fd, terminal.is_raw);
	restore(&terminal);
	fputs("\navf: left the console\n", stderr);
	return CLI_EXIT_OK;
}

int cmd_console(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *name;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h')
			return print_help();
		return cli_usage("console", "wrong option");
	}
	if (argc - optind != 1)
		return cli_usage("console", "the name of one VM is needed");
	name = argv[optind];
	if (name[0] == '\0' || strchr(name, '/') || strlen(name) > AVF_MAX_NAME)
		return cli_usage("console",
				 "\"%.*s\" is no name of a VM: 1 to %d bytes "
				 "without '/'",
				 AVF_MAX_NAME, name, AVF_MAX_NAME);
	return use_console(name);
}
