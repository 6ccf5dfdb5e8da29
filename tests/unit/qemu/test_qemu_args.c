/* The command line of QEMU, word by word. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "qemu/qemu_args.h"

static const struct qemu_fds no_fds = {
	.kernel = 10,
	.initrd = -1,
	.qmp = -1,
	.serial = -1,
	.console = -1,
	.log = -1,
	.failure = -1,
	.vsock = -1,
};

/* One string, words with a newline after each. */
static char *joined(const struct qemu_args *args)
{
	size_t size = 1;
	char *text;

	for (size_t i = 0; args->argv[i]; i++)
		size += strlen(args->argv[i]) + 1;
	text = calloc(1, size);
	for (size_t i = 0; args->argv[i]; i++) {
		strcat(text, args->argv[i]);
		strcat(text, "\n");
	}
	return text;
}

static void expect_words(const struct vm_config *config,
			 const struct qemu_fds *fds, const char *cmdline,
			 const char *wanted)
{
	struct qemu_args args;
	char *text;

	cr_assert_eq(qemu_args_make("/q", config, fds, cmdline, &args), 0);
	text = joined(&args);
	cr_expect(strstr(text, wanted), "no\n%s\nin\n%s", wanted, text);
	free(text);
	qemu_args_fini(&args);
}

Test(qemu_args, golden)
{
	static const char *const golden =
		"/q\n-nodefaults\n-no-user-config\n-display\nnone\n"
		"-no-reboot\n-sandbox\n"
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
		"resourcecontrol=deny\n"
		"-machine\n"
		"q35,sata=off,smbus=off,smm=off,vmport=off,i8042=off,"
		"memory-backend=ram\n"
		"-accel\ntcg,thread=multi\n-cpu\nmax\n"
		"-object\nmemory-backend-memfd,id=ram,size=96M,share=on\n"
		"-m\n96M\n-smp\n3\n"
		"-kernel\n/proc/self/fd/10\n-initrd\n/proc/self/fd/11\n"
		"-append\nconsole=hvc0 a=b,c\n"
		"-device\nvirtio-serial-pci,disable-legacy=on,max_ports=4\n"
		"-device\nvirtio-rng-pci,disable-legacy=on\n"
		"-chardev\nsocket,id=qmp,fd=12\n"
		"-mon\nchardev=qmp,mode=control\n"
		"-chardev\nsocket,id=serial,fd=13\n-serial\nchardev:serial\n"
		"-chardev\nsocket,id=console,fd=14\n"
		"-device\nvirtconsole,chardev=console,nr=0\n"
		"-chardev\nsocket,id=log,fd=15\n"
		"-device\nvirtserialport,chardev=log,nr=1,name=log\n"
		"-chardev\nsocket,id=failure,fd=16\n"
		"-device\nvirtserialport,chardev=failure,nr=2,name=failure\n"
		"-chardev\nsocket,id=vsock,fd=17\n"
		"-device\nvhost-user-vsock-pci,chardev=vsock\n";
	const struct qemu_fds fds = {
		.kernel = 10,
		.initrd = 11,
		.qmp = 12,
		.serial = 13,
		.console = 14,
		.log = 15,
		.failure = 16,
		.vsock = 17,
	};
	struct vm_config config;
	struct qemu_args args;
	char *text;

	vm_config_init(&config);
	config.architecture = AVF_ARCHITECTURE_X86_64;
	config.memory_mib = 96;
	config.vcpus = 3;
	cr_assert_eq(qemu_args_make("/q", &config, &fds, "console=hvc0 a=b,c",
				    &args),
		     0);
	text = joined(&args);
	cr_expect_str_eq(text, golden, "%s", text);
	free(text);
	qemu_args_fini(&args);
	vm_config_fini(&config);
}

