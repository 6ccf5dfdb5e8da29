/* Has no AVmPayload_main(). */
int payload_main_under_another_name(void);

int payload_main_under_another_name(void)
{
	return 0;
}
