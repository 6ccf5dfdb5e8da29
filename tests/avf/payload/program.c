/* A program in the package's bin/. */
#include <stdio.h>

int main(void)
{
	return puts("hello from bin/") < 0;
}
