/*
 * Guests of the other architecture, emulated, and what a user may get wrong
 * about them. One package with a library for each runs under both.
 *
 * $AVF_TEST_FOREIGN names the build tree of the other architecture, with a
 * guest image in it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/linux_vm.h"

#define PATH_SIZE 4096

static char package[] = "/tmp/avf-foreign-XXXXXX/both.avfpkg";
static char image[PATH_SIZE - 16]; /* of the other architecture */

/* The architecture that this program is not for. */
static enum avf_architecture foreign(void)
{
	const char *own = avf_architecture_name(AVF_ARCHITECTURE_HOST);

	return strcmp(own, avf_architecture_name(AVF_ARCHITECTURE_ARM64)) == 0
		       ? AVF_ARCHITECTURE_X86_64
		       : AVF_ARCHITECTURE_ARM64;
}

static int make_package(const char *const *libraries)
{
	struct avf_package_options options = AVF_PACKAGE_OPTIONS_INIT;

	options.output = package;
	options.name = "both";
	options.libraries = libraries;
	return avf_package_create(&options);
}

static avf_config *foreign_config(void)
{
	avf_config *config = linux_config("good", "echo");

	CHECK_OK(avf_config_set_package(config, package));
	CHECK_OK(avf_config_set_guest_image(config, image));
	CHECK_OK(avf_config_set_architecture(config, foreign()));
	return config;
}

/* Asks the payload for an echo, and to end. */
static void talk(struct vmt_vm *v)
{
	char answer[5];
	int fd = linux_connect(v, ECHO_PORT);

	CHECK(vmt_send(fd, "hello", 5) && vmt_recv(fd, answer, 5));
	CHECK(memcmp(answer, "hello", 5) == 0);
	(void)close(fd);
	fd = linux_connect(v, ECHO_PORT);
	CHECK(vmt_send(fd, "quit\n", 5));
	CHECK(vmt_wait_stopped(v));
	(void)close(fd);
	vmt_check_stopped(v, AVF_STOP_REASON_SHUTDOWN, "");
	CHECK(v->exit_code == 0);
}

static void run_it(avf_config *config)
{
	struct vmt_vm v;
	char *log;

	if (!vmt_new(&v, config))
		return;
	if (vmt_run(&v) && vmt_wait_event(&v, AVF_EVENT_PAYLOAD_READY)) {
		printf("    ready after %llu ms\n",
		       (unsigned long long)(v.last_ns - v.run_ns) / 1000000);
		CHECK(v.acceleration == 1);
		talk(&v);
		log = vmt_output(&v);
		CHECK(log && vmt_contains(log, "echo: hello from the payload"));
		free(log);
	}
	vmt_free(&v);
}

static void one_package_under_both(void)
{
	avf_config *own = linux_config("good", "echo");

	CHECK_OK(avf_config_set_package(own, package));
	run_it(own);
	run_it(foreign_config());
}

static void kvm_is_demanded(void)
{
	avf_config *config = foreign_config();
	avf_vm *vm = NULL;

	CHECK_OK(avf_config_set_acceleration(config, AVF_ACCELERATION_KVM));
	CHECK_FAILS(avf_vm_new(config, &vm), AVF_ERR_INVALID, "architecture: ");
	avf_config_free(config);
}

/* The host's image for the other architecture's VM, and the reverse. */
static void image_of_the_wrong_one(void)
{
	avf_config *config = foreign_config();
	avf_vm *vm = NULL;

	CHECK_OK(avf_config_set_guest_image(config, getenv("AVF_GUEST_IMAGE")));
	CHECK_OK(avf_vm_new(config, &vm));
	CHECK_FAILS(avf_vm_run(vm), AVF_ERR_FORMAT, "avf image build --arch");
	avf_vm_free(vm);
	CHECK_OK(avf_config_set_guest_image(config, image));
	CHECK_OK(avf_config_set_architecture(config, AVF_ARCHITECTURE_HOST));
	CHECK_OK(avf_vm_new(config, &vm));
	CHECK_FAILS(avf_vm_run(vm), AVF_ERR_FORMAT, "avf image build --arch");
	avf_vm_free(vm);
	avf_config_free(config);
}

