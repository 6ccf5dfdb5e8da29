/*
 * An implementation of com.example.ITest, and what calls it. Used by the tests
 * in this process and by those over sessions.
 */
#pragma once

#include <aidl/com/example/BnCallback.h>
#include <aidl/com/example/BnListener.h>
#include <aidl/com/example/BnTest.h>
#include <aidl/com/example/BpTest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

using aidl::com::example::BnCallback;
using aidl::com::example::BnListener;
using aidl::com::example::BnTest;
using aidl::com::example::Everything;
using aidl::com::example::Files;
using aidl::com::example::ICallback;
using aidl::com::example::IListener;
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

template <typename V> void turn_around(V *v)
{
	*v = V(v->rbegin(), v->rend());
}

/* 1, 2, 3... */
template <typename V> void count_up(V *v)
{
	int n = 0;

	for (auto &each : *v)
		each = static_cast<typename V::value_type>(++n);
}

class Callback : public BnCallback
{
      public:
	ScopedAStatus done(int32_t code, int32_t *_return) override;
	ScopedAStatus later(const std::string &text) override;
	/* Wait for later(), for as long as a busy computer may need. */
	bool wait_for(const std::string &text);
	int32_t last = 0;

      private:
	std::mutex mutex_; /* guards what follows */
	std::condition_variable changed_;
	std::string text_;
};

class Listener : public BnListener
{
      public:
	ScopedAStatus heard(const std::string &text) override
	{
		return text_->later(text);
	}
	bool wait_for(const std::string &text)
	{
		return text_->wait_for(text);
	}

      private:
	std::shared_ptr<Callback> text_ = ndk::SharedRefBase::make<Callback>();
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

	ScopedAStatus repeatMaybeUtf8(const std::optional<std::string> &v,
				      std::optional<std::string> *r) override
	{
		return repeat(v, r);
	}
	ScopedAStatus reverseUtf8s(const std::vector<std::string> &v,
				   std::vector<std::string> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseMaybeBooleans(
		const std::optional<std::vector<bool>> &v,
		std::optional<std::vector<bool>> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseMaybeBytes(
		const std::optional<std::vector<int8_t>> &v,
		std::optional<std::vector<int8_t>> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseMaybeChars(
		const std::optional<std::vector<char16_t>> &v,
		std::optional<std::vector<char16_t>> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseMaybeLongs(
		const std::optional<std::vector<int64_t>> &v,
		std::optional<std::vector<int64_t>> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseMaybeFloats(
		const std::optional<std::vector<float>> &v,
		std::optional<std::vector<float>> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus reverseMaybeDoubles(
		const std::optional<std::vector<double>> &v,
		std::optional<std::vector<double>> *r) override
	{
		return reverse(v, r);
	}
	ScopedAStatus fill(std::vector<bool> *booleans,
			   std::vector<int8_t> *bytes,
			   std::vector<char16_t> *chars,
			   std::vector<int64_t> *longs,
			   std::vector<float> *floats,
			   std::vector<double> *doubles,
			   std::vector<std::string> *texts,
			   std::vector<Point> *points) override;
	ScopedAStatus turn(std::vector<bool> *booleans,
			   std::vector<int8_t> *bytes,
			   std::vector<char16_t> *chars,
			   std::vector<int64_t> *longs,
			   std::vector<float> *floats,
			   std::vector<double> *doubles,
			   std::vector<std::string> *texts,
			   std::vector<Point> *points) override;
	ScopedAStatus repeatEverything(const Everything &v,
				       Everything *r) override
	{
		return repeat(v, r);
	}
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
	ScopedAStatus repeatFiles(const Files &v, Files *r) override;
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
	ScopedAStatus callLater(const std::shared_ptr<ICallback> &v,
				const std::string &text) override
	{
		return v->later(text);
	}
	ScopedAStatus tell(const std::shared_ptr<IListener> &v,
			   const std::string &text) override
	{
		return v->heard(text);
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
