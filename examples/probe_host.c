/*
 * What can this computer run? Prints the answers of the probe, each with
 * what was seen and what to do about it.
 *
 *   cc probe_host.c $(pkg-config --cflags --libs libvirtualization)
 */
#include <stdio.h>
#include <stdlib.h>

#include <avf/avf.h>

int main(void)
{
	avf_probe *probe;
	uint32_t can;

	if (avf_probe_new(&probe) < 0) {
		fprintf(stderr, "%s\n", avf_last_error()->text);
		return EXIT_FAILURE;
	}
	printf("libvirtualization %s\n", avf_version());
	for (size_t i = 0; i < avf_probe_count(probe); i++) {
		printf("%-20s %-8s %s\n", avf_probe_what(probe, i),
		       avf_probe_state_name(avf_probe_get_state(probe, i)),
		       avf_probe_reason(probe, i));
		if (avf_probe_hint(probe, i)[0])
			printf("%-29s hint: %s\n", "",
			       avf_probe_hint(probe, i));
	}
	can = avf_probe_capabilities(probe);
	printf("non-protected VMs: %s\n",
	       can & AVF_CAPABILITY_NON_PROTECTED_VM ? "yes" : "no");
	printf("protected VMs: %s\n",
	       can & AVF_CAPABILITY_PROTECTED_VM ? "yes" : "no");
	avf_probe_free(probe);
	return EXIT_SUCCESS;
}
