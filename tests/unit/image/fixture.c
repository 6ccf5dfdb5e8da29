/* A shared library for test_package.c. */
int fixture(void);

int fixture(void)
{
	return 1;
}
