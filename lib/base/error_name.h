#pragma once

/** The name of an error code, "AVF_ERR_?" for anything else. */
const char *error_name(int code);
