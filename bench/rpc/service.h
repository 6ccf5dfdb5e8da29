/* The service that is called, on this computer and in a VM. */
#pragma once

#include <aidl/org/avf/bench/BnBench.h>

class Bench : public aidl::org::avf::bench::BnBench
{
      public:
	ndk::ScopedAStatus add(int32_t a, int32_t b, int32_t *r) override
	{
		*r = a + b;
		return ndk::ScopedAStatus::ok();
	}
	ndk::ScopedAStatus take(const std::vector<int8_t> &v,
				int32_t *r) override
	{
		*r = static_cast<int32_t>(v.size());
		return ndk::ScopedAStatus::ok();
	}
};
