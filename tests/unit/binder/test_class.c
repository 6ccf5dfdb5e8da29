#include <criterion/criterion.h>

#include <string.h>

#include "binder/object.h"

static void *create(void *args)
{
	return args;
}

static void destroy(void *user_data)
{
	(void)user_data;
}

static binder_status_t transact(AIBinder *binder, transaction_code_t code,
				const AParcel *in, AParcel *out)
{
	(void)binder;
	(void)code;
	(void)in;
	(void)out;
	return STATUS_UNKNOWN_TRANSACTION;
}

Test(class, copies_its_name)
{
	char name[] = "org.avf.test.ICalc";
	static AIBinder_Class *clazz; /* never freed */

	clazz = AIBinder_Class_define(name, create, destroy, transact);
	cr_assert(clazz);
	memset(name, 'x', strlen(name));
	cr_expect_str_eq(AIBinder_Class_getDescriptor(clazz),
			 "org.avf.test.ICalc");
}

Test(class, needs_everything)
{
	cr_expect_null(AIBinder_Class_define(NULL, create, destroy, transact));
	cr_expect_null(AIBinder_Class_define("x", NULL, destroy, transact));
	cr_expect_null(AIBinder_Class_define("x", create, NULL, transact));
	cr_expect_null(AIBinder_Class_define("x", create, destroy, NULL));
}
