/* bench_rpc_cpp PLACE WHAT CALLS: the calls from C++, with aidl's code. */
#include "place.h"

#include <aidl/org/avf/bench/IBench.h>
#include <android/binder_rpc_unstable.h>

#include <cstdio>
#include <cstdlib>

using aidl::org::avf::bench::IBench;

static const std::vector<int8_t> small(4096), large(65536);

static void call_once(void *data, uint32_t size)
{
	auto *bench = static_cast<IBench *>(data);
	int32_t result = 0;
	ndk::ScopedAStatus status =
		size == 0 ? bench->add(123, 321, &result)
			  : bench->take(size == 4096 ? small : large, &result);

	if (!status.isOk() ||
	    result != (size == 0 ? 444 : static_cast<int32_t>(size))) {
		std::fprintf(stderr, "call: %s\n",
			     status.getDescription().c_str());
		std::exit(1);
	}
}

int main(int argc, char **argv)
{
	ARpcSession *session = ARpcSession_new();
	std::shared_ptr<IBench> bench;
	struct place place;
	int calls;

	if (argc != 4)
		return 2;
	calls = static_cast<int>(std::strtol(argv[3], nullptr, 10));
	place_open(&place, argv[1], argv[2]);
	bench = IBench::fromBinder(
		ndk::SpAIBinder(ARpcSession_setupPreconnectedClient(
			session, place_dial, &place)));
	if (!bench)
		return 1;
	for (int i = 0; i < N_WORKS * N_SLICES; i++) {
		const struct work &work = works[i / N_SLICES];

		place_sample(&place, "cpp", work.what,
			     measure(&work, calls / N_SLICES, call_once,
				     bench.get()));
	}
	bench = nullptr;
	ARpcSession_free(session);
	place_close(&place);
	return 0;
}