/* What differs; the rest is the same code. */
Test(qemu_args, an_arm64_guest)
{
	static const char *const words[] = {
		"-machine\nvirt,gic-version=3,memory-backend=ram\n",
		"-cpu\nmax,pauth-impdef=on\n",
		("-chardev\nsocket,id=serial,fd=13\n"
		 "-device\npci-serial,chardev=serial\n"),
		"-accel\ntcg,thread=multi\n",
		"-nodefaults\n-no-user-config\n",
	};
	struct qemu_fds fds = no_fds;
	struct vm_config config;

	fds.serial = 13;
	vm_config_init(&config);
	config.architecture = AVF_ARCHITECTURE_ARM64;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		expect_words(&config, &fds, "", words[i]);
	vm_config_fini(&config);
}

static const struct {
	const char *what, *name, *cmdline, *words;
} hostile[] = {
	{"a comma in the name", "a,process=b", "",
	 "-name\nguest=a,,process=b\n"},
	{"an option as the name", "-monitor", "", "-name\nguest=-monitor\n"},
	{"commas only", ",,", "", "-name\nguest=,,,,\n"},
	{"an option as the command line", NULL, "-monitor stdio",
	 "-append\n-monitor stdio\n"},
	{"an empty command line", NULL, "", "-append\n\n"},
	{"a format in the command line", NULL, "%s%n", "-append\n%s%n\n"},
};

Test(qemu_args, text_stays_text)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct vm_config config;

		vm_config_init(&config);
		if (hostile[i].name)
			config.name = strdup(hostile[i].name);
		expect_words(&config, &no_fds, hostile[i].cmdline,
			     hostile[i].words);
		vm_config_fini(&config);
	}
}

static const struct {
	const char *what, *id;
	bool writable, dup;
	const char *words;
} disks[] = {
	{"read-only, opened so", NULL, false, true,
	 "-add-fd\nfd=20,set=0\n-blockdev\n"
	 "{\"driver\":\"raw\",\"node-name\":\"disk0\",\"read-only\":true,"
	 "\"file\":{\"driver\":\"file\",\"filename\":\"/dev/fdset/0\","
	 "\"read-only\":true,\"locking\":\"off\"}}\n-device\n"
	 "{\"driver\":\"virtio-blk-pci\",\"disable-legacy\":\"on\","
	 "\"drive\":\"disk0\"}\n"},
	{"writable", NULL, true, true, "\"read-only\":false,\"locking\""},
	{"read-only, opened for writing", NULL, false, false,
	 "\"filename\":\"/proc/self/fd/20\",\"read-only\":true"},
	{"an id", "data", false, true, "\"serial\":\"data\"}"},
	{"an id with options and quotes", "a,x=\"y\"}", false, true,
	 "\"serial\":\"a,x=\\\"y\\\"}\"}"},
};

Test(qemu_args, disks)
{
	for (size_t i = 0; i < ARRAY_SIZE(disks); i++) {
		struct qemu_fds fds = no_fds;
		struct vm_config config;

		vm_config_init(&config);
		config.n_disks = 1;
		config.disks[0].fd = -1;
		config.disks[0].writable = disks[i].writable;
		if (disks[i].id)
			config.disks[0].id = strdup(disks[i].id);
		fds.disks[0] = 20;
		fds.disk_dup[0] = disks[i].dup;
		expect_words(&config, &fds, "", disks[i].words);
		vm_config_fini(&config);
	}
}

Test(qemu_args, most_disks)
{
	struct qemu_fds fds = no_fds;
	struct vm_config config;

	vm_config_init(&config);
	config.n_disks = AVF_MAX_DISKS;
	for (unsigned int i = 0; i < AVF_MAX_DISKS; i++)
		config.disks[i].fd = -1;
	expect_words(&config, &fds, "", "\"node-name\":\"disk15\"");
	vm_config_fini(&config);
}

Test(qemu_args, id_that_is_no_text)
{
	struct qemu_fds fds = no_fds;
	struct vm_config config;
	struct qemu_args args;

	vm_config_init(&config);
	config.n_disks = 1;
	config.disks[0].fd = -1;
	config.disks[0].id = strdup("\xff");
	cr_expect_eq(qemu_args_make("/q", &config, &fds, "", &args),
		     AVF_ERR_INVALID);
	vm_config_fini(&config);
}
