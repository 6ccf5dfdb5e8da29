/* The public edge, through the shared library as an application sees it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <avf/avf.h>

Test(api, null_arguments_are_errors_with_words)
{
	struct avf_event event = AVF_EVENT_INIT;
	avf_listener *listener;
	avf_vm *vm;
	int fd;

	cr_expect_eq(avf_vm_new(NULL, &vm), AVF_ERR_INVALID);
	cr_expect_str_neq(avf_last_error()->text, "");
	cr_expect_eq(avf_vm_run(NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_vm_stop(NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_vm_kill(NULL), AVF_ERR_INVALID);
	cr_expect_eq(avf_vm_next_event(NULL, &event), AVF_ERR_INVALID);
	cr_expect_eq(avf_vm_wait_event(NULL, 0, &event), AVF_ERR_INVALID);
	cr_expect_eq(avf_vm_connect(NULL, 5678, 0, &fd), AVF_ERR_INVALID);
	cr_expect_eq(avf_vm_listen(NULL, 5678, &listener), AVF_ERR_INVALID);
	cr_expect_eq(avf_listener_accept(NULL, 0, &fd), AVF_ERR_INVALID);
	cr_expect_eq(avf_vm_get_status(NULL), AVF_STATUS_STOPPED);
	cr_expect_eq(avf_vm_get_pid(NULL), 0);
	cr_expect_eq(avf_vm_get_fd(NULL), -1);
	cr_expect_eq(avf_listener_get_fd(NULL), -1);
	avf_vm_free(NULL);
	avf_listener_free(NULL);
}

Test(api, a_vm_of_a_bad_configuration_is_refused_with_its_field)
{
	avf_config *config;
	avf_vm *vm;

	cr_assert_eq(avf_config_new(AVF_CONFIG_RAW, &config), 0);
	cr_expect_eq(avf_vm_new(config, &vm), AVF_ERR_INVALID);
	cr_expect(strstr(avf_last_error()->text, "kernel"), "%s",
		  avf_last_error()->text);
	avf_config_free(config);
}

Test(api, freeing_keeps_the_words_of_a_failure)
{
	avf_problems *problems;
	avf_config *config;
	avf_vm *vm;

	cr_assert_eq(avf_config_new(AVF_CONFIG_RAW, &config), 0);
	cr_assert_gt(avf_config_validate(config, &problems), 0);
	cr_expect_eq(avf_vm_new(config, &vm), AVF_ERR_INVALID);
	avf_problems_free(problems);
	avf_config_free(config);
	avf_vm_free(NULL);
	avf_manager_free(NULL);
	avf_descriptor_free(NULL);
	avf_probe_free(NULL);
	cr_expect(strstr(avf_last_error()->text, "kernel"), "%s",
		  avf_last_error()->text);
}

/* A raw VM of any file: what it holds is looked at when it runs. */
static avf_vm *make_vm(void)
{
	avf_config *config;
	avf_vm *vm = NULL;

	cr_assert_eq(avf_config_new(AVF_CONFIG_RAW, &config), 0);
	cr_assert_eq(avf_config_set_kernel(config, "/proc/self/exe"), 0);
	cr_assert_eq(avf_vm_new(config, &vm), 0, "%s", avf_last_error()->text);
	avf_config_free(config);
	return vm;
}

Test(api, a_stopped_vm_has_no_channels_and_nothing_to_stop)
{
	struct avf_event event = AVF_EVENT_INIT;
	avf_vm *vm = make_vm();
	avf_listener *listener;
	int fd = 42;

	cr_expect_eq(avf_vm_stop(vm), AVF_ERR_STATE);
	cr_expect_str_eq(avf_last_error()->text, "VM is not running");
	cr_expect_eq(avf_vm_kill(vm), AVF_ERR_STATE);
	cr_expect_eq(avf_vm_connect(vm, 5678, 10, &fd), AVF_ERR_STATE);
	cr_expect_eq(avf_vm_listen(vm, 5678, &listener), AVF_ERR_STATE);
	cr_expect_eq(avf_vm_next_event(vm, &event), 0);
	cr_expect_eq(avf_vm_wait_event(vm, -1, &event), 0,
		     "there is nothing to wait for");
	cr_expect_eq(fd, 42);
	avf_vm_free(vm);
}

Test(api, ports_below_1024_are_not_for_applications)
{
	static const uint32_t ports[] = {0, 1, 3, 1023};
	avf_vm *vm = make_vm();
	avf_listener *listener;
	int fd;

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		char bad[32];

		(void)snprintf(bad, sizeof(bad), "Bad port %u", ports[i]);
		cr_expect_eq(avf_vm_connect(vm, ports[i], 0, &fd),
			     AVF_ERR_INVALID);
		cr_expect(strstr(avf_last_error()->text, bad));
		cr_expect_eq(avf_vm_listen(vm, ports[i], &listener),
			     AVF_ERR_INVALID);
	}
	avf_vm_free(vm);
}

Test(api, an_event_without_a_size_is_refused)
{
	struct avf_event event = {0};
	avf_vm *vm = make_vm();

	cr_expect_eq(avf_vm_next_event(vm, &event), AVF_ERR_INVALID);
	cr_expect(strstr(avf_last_error()->text, "AVF_EVENT_INIT"));
	avf_vm_free(vm);
}

Test(api, every_number_has_a_name_and_others_a_question_mark)
{
	cr_expect_str_eq(avf_stop_reason_name(-1),
			 "VIRTUALIZATION_SERVICE_DIED");
	cr_expect_str_eq(avf_stop_reason_name(3), "SHUTDOWN");
	cr_expect_str_eq(avf_stop_reason_name(16), "HANGUP");
	for (int i = -1; i <= 16; i++)
		cr_expect_str_neq(avf_stop_reason_name(i), "?", "%d", i);
	for (int i = 0; i <= 6; i++)
		cr_expect_str_neq(avf_event_type_name(i), "?", "%d", i);
	cr_expect_str_eq(avf_stop_reason_name(17), "?");
	cr_expect_str_eq(avf_stop_reason_name(-2), "?");
	cr_expect_str_eq(avf_event_type_name(-1), "?");
	cr_expect_str_eq(avf_error_code_name(4), "?");
	cr_expect_str_eq(avf_status_name(2), "DELETED");
	cr_expect_str_eq(avf_error_name(AVF_ERR_BUSY), "AVF_ERR_BUSY");
}

Test(api, the_version_is_that_of_the_headers)
{
	char version[32];

	(void)snprintf(version, sizeof(version), "%d.%d.%d", AVF_VERSION_MAJOR,
		       AVF_VERSION_MINOR, AVF_VERSION_PATCH);
	cr_expect_str_eq(avf_version(), version);
}
