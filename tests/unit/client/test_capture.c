/* Pipes for captured output: one set per run. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/checked.h"
#include "client/capture.h"

static struct capture capture;
static avf_config *config;

static void setup(void)
{
	capture_init(&capture);
	cr_assert_eq(config_new(AVF_CONFIG_RAW, &config), 0);
	config->output_captured = true;
	config->console_input = true;
}

static void teardown(void)
{
	capture_fini(&capture);
	config_free(config);
}

TestSuite(capture, .init = setup, .fini = teardown, .timeout = 30);

static int get(enum capture_stream stream)
{
	int fd = -1;

	cr_assert_eq(capture_get(&capture, config, stream, &fd), 0);
	return fd;
}

/* What the VMM would do with its end. */
static void run_and_write(char c)
{
	avf_config *run = NULL;

	cr_assert_eq(config_copy(config, &run), 0);
	cr_assert_eq(capture_attach(&capture, run), 0);
	capture_started(&capture);
	cr_assert_eq(write(run->vm.console_out_fd, &c, 1), 1);
	cr_expect_geq(run->vm.log_fd, 0);
	cr_expect_geq(run->vm.console_in_fd, 0);
	config_free(run);
}

static void expect_only(int fd, char want)
{
	char c = 0;

	cr_expect_eq(read(fd, &c, 1), 1);
	cr_expect_eq(c, want);
	cr_expect_eq(read(fd, &c, 1), 0, "the end of the run is the end");
	close(fd);
}

Test(capture, asked_for_before_the_run)
{
	int fd = get(CAPTURE_CONSOLE);

	run_and_write('a');
	expect_only(fd, 'a');
}

Test(capture, asked_for_after_the_run)
{
	run_and_write('a');
	expect_only(get(CAPTURE_CONSOLE), 'a');
}

Test(capture, a_new_run_has_new_pipes)
{
	int first;

	run_and_write('a');
	first = get(CAPTURE_CONSOLE);
	run_and_write('b');
	expect_only(first, 'a');
	expect_only(get(CAPTURE_CONSOLE), 'b');
}

Test(capture, input_goes_the_other_way)
{
	avf_config *run = NULL;
	int fd = get(CAPTURE_INPUT);
	char c = 'x';

	cr_assert_eq(config_copy(config, &run), 0);
	cr_assert_eq(capture_attach(&capture, run), 0);
	cr_assert_eq(write(fd, &c, 1), 1);
	cr_expect_eq(read(run->vm.console_in_fd, &c, 1), 1);
	cr_expect_eq(c, 'x');
	config_free(run);
	close(fd);
}

Test(capture, what_is_turned_off)
{
	int fd = -1;

	config->output_captured = false;
	config->console_input = false;
	for (int i = 0; i < CAPTURE_N_STREAMS; i++)
		cr_expect_eq(capture_get(&capture, config,
					 (enum capture_stream)i, &fd),
			     AVF_ERR_STATE);
	cr_expect_str_eq(error_record()->text,
			 "VM console input is not supported");
	cr_assert_eq(capture_attach(&capture, config), 0);
	cr_expect_eq(config->vm.console_out_fd, -1);
	cr_expect_eq(config->vm.log_fd, -1);
	cr_expect_eq(config->vm.console_in_fd, -1);
	cr_expect_eq(fd, -1);
}

Test(capture, a_sink_of_the_callers_wins)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	config->vm.console_out_fd = null; /* taken */
	cr_assert_eq(capture_attach(&capture, config), 0);
	cr_expect_eq(config->vm.console_out_fd, null);
	cr_expect_geq(config->vm.log_fd, 0);
}
