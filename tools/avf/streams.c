#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "console_dir.h"

/* How long a full sink may hold up the end of the program. */
#define DRAIN_MS 2000

void streams_init(struct streams *s)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		pump_init(&s->pumps[i], -1, -1);
	s->console_in_file = -1;
	s->console_file = -1;
	s->console_pipe = -1;
	s->console_keys = -1;
	s->log_file = -1;
	s->log_pipe = -1;
	s->port = -1;
	s->dir = -1;
	s->listener = -1;
	s->client = -1;
	s->name = NULL;
}

void streams_fini(struct streams *s)
{
	if (s->listener >= 0)
		console_remove(s->dir, s->name);
	cli_close(&s->client);
	cli_close(&s->listener);
	cli_close(&s->dir);
	cli_close(&s->port);
	cli_close(&s->log_pipe);
	cli_close(&s->log_file);
	cli_close(&s->console_keys);
	cli_close(&s->console_pipe);
	cli_close(&s->console_file);
	cli_close(&s->console_in_file);
	streams_init(s);
}

/* O_NONBLOCK: a FIFO that nobody reads is an error, not a hang. */
static int open_output(const char *option, const char *path, int standard,
		       int *ret_fd)
{
	int fd;

	if (strcmp(path, "-") == 0)
		fd = fcntl(standard, F_DUPFD_CLOEXEC, 0);
	else
		fd = open(path,
			  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
				  O_NONBLOCK | O_NOCTTY,
			  0666);
	if (fd < 0)
		return cli_fail(CLI_EXIT_USAGE, "%s: open \"%s\": %s", option,
				path,
				errno == ENXIO ? "nobody reads this pipe"
					       : strerror(errno));
	*ret_fd = fd;
	return 0;
}

/* A FIFO is opened for writing, too, so that it outlives its writers. */
static int open_input(const char *path, int *ret_fd)
{
	int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct stat st;
	int fd;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	else if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
		fd = open(path, O_RDWR | flags);
	else
		fd = open(path, O_RDONLY | flags);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		cli_close(&fd); /* opens, but nothing can be read */
		errno = EISDIR;
	}
	if (fd < 0)
		return cli_fail(CLI_EXIT_USAGE, "--console-in: open \"%s\": %s",
				path, strerror(errno));
	*ret_fd = fd;
	return 0;
}

/* A pipe, though the VMM could write to our stderr itself: it would have to
 * make the terminal non-blocking for everybody. */
static int open_log(struct streams *s, const struct run_options *options,
		    avf_config *config)
{
	CLI_CLEANUP(cli_close) int guest_end = -1;
	int ends[2];
	int rc = 0;

	if (options->log)
		rc = open_output("--log", options->log, STDOUT_FILENO,
				 &s->log_file);
	else
		rc = open_output("--log", "-", STDERR_FILENO, &s->log_file);
	if (rc != 0)
		return rc;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return cli_fail(CLI_EXIT_HOST, "pipe: %s", strerror(errno));
	s->log_pipe = ends[0];
	guest_end = ends[1];
	pump_init(&s->pumps[STREAM_LOG], s->log_pipe, s->log_file);
	return avf_config_set_log_output(config, guest_end) < 0 ? cli_fail_avf()
								: 0;
}

/* Always made, so that `avf console` can come at any time. */
static int open_console_output(struct streams *s, avf_config *config)
{
	CLI_CLEANUP(cli_close) int guest_end = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return cli_fail(CLI_EXIT_HOST, "pipe: %s", strerror(errno));
	s->console_pipe = ends[0];
	guest_end = ends[1];
	pump_init(&s->pumps[STREAM_CONSOLE], s->console_pipe, s->console_file);
	return avf_config_set_console_output(config, guest_end) < 0
		       ? cli_fail_avf()
		       : 0;
}

static int open_console_input(struct streams *s, avf_config *config)
{
	CLI_CLEANUP(cli_close) int guest_end = -1;
	int ends[2];

	/* a socket, since writing to it can be kept from raising SIGPIPE */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return cli_fail(CLI_EXIT_HOST, "socketpair: %s",
				strerror(errno));
	s->console_keys = ends[0];
	guest_end = ends[1];
	if (fcntl(s->console_keys, F_SETFL, O_NONBLOCK) < 0)
		return cli_fail(CLI_EXIT_HOST, "fcntl: %s", strerror(errno));
	pump_init(&s->pumps[STREAM_CONSOLE_IN], s->console_in_file,
		  s->console_keys);
	return avf_config_set_console_input(config, guest_end) < 0
		       ? cli_fail_avf()
		       : 0;
}

/* Whether nobody asked for the console, and the guest may not have one. */
static bool has_no_console(const struct run_options *options,
			   const avf_config *config)
{
	return options->debug_level == AVF_DEBUG_LEVEL_NONE &&
	       avf_config_get_kind(config) == AVF_CONFIG_PAYLOAD &&
	       !options->console && !options->console_in;
}

