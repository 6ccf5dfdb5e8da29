#include <criterion/criterion.h>

#include <avf/vm.h>

#include "base/checked.h"
#include "vmm/reason.h"

Test(reason, only_whole_known_words_count)
{
	static const struct {
		const char *text;
		int reason;
		const char *detail;
	} rows[] = {
		{"MICRODROID_PAYLOAD_HAS_CHANGED|apk differs",
		 AVF_STOP_REASON_MICRODROID_PAYLOAD_HAS_CHANGED, "apk differs"},
		{"MICRODROID_UNKNOWN_RUNTIME_ERROR",
		 AVF_STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR,
		 "MICRODROID_UNKNOWN_RUNTIME_ERROR"},
		{"MICRODROID_UNKNOWN_RUNTIME_ERROR\n",
		 AVF_STOP_REASON_MICRODROID_UNKNOWN_RUNTIME_ERROR,
		 "MICRODROID_UNKNOWN_RUNTIME_ERROR\n"},
		{"MICRODROID_PAYLOAD_HAS_CHANGED|", 12, ""},
		{"", -1, ""},
		{"|", -1, ""},
		{"MICRODROID", -1, "MICRODROID"},
		{"MICRODROID_PAYLOAD_HAS_CHANGEDX", -1,
		 "MICRODROID_PAYLOAD_HAS_CHANGEDX"},
		{"SHUTDOWN", -1, "SHUTDOWN"},
		{"KILLED|a guest cannot claim this", -1,
		 "a guest cannot claim this"},
	};
	const char *detail;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_expect_eq(reason_parse(rows[i].text, &detail),
			     rows[i].reason, "%s", rows[i].text);
		cr_expect_str_eq(detail, rows[i].detail, "%s", rows[i].text);
	}
}
