/**
 * @file binder_parcelable_utils.h
 * C++17: parcelables, in both dialects of generated code.
 * Source compatible with the NDK's header of this name.
 *
 * On the wire a parcelable is a flag (1, or 0 for null) and its body. The
 * parcelables that Debian 12's aidl generates write and read the flag
 * themselves, those of Android 12 and later leave it to these functions. They
 * are told apart by what only the later ones declare; see
 * parcelable_has_flag for others.
 */
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <android/binder_auto_utils.h>
#include <android/binder_parcel.h>

namespace ndk
{

/** How stable the interfaces are that a parcelable may travel in. */
using parcelable_stability_t = int32_t;

enum {
	STABILITY_LOCAL = 0,
	STABILITY_VINTF = 1,
};

namespace internal
{

template <typename T, typename = void>
struct declares_fixed_size : std::false_type {
};
template <typename T>
struct declares_fixed_size<T, std::void_t<typename T::fixed_size>>
    : std::true_type {
};

template <typename T, typename = void>
struct declares_stability : std::false_type {
};
template <typename T>
struct declares_stability<T, std::void_t<decltype(T::_aidl_stability)>>
    : std::true_type {
};

template <typename T, typename = void> struct is_parcelable : std::false_type {
};
template <typename T>
struct is_parcelable<
	T,
	std::void_t<decltype(std::declval<const T &>().writeToParcel(nullptr))>>
    : std::true_type {
};

}

/**
 * Whether T::writeToParcel() writes the flag. Specialize it for a parcelable
 * that is written by hand and has the other habit:
 *
 *   template <> inline constexpr bool ndk::parcelable_has_flag<Mine> = false;
 */
template <typename T>
inline constexpr bool parcelable_has_flag =
	!internal::declares_fixed_size<T>::value &&
	!internal::declares_stability<T>::value;

/** Write @value, with its flag. */
template <typename P>
binder_status_t AParcel_writeParcelable(AParcel *parcel, const P &value)
{
	if constexpr (!parcelable_has_flag<P>) {
		binder_status_t status = AParcel_writeInt32(parcel, 1);

		if (status != STATUS_OK)
			return status;
	}
	return value.writeToParcel(parcel);
}

/** So many parcelables may be inside of each other: it is the peer that
 * decides, and each takes some of the reader's stack. */
inline constexpr int AParcel_maxParcelableDepth = 1000;

namespace internal
{

/** A parcelable that is being read. */
class ParcelableLevel
{
      public:
	ParcelableLevel()
	{
		depth_++;
	}
	~ParcelableLevel()
	{
		depth_--;
	}
	ParcelableLevel(const ParcelableLevel &) = delete;
	ParcelableLevel &operator=(const ParcelableLevel &) = delete;

	bool fits() const
	{
		return depth_ <= AParcel_maxParcelableDepth;
	}

      private:
	static inline thread_local int depth_ = 0;
};

}

/** Read @value. Errors: STATUS_UNEXPECTED_NULL, STATUS_BAD_VALUE (too deep),
 * those of its fields. */
template <typename P>
binder_status_t AParcel_readParcelable(const AParcel *parcel, P *value)
{
	const internal::ParcelableLevel level;

	if (!level.fits())
		return STATUS_BAD_VALUE;
	if constexpr (!parcelable_has_flag<P>) {
		int32_t there = 0;
		binder_status_t status = AParcel_readInt32(parcel, &there);

		if (status != STATUS_OK)
			return status;
		if (!there)
			return STATUS_UNEXPECTED_NULL;
	}
	return value->readFromParcel(parcel);
}

namespace internal
{

/** @value is an owner that may be empty: optional or unique_ptr. */
template <typename Owner>
binder_status_t write_nullable_parcelable(AParcel *parcel, const Owner &value)
{
	return value ? AParcel_writeParcelable(parcel, *value)
		     : AParcel_writeInt32(parcel, 0);
}

/** The flag is looked at first, and read again by whom it belongs to. */
template <typename Owner, typename Make>
binder_status_t read_nullable_parcelable(const AParcel *parcel, Owner *value,
					 Make make)
{
	int32_t start = AParcel_getDataPosition(parcel);
	int32_t there = 0;
	binder_status_t status = AParcel_readInt32(parcel, &there);

	if (status != STATUS_OK)
		return status;
	value->reset();
	if (!there)
		return STATUS_OK;
	status = AParcel_setDataPosition(parcel, start);
	if (status != STATUS_OK)
		return status;
	make(value);
	return AParcel_readParcelable(parcel, &**value);
}

}

template <typename P>
binder_status_t AParcel_writeNullableParcelable(AParcel *parcel,
						const std::optional<P> &value)
{
	return internal::write_nullable_parcelable(parcel, value);
}

template <typename P>
binder_status_t AParcel_writeNullableParcelable(AParcel *parcel,
						const std::unique_ptr<P> &value)
{
	return internal::write_nullable_parcelable(parcel, value);
}

template <typename P>
binder_status_t AParcel_readNullableParcelable(const AParcel *parcel,
					       std::optional<P> *value)
{
	return internal::read_nullable_parcelable(
		parcel, value, [](std::optional<P> *v) { v->emplace(); });
}

template <typename P>
binder_status_t AParcel_readNullableParcelable(const AParcel *parcel,
					       std::unique_ptr<P> *value)
{
	return internal::read_nullable_parcelable(
		parcel, value,
		[](std::unique_ptr<P> *v) { *v = std::make_unique<P>(); });
}

namespace internal
{

inline bool take_string(void *string_data, int32_t length, char **ret_buffer)
{
	std::string *string = static_cast<std::string *>(string_data);

	if (length < 1)
		return false;
	string->resize(static_cast<size_t>(length) - 1);
	/* the NUL that is written behind the text is the string's own */
	*ret_buffer = string->data();
	return true;
}

}

/**
 * A parcelable of a type that only its users know, or none. Kept as what
 * travels: the descriptor of the type and its body, so it can be passed on by
 * who does not know the type.
 */
class AParcelableHolder
{
      public:
	AParcelableHolder() = default;
	explicit AParcelableHolder(parcelable_stability_t stability)
	    : stability_(stability)
	{
	}
	AParcelableHolder(AParcelableHolder &&other) noexcept = default;
	AParcelableHolder &operator=(AParcelableHolder &&) noexcept = default;
	AParcelableHolder(const AParcelableHolder &other)
	    : stability_(other.stability_)
	{
		copy(other);
	}
	AParcelableHolder &operator=(const AParcelableHolder &other)
	{
		if (this != &other) {
			stability_ = other.stability_;
			copy(other);
		}
		return *this;
	}

