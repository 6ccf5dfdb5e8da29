/**
 * @file binder_auto_utils.h
 * C++17 owners of what the C functions hand out: objects, parcels, results,
 * file descriptors. Source compatible with the NDK's header of this name, and
 * what generated code is written against.
 *
 * Every class owns one thing and frees it; get() lends it, getR() lends its
 * place, release() gives it away. Nothing throws.
 * Threads: as those of the C type behind each.
 */
#pragma once

#include <stddef.h>
#include <unistd.h>

#include <string>
#include <utility>

#include <android/binder_ibinder.h>
#include <android/binder_parcel.h>
#include <android/binder_status.h>

namespace ndk
{

/** A strong reference to an object, or none. */
class SpAIBinder
{
      public:
	SpAIBinder() = default;
	SpAIBinder(std::nullptr_t)
	{
	}
	/** Takes a reference of the caller's. */
	explicit SpAIBinder(AIBinder *binder) : binder_(binder)
	{
	}
	SpAIBinder(const SpAIBinder &other) : binder_(other.binder_)
	{
		AIBinder_incStrong(binder_);
	}
	SpAIBinder(SpAIBinder &&other) noexcept
	    : binder_(std::exchange(other.binder_, nullptr))
	{
	}
	virtual ~SpAIBinder()
	{
		set(nullptr);
	}

	SpAIBinder &operator=(const SpAIBinder &other)
	{
		/* before the old one is dropped: it may hold the new one */
		AIBinder_incStrong(other.binder_);
		set(other.binder_);
		return *this;
	}
	SpAIBinder &operator=(SpAIBinder &&other) noexcept
	{
		if (this != &other)
			set(std::exchange(other.binder_, nullptr));
		return *this;
	}

	/** Takes a reference of the caller's, and drops the one that was. */
	void set(AIBinder *binder)
	{
		AIBinder *old = std::exchange(binder_, binder);

		AIBinder_decStrong(old);
	}
	AIBinder *get() const
	{
		return binder_;
	}
	/** The place of the reference. What is put there replaces one without
	 * dropping it. */
	AIBinder **getR()
	{
		return &binder_;
	}

	bool operator!=(const SpAIBinder &other) const
	{
		return get() != other.get();
	}
	bool operator<(const SpAIBinder &other) const
	{
		return AIBinder_lt(get(), other.get());
	}
	bool operator<=(const SpAIBinder &other) const
	{
		return !(other < *this);
	}
	bool operator==(const SpAIBinder &other) const
	{
		return get() == other.get();
	}
	bool operator>(const SpAIBinder &other) const
	{
		return other < *this;
	}
	bool operator>=(const SpAIBinder &other) const
	{
		return !(*this < other);
	}

      private:
	AIBinder *binder_ = nullptr;
};

namespace impl
{

/** The owner of one @T, which @Destroy frees; @None is none. */
template <typename T, void (*Destroy)(T), T None> class ScopedAResource
{
      public:
	ScopedAResource() = default;
	/** Takes @value. */
	explicit ScopedAResource(T value) : value_(value)
	{
	}
	ScopedAResource(ScopedAResource &&other) noexcept
	    : value_(other.release())
	{
	}
	ScopedAResource(const ScopedAResource &) = delete;
	ScopedAResource &operator=(const ScopedAResource &) = delete;
	~ScopedAResource()
	{
		set(None);
	}

	ScopedAResource &operator=(ScopedAResource &&other) noexcept
	{
		if (this != &other)
			set(other.release());
		return *this;
	}

	/** Takes @value, and frees what was. */
	void set(T value)
	{
		T old = std::exchange(value_, value);

		if (old != None)
			Destroy(old);
	}
	const T &get() const
	{
		return value_;
	}
	/** Its place. What is put there replaces a value without freeing it:
	 * C functions take the value from it, or give one to an empty owner. */
	T *getR()
	{
		return &value_;
	}
	T release()
	{
		return std::exchange(value_, None);
	}

      private:
	T value_ = None;
};

inline void close_fd(int fd)
{
	(void)close(fd);
}

}

/** A parcel. */
class ScopedAParcel
    : public impl::ScopedAResource<AParcel *, AParcel_delete, nullptr>
{
      public:
	using ScopedAResource::ScopedAResource;
};

/** How a method ended. Methods of AIDL interfaces return it; a default one,
 * which holds none, must not be returned. */
class ScopedAStatus
    : public impl::ScopedAResource<AStatus *, AStatus_delete, nullptr>
{
      public:
	using ScopedAResource::ScopedAResource;

	bool isOk() const
	{
		return get() && AStatus_isOk(get());
	}
	binder_exception_t getExceptionCode() const
	{
		return AStatus_getExceptionCode(get());
	}
	int32_t getServiceSpecificError() const
	{
		return AStatus_getServiceSpecificError(get());
	}
	binder_status_t getStatus() const
	{
		return AStatus_getStatus(get());
	}
	const char *getMessage() const
	{
		return AStatus_getMessage(get());
	}
	std::string getDescription() const
	{
		const char *text = AStatus_getDescription(get());
		std::string copy = text ? text : "";

		AStatus_deleteDescription(text);
		return copy;
	}

	static ScopedAStatus ok()
	{
		return ScopedAStatus(AStatus_newOk());
	}
	static ScopedAStatus fromExceptionCode(binder_exception_t exception)
	{
		return ScopedAStatus(AStatus_fromExceptionCode(exception));
	}
	static ScopedAStatus fromExceptionCodeWithMessage(
		binder_exception_t exception, const char *message)
	{
		return ScopedAStatus(AStatus_fromExceptionCodeWithMessage(
			exception, message));
	}
	static ScopedAStatus fromServiceSpecificError(int32_t error)
	{
		return ScopedAStatus(AStatus_fromServiceSpecificError(error));
	}
	static ScopedAStatus fromServiceSpecificErrorWithMessage(
		int32_t error, const char *message)
	{
		return ScopedAStatus(
			AStatus_fromServiceSpecificErrorWithMessage(error,
								    message));
	}
	static ScopedAStatus fromStatus(binder_status_t status)
	{
		return ScopedAStatus(AStatus_fromStatus(status));
	}
};

/** Somebody who wants to know when a peer is gone. */
class ScopedAIBinder_DeathRecipient
    : public impl::ScopedAResource<AIBinder_DeathRecipient *,
				   AIBinder_DeathRecipient_delete, nullptr>
{
      public:
	using ScopedAResource::ScopedAResource;
};

/** A reference that does not keep its object alive. */
class ScopedAIBinder_Weak
    : public impl::ScopedAResource<AIBinder_Weak *, AIBinder_Weak_delete,
				   nullptr>
{
      public:
	using ScopedAResource::ScopedAResource;

	/** None when the object has ended. */
	SpAIBinder promote() const
	{
		return SpAIBinder(AIBinder_Weak_promote(get()));
	}
};

/** A file descriptor. */
class ScopedFileDescriptor
    : public impl::ScopedAResource<int, impl::close_fd, -1>
{
      public:
	using ScopedAResource::ScopedAResource;

	/** Another one for the same file, none when that fails. */
	ScopedFileDescriptor dup() const
	{
		return ScopedFileDescriptor(::dup(get()));
	}
};

}
