/* Prints assets/hello.txt of its package; tries to write to the package. */
#include <avf/vm_payload.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

int AVmPayload_main(void)
{
	char path[256];
	char line[256] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/assets/hello.txt",
		       AVmPayload_getApkContentsPath());
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof(line), file)) {
		perror(path);
		return 1;
	}
	(void)fclose(file);
	printf("assets: %s", line);
	file = fopen(path, "w");
	printf("assets: write: %s\n", file ? "allowed" : strerror(errno));
	printf("assets: encrypted storage: %s\n",
	       AVmPayload_getEncryptedStoragePath() ? "yes" : "none");
	return file ? 2 : 0;
}
