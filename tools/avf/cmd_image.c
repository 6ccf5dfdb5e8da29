/* avf image build */
#include "cli.h"
#include "guarded.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int print_help(void)
{
	fputs("Usage: avf image build [OPTION...]\n\n"
	      "Builds the microguest: a kernel and its initramfs.\n\n"
	      "  --arch WHICH           x86_64 or arm64 (default: this "
	      "host's)\n"
	      "  --output DIR           directory to create or replace\n"
	      "                         (default: the user's own)\n"
	      "  --kernel-package DEB   Debian kernel package to use\n"
	      "                         (default: download the newest cloud\n"
	      "                         kernel from the apt sources)\n"
	      "  --kernel FILE          kernel to use instead: a bzImage or "
	      "an\n"
	      "                         arm64 Image with everything built in\n"
	      "                         (guest/kernel/build.sh makes them)\n"
	      "  --guest-dir DIR        the library's programs for the guest\n"
	      "                         (default: where they are installed)\n\n"
	      "Example:\n  avf image build --output ./guest\n",
	      stdout);
	return CLI_EXIT_OK;
}

static void print_step(void *userdata, const char *text)
{
	(void)userdata;
	fprintf(stderr, "avf: %s\n", text);
}

static int make(void *data)
{
	const struct avf_image_options *image = data;

	return avf_image_build(image) < 0 ? cli_fail_avf() : CLI_EXIT_OK;
}

static int build(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"kernel-package", required_argument, NULL, 'k'},
		{"arch", required_argument, NULL, 'a'},
		{"kernel", required_argument, NULL, 'K'},
		{"guest-dir", required_argument, NULL, 'g'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct avf_image_options image = AVF_IMAGE_OPTIONS_INIT;
	int opt;

	image.progress = print_step;
	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (opt == 'h')
			return print_help();
		if (opt == 'o')
			image.output = optarg;
		else if (opt == 'k')
			image.kernel_package = optarg;
		else if (opt == 'K')
			image.kernel = optarg;
		else if (opt == 'g')
			image.guest_dir = optarg;
		else if (opt != 'a')
			return cli_usage("image", "wrong option");
		else if (!cli_parse_architecture("image", optarg,
						 &image.architecture))
			return CLI_EXIT_USAGE;
	}
	if (optind != argc)
		return cli_usage("image", "unexpected \"%s\"", argv[optind]);
	return guarded_run(make, &image);
}

int cmd_image(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "build") == 0)
		return build(argc - 1, argv + 1);
	if (argc >= 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return print_help();
	return cli_usage("image", "what to do? `avf image build`");
}
