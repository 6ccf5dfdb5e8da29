/* How oom.c gets between its callers and the allocator. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OOM_WRAPS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OOM_WRAPS
#endif
#endif

#ifdef OOM_WRAPS
/* The linker's --wrap: a sanitizer must keep malloc() itself. */
#define OOM_NAME(name) __wrap_##name
#define OOM_REAL(name) __real_##name
#define OOM_COUNTS     0
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *p);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
#else
/* The C library lets a program bring its own, and calls it itself. */
#define OOM_NAME(name) name
#define OOM_REAL(name) __libc_##name
#define OOM_COUNTS     1
#endif

#undef vasprintf
#undef asprintf
int OOM_NAME(vasprintf)(char **ret_text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
int OOM_NAME(asprintf)(char **ret_text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int OOM_NAME(__vasprintf_chk)(char **ret_text, int flag, const char *format,
			      va_list args)
	__attribute__((format(printf, 3, 0)));
int OOM_NAME(__asprintf_chk)(char **ret_text, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void *OOM_REAL(malloc)(size_t size);
void *OOM_REAL(calloc)(size_t n, size_t size);
void *OOM_REAL(realloc)(void *old, size_t size);
void OOM_REAL(free)(void *p);

#if defined(OOM_WRAPS) && !defined(__SANITIZE_THREAD__)
int __lsan_do_recoverable_leak_check(void);

static inline int oom_leak_check(void)
{
	return __lsan_do_recoverable_leak_check();
}
#else
static inline int oom_leak_check(void)
{
	return 0;
}
#endif
