/* Stop reasons by the words that a guest writes to its failure port. */
#pragma once

#include <stddef.h>

/**
 * Split "REASON" or "REASON|detail" (AVF's format). Returns the enum
 * avf_stop_reason, or -1 for words that are none, and points *@ret_detail at
 * the detail (or at the whole text when there is none).
 */
int reason_parse(const char *text, const char **ret_detail);