/* The tests' own package has libraries for the host alone. */
static void package_of_the_wrong_one(void)
{
	avf_config *config = foreign_config();
	avf_vm *vm = NULL;

	CHECK_OK(avf_config_set_package(
		config, vmt_path("tests/packages/good.avfpkg")));
	CHECK_FAILS(avf_vm_new(config, &vm), AVF_ERR_INVALID,
		    avf_architecture_name(foreign()));
	avf_config_free(config);
}

/* Without a word QEMU would let it do nothing, for ever. */
static void kernel_of_the_wrong_one(void)
{
	avf_config *config = NULL;
	char path[PATH_SIZE];
	struct vmt_vm v;

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	(void)snprintf(path, sizeof(path), "%s/kernel",
		       getenv("AVF_GUEST_IMAGE"));
	CHECK_OK(avf_config_set_kernel(config, path));
	CHECK_OK(avf_config_set_architecture(config, foreign()));
	CHECK_OK(avf_config_set_acceleration(config,
					     AVF_ACCELERATION_EMULATION));
	if (!vmt_new(&v, config))
		return;
	if (vmt_run(&v) && vmt_wait_stopped(&v))
		vmt_check_stopped(&v, AVF_STOP_REASON_START_FAILED,
				  "kernel: it is for ");
	vmt_free(&v);
}

/* A kernel of one's own, which panics without a root: on ttyS0, too. */
static void raw_kernel(void)
{
	avf_config *config = NULL;
	char path[PATH_SIZE];
	struct vmt_vm v;
	char *console;

	CHECK_OK(avf_config_new(AVF_CONFIG_RAW, &config));
	(void)snprintf(path, sizeof(path), "%s/kernel", image);
	CHECK_OK(avf_config_set_kernel(config, path));
	CHECK_OK(avf_config_set_cmdline(config, "console=ttyS0"));
	CHECK_OK(avf_config_set_architecture(config, foreign()));
	CHECK_OK(avf_config_set_acceleration(config,
					     AVF_ACCELERATION_EMULATION));
	if (!vmt_new(&v, config))
		return;
	vmt_run_to(&v, AVF_STOP_REASON_REBOOT);
	console = vmt_output(&v);
	CHECK(console && vmt_contains(console, "Linux version"));
	CHECK(console && vmt_contains(console, "Kernel panic"));
	free(console);
	vmt_free(&v);
}

static const struct vmt_test tests[] = {
	{"one_package_under_both", one_package_under_both},
	{"kvm_is_demanded", kvm_is_demanded},
	{"image_of_the_wrong_one", image_of_the_wrong_one},
	{"package_of_the_wrong_one", package_of_the_wrong_one},
	{"kernel_of_the_wrong_one", kernel_of_the_wrong_one},
	{"raw_kernel", raw_kernel},
};

int main(int argc, char **argv)
{
	const char *other = getenv("AVF_TEST_FOREIGN");
	char own_library[PATH_SIZE];
	char other_library[PATH_SIZE];
	const char *const libraries[] = {own_library, other_library, NULL};
	int rc;

	if (!other || !getenv("AVF_GUEST_IMAGE"))
		vmt_skip_all(
			"AVF_TEST_FOREIGN or AVF_GUEST_IMAGE names nothing");
	(void)snprintf(image, sizeof(image), "%s/guest-image", other);
	if (access(image, R_OK) < 0)
		vmt_skip_all("no guest image of the other architecture");
	(void)snprintf(own_library, sizeof(own_library), "%s",
		       vmt_path("payloads/libecho.so"));
	(void)snprintf(other_library, sizeof(other_library),
		       "%s/payloads/libecho.so", other);
	*strrchr(package, '/') = '\0';
	if (!mkdtemp(package))
		vmt_skip_all("no directory in /tmp");
	package[strlen(package)] = '/';
	if (make_package(libraries) < 0)
		vmt_skip_all(avf_last_error()->text);
	rc = vmt_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
	(void)unlink(package);
	*strrchr(package, '/') = '\0';
	(void)rmdir(package);
	return rc;
}