int streams_open(struct streams *s, const struct run_options *options,
		 avf_config *config)
{
	int rc;

	rc = open_log(s, options, config);
	if (rc != 0 || has_no_console(options, config))
		return rc;
	if (options->console)
		rc = open_output("--console", options->console, STDOUT_FILENO,
				 &s->console_file);
	if (rc == 0 && options->console_in)
		rc = open_input(options->console_in, &s->console_in_file);
	if (rc == 0)
		rc = open_console_output(s, config);
	if (rc == 0)
		rc = open_console_input(s, config);
	return rc;
}

void streams_listen(struct streams *s, const avf_config *config)
{
	const char *name = avf_config_get_name(config);

	if (s->console_pipe < 0 || !name)
		return;
	s->dir = console_dir_open();
	if (s->dir < 0)
		return;
	s->name = name;
	s->listener = console_listen(s->dir, name);
	if (s->listener < 0 && errno == EADDRINUSE)
		(void)cli_fail(CLI_EXIT_OK,
			       "another VM is called %s: no `avf console` for "
			       "this one (see --name)",
			       name);
	else if (s->listener < 0)
		(void)cli_fail(CLI_EXIT_OK, "no `avf console` for %s: %s", name,
			       strerror(errno));
}

void streams_connect(struct streams *s, int fd)
{
	(void)fcntl(fd, F_SETFL, O_NONBLOCK); /* a socket: cannot fail */
	s->port = fd;
	pump_init(&s->pumps[STREAM_TO_PORT], STDIN_FILENO, fd);
	pump_init(&s->pumps[STREAM_FROM_PORT], fd, STDOUT_FILENO);
}

void streams_prepare(struct streams *s, struct pollfd *polls)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		pump_prepare(&s->pumps[i], &polls[i]);
	polls[STREAM_COUNT] = (struct pollfd){s->listener, POLLIN, 0};
}

/* The directory is this user's alone; the check is for its second lock. */
static bool is_same_user(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	return peer.uid == geteuid() || peer.uid == 0;
}

static void accept_client(struct streams *s)
{
	static const char busy[] = "avf: somebody else uses this console\r\n";
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (s->client >= 0 || !is_same_user(fd)) {
		(void)send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL);
		(void)close(fd);
		return;
	}
	s->client = fd;
	pump_init(&s->pumps[STREAM_CLIENT], fd, s->console_keys);
}

/* A client that does not keep up misses bytes; it never stops the guest. */
static void run_console(struct streams *s, short revents)
{
	struct pump *pump = &s->pumps[STREAM_CONSOLE];

	if (revents == 0)
		return;
	if (pump_is_full(pump)) {
		pump_run(pump, revents);
		return;
	}
	pump_fill(pump);
	if (s->client >= 0 && pump_is_full(pump))
		(void)send(s->client, pump->buf, pump->end,
			   MSG_NOSIGNAL | MSG_DONTWAIT);
	if (pump->out < 0)
		pump->start = pump->end;
}

static void end_client(struct streams *s)
{
	struct pump *pump = &s->pumps[STREAM_CLIENT];

	if (s->client < 0 || !pump->ended || pump_is_full(pump))
		return;
	pump_init(pump, -1, -1);
	cli_close(&s->client);
}

/* The end of standard input half-closes; the guest's end ends it all. */
static void end_port(struct streams *s)
{
	struct pump *to = &s->pumps[STREAM_TO_PORT];
	struct pump *from = &s->pumps[STREAM_FROM_PORT];

	if (s->port < 0)
		return;
	if (to->in >= 0 && to->ended && !pump_is_full(to)) {
		(void)shutdown(s->port, SHUT_WR);
		pump_init(to, -1, -1);
	}
	if (from->ended && !pump_is_full(from)) {
		pump_init(to, -1, -1);
		pump_init(from, -1, -1);
		cli_close(&s->port);
	}
}

void streams_run(struct streams *s, const struct pollfd *polls)
{
	run_console(s, polls[STREAM_CONSOLE].revents);
	for (int i = STREAM_CONSOLE_IN; i < STREAM_COUNT; i++)
		pump_run(&s->pumps[i], polls[i].revents);
	end_client(s);
	end_port(s);
	if (polls[STREAM_COUNT].revents != 0)
		accept_client(s);
}

/* One step of draining: false when there was nothing to do. */
static bool drain_step(struct streams *s, enum stream which)
{
	struct pump *pump = &s->pumps[which];
	bool is_write = pump_is_full(pump);
	struct pollfd p;

	pump_prepare(pump, &p);
	if (p.fd < 0 || poll(&p, 1, is_write ? DRAIN_MS : 0) <= 0)
		return false;
	if (which == STREAM_CONSOLE)
		run_console(s, p.revents);
	else
		pump_run(pump, p.revents);
	return true;
}

/* The guest's ends stay open as long as the VM's handle, so "empty" is the
 * end, not end of file. */
void streams_drain(struct streams *s)
{
	static const enum stream from_guest[] = {STREAM_CONSOLE, STREAM_LOG,
						 STREAM_FROM_PORT};

	for (size_t i = 0; i < CLI_ARRAY_SIZE(from_guest); i++)
		while (drain_step(s, from_guest[i]))
			;
}
