#include <avf/avf.h>

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
#define VERSION_AS_TEXT         \
	TEXT(AVF_VERSION_MAJOR) \
	"." TEXT(AVF_VERSION_MINOR) "." TEXT(AVF_VERSION_PATCH)

const char *avf_version(void)
{
	return VERSION_AS_TEXT;
}
