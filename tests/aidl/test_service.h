/*
 * An implementation of com.example.ITest, and what calls it. Used by the tests
 * in this process and by those over sessions.
 */
#pragma once

#include <aidl/com/example/BnCallback.h>
#include <aidl/com/example/BnTest.h>
#include <aidl/com/example/BpTest.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

using aidl::com::example::BnCallback;
using aidl::com::example::BnTest;
using aidl::com::example::Everything;
using aidl::com::example::ICallback;
using aidl::com::example::ITest;
using aidl::com::example::Point;
using ndk::ScopedAStatus;
using ndk::ScopedFileDescriptor;
using ndk::SpAIBinder;

template <typename T> ScopedAStatus repeat(const T &in, T *out)
{
	*out = in;
	return ScopedAStatus::ok();
}

template <typename V> ScopedAStatus reverse(const V &in, V *out)
{
	*out = V(in.rbegin(), in.rend());
	return ScopedAStatus::ok();
}

template <typename V>
ScopedAStatus reverse(const std::optional<V> &in, std::optional<V> *out)
{
	out->reset();
	return in ? reverse(*in, &out->emplace()) : ScopedAStatus::ok();
}

/* Descriptors are duplicated: who gives one keeps it. */
Everything copy(const Everything &in);

class Callback : public BnCallback
{
      public:
	ScopedAStatus done(int32_t code, int32_t *_return) override;
	ScopedAStatus later(const std::string &text) override;
	int32_t last = 0;
};

class TestService : public BnTest
{
      public:
	ScopedAStatus repeatBoolean(bool v, bool *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatByte(int8_t v, int8_t *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatChar(char16_t v, char16_t *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatInt(int32_t v, int32_t *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatLong(int64_t v, int64_t *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatFloat(float v, float *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatDouble(double v, double *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatString(const std::string &v,
				   std::string *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatUtf8(const std::string &v, std::string *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatMaybeString(const std::optional<std::string> &v,
					std::optional<std::string> *r) override
	{
		return repeat(v, r);
	}

	ScopedAStatus reverseBooleans(const std::vector<bool> &v,
				      std::vector<bool> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseBytes(const std::vector<int8_t> &v,
				   std::vector<int8_t> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseChars(const std::vector<char16_t> &v,
				   std::vector<char16_t> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseInts(const std::vector<int32_t> &v,
				  std::vector<int32_t> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseLongs(const std::vector<int64_t> &v,
				   std::vector<int64_t> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseFloats(const std::vector<float> &v,
				    std::vector<float> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseDoubles(const std::vector<double> &v,
				     std::vector<double> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseStrings(const std::vector<std::string> &v,
				     std::vector<std::string> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseMaybeInts(
		const std::optional<std::vector<int32_t>> &v,
		std::optional<std::vector<int32_t>> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseMaybeStrings(
		const std::optional<std::vector<std::optional<std::string>>> &v,
		std::optional<std::vector<std::optional<std::string>>> *r)
		override
	{
		return reverse(v, r);
	}

	ScopedAStatus repeatEverything(const Everything &v,
				       Everything *r) override;
	ScopedAStatus reversePoints(const std::vector<Point> &v,
				    std::vector<Point> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus directions(const Point &given, Point *both, Point *filled,
				 std::vector<int32_t> *both_ints,
				 std::vector<int32_t> *filled_ints,
				 Point *r) override;

	ScopedAStatus repeatFile(const ScopedFileDescriptor &v,
				 ScopedFileDescriptor *r) override
	{
		*r = v.dup();
		return ScopedAStatus::ok();
	}
	ScopedAStatus repeatMaybeFile(const ScopedFileDescriptor &v,
				      ScopedFileDescriptor *r) override
	{
		if (v.get() >= 0)
			*r = v.dup();
		return ScopedAStatus::ok();
	}
	ScopedAStatus repeatObject(const SpAIBinder &v, SpAIBinder *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus repeatMaybeObject(const SpAIBinder &v,
					SpAIBinder *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus setCallback(const std::shared_ptr<ICallback> &v) override;
	ScopedAStatus getCallback(std::shared_ptr<ICallback> *r) override;
	ScopedAStatus callBack(const std::shared_ptr<ICallback> &v,
			       int32_t code, int32_t *r) override
	{
		return v->done(code, r);
	}

	ScopedAStatus fail(int32_t exception, int32_t error,
			   const std::string &text) override;
	ScopedAStatus failWithStatus(int32_t status) override
	{
		return ScopedAStatus::fromStatus(status);
	}
	ScopedAStatus fire(const std::string &text) override;
	ScopedAStatus fired(std::vector<std::string> *r) override;

      private:
	std::mutex mutex_; /* guards what follows */
	std::shared_ptr<ICallback> callback_;
	std::vector<std::string> fired_;
};