	/** Put a copy of @value into it. */
	template <typename T> binder_status_t setParcelable(const T &value)
	{
		ScopedAParcel content(AParcel_create());
		const std::string name = T::descriptor;
		binder_status_t status;

		status = ::AParcel_writeString(
			content.get(), name.data(),
			static_cast<int32_t>(name.size()));
		if (status == STATUS_OK)
			status = value.writeToParcel(content.get());
		if (status == STATUS_OK)
			content_ = std::move(content);
		return status;
	}

	/** Get a copy; none when it is empty.
	 * Errors: STATUS_BAD_VALUE (it is of another type). */
	template <typename T>
	binder_status_t getParcelable(std::optional<T> *ret_value) const
	{
		std::string name;
		binder_status_t status;

		ret_value->reset();
		if (!content_.get())
			return STATUS_OK;
		status = AParcel_setDataPosition(content_.get(), 0);
		if (status == STATUS_OK)
			status = ::AParcel_readString(content_.get(), &name,
						      internal::take_string);
		if (status != STATUS_OK)
			return status;
		if (name != T::descriptor)
			return STATUS_BAD_VALUE;
		ret_value->emplace();
		status = (*ret_value)->readFromParcel(content_.get());
		if (status != STATUS_OK)
			ret_value->reset();
		return status;
	}

	/** Make it empty. */
	void reset()
	{
		content_.set(nullptr);
	}
	parcelable_stability_t getStability() const
	{
		return stability_;
	}

	binder_status_t writeToParcel(AParcel *parcel) const
	{
		int32_t size = content_.get()
				       ? AParcel_getDataSize(content_.get())
				       : 0;
		binder_status_t status = AParcel_writeInt32(parcel, stability_);

		if (status == STATUS_OK)
			status = AParcel_writeInt32(parcel, size);
		if (status == STATUS_OK && size > 0)
			status = AParcel_appendFrom(content_.get(), parcel, 0,
						    size);
		return status;
	}

	binder_status_t readFromParcel(const AParcel *parcel)
	{
		int32_t stability = 0;
		int32_t size = 0;
		binder_status_t status = AParcel_readInt32(parcel, &stability);

		if (status == STATUS_OK)
			status = AParcel_readInt32(parcel, &size);
		if (status != STATUS_OK)
			return status;
		if (stability != stability_ || size < 0)
			return STATUS_BAD_VALUE;
		return read_content(parcel, size);
	}

	/** AIDL's parcelables of this time leave their flag to others. */
	static constexpr parcelable_stability_t _aidl_stability =
		STABILITY_LOCAL;

      private:
	void copy(const AParcelableHolder &other)
	{
		content_.set(nullptr);
		if (!other.content_.get())
			return;
		content_.set(AParcel_create());
		if (AParcel_appendFrom(
			    other.content_.get(), content_.get(), 0,
			    AParcel_getDataSize(other.content_.get())) !=
		    STATUS_OK)
			content_.set(nullptr);
	}

	binder_status_t read_content(const AParcel *parcel, int32_t size)
	{
		int32_t start = AParcel_getDataPosition(parcel);
		ScopedAParcel content;
		binder_status_t status;

		if (size > AParcel_getDataSize(parcel) - start)
			return STATUS_NOT_ENOUGH_DATA;
		if (size > 0) {
			content.set(AParcel_create());
			status = AParcel_appendFrom(parcel, content.get(),
						    start, size);
			if (status != STATUS_OK)
				return status;
		}
		content_ = std::move(content);
		return AParcel_setDataPosition(parcel, start + size);
	}

	parcelable_stability_t stability_ = STABILITY_LOCAL;
	ScopedAParcel content_; /* null: empty */
};

}
