/* What the programs of this folder share: checks, and a list of tests. */
#pragma once

#include <cstdio>
#include <cstring>

namespace checks
{

inline bool failed;

inline void fail(const char *file, int line, const char *what)
{
	failed = true;
	std::printf("%s:%d: %s\n", file, line, what);
}

struct test {
	const char *name;
	void (*run)();
};

/* The tests that are named, or all. Returns the exit code. */
template <size_t N> int run(const test (&tests)[N], int argc, char **argv)
{
	int code = 0;

	for (const test &each : tests) {
		if (argc > 1 && std::strcmp(argv[1], each.name) != 0)
			continue;
		failed = false;
		each.run();
		std::printf("%s %s\n", failed ? "not ok" : "ok", each.name);
		std::fflush(stdout);
		code |= failed;
	}
	return code;
}

}

/* Goes on when it fails. */
#define CHECK(condition)                                              \
	do {                                                          \
		if (!(condition))                                     \
			checks::fail(__FILE__, __LINE__, #condition); \
	} while (0)

/* The ScopedAStatus of a call that must succeed. */
#define CHECK_OK(call)                                                        \
	do {                                                                  \
		ndk::ScopedAStatus check_status_ = (call);                    \
		if (!check_status_.isOk())                                    \
			checks::fail(__FILE__, __LINE__,                      \
				     check_status_.getDescription().c_str()); \
	} while (0)
