/**
 * @file binder_parcel_utils.h
 * C++17: values of every AIDL type into parcels and out of them.
 * Source compatible with the NDK's header of this name, for the code that
 * Debian 12's aidl generates (AParcel_writeVector() and its family) and for
 * that of Android 12 and later (AParcel_writeData() and its family).
 *
 * Every function returns what the C function behind it does
 * (binder_parcel.h). What a failed read was to fill is a valid object of any
 * value afterwards. Lengths that a peer sent are believed only as far as there
 * are bytes for them in the parcel.
 */
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <android/binder_auto_utils.h>
#include <android/binder_parcel.h>
#include <android/binder_parcel_values.h>
#include <android/binder_parcelable_utils.h>

namespace ndk
{

/* ---- any type: what later compilers generate ----------------------------- */

/** Write @value. Errors: STATUS_UNEXPECTED_NULL (an object, an interface or a
 * descriptor that is none). */
template <typename T>
binder_status_t AParcel_writeData(AParcel *parcel, const T &value)
{
	return internal::write_value<false>(parcel, value);
}

/** Read *@value. Errors: STATUS_UNEXPECTED_NULL, STATUS_BAD_VALUE (the length
 * of a std::array), STATUS_BAD_TYPE (another interface). */
template <typename T>
binder_status_t AParcel_readData(const AParcel *parcel, T *value)
{
	return internal::read_value<false>(parcel, value);
}

/** As AParcel_writeData(); none is written as null. */
template <typename T>
binder_status_t AParcel_writeNullableData(AParcel *parcel, const T &value)
{
	return internal::write_value<true>(parcel, value);
}

/** As AParcel_readData(); null is read as none. */
template <typename T>
binder_status_t AParcel_readNullableData(const AParcel *parcel, T *value)
{
	return internal::read_value<true>(parcel, value);
}

/* ---- strings, arrays and lists: what Debian's compiler generates ----------
 */

/** UTF-8. @T: std::string, or an optional one. */
template <typename T>
binder_status_t AParcel_writeString(AParcel *parcel, const T &value)
{
	return internal::write_value<false>(parcel, value);
}
template <typename T>
binder_status_t AParcel_readString(const AParcel *parcel, T *value)
{
	return internal::read_value<false>(parcel, value);
}

/** @V: a vector, or an optional one, whose elements may be none. */
template <typename V>
binder_status_t AParcel_writeVector(AParcel *parcel, const V &value)
{
	return internal::write_value<internal::is_owner<V>::value>(parcel,
								   value);
}
template <typename V>
binder_status_t AParcel_readVector(const AParcel *parcel, V *value)
{
	return internal::read_value<internal::is_owner<V>::value>(parcel,
								  value);
}

/** The length of an array that the callee is to fill ("out T[]"). */
template <typename T>
binder_status_t AParcel_writeVectorSize(AParcel *parcel,
					const std::vector<T> &value)
{
	if (value.size() > INT32_MAX)
		return STATUS_BAD_VALUE;
	return AParcel_writeInt32(parcel, static_cast<int32_t>(value.size()));
}
template <typename T>
binder_status_t AParcel_writeVectorSize(
	AParcel *parcel, const std::optional<std::vector<T>> &value)
{
	return value ? AParcel_writeVectorSize(parcel, *value)
		     : AParcel_writeInt32(parcel, -1);
}

/** The most bytes that a caller can have a callee allocate by a length. */
constexpr size_t AParcel_maxVectorBytes = 1000000;

/** Give *@value the length that AParcel_writeVectorSize() wrote.
 * Errors: STATUS_UNEXPECTED_NULL, STATUS_NO_MEMORY (beyond
 * AParcel_maxVectorBytes), STATUS_BAD_VALUE (negative). */
template <typename T>
binder_status_t AParcel_resizeVector(const AParcel *parcel,
				     std::vector<T> *value)
{
	int32_t length = 0;
	binder_status_t status = AParcel_readInt32(parcel, &length);

	if (status != STATUS_OK)
		return status;
	if (length < 0)
		return length == -1 ? STATUS_UNEXPECTED_NULL : STATUS_BAD_VALUE;
	if (static_cast<size_t>(length) >= AParcel_maxVectorBytes / sizeof(T))
		return STATUS_NO_MEMORY;
	value->resize(static_cast<size_t>(length));
	return STATUS_OK;
}
template <typename T>
binder_status_t AParcel_resizeVector(const AParcel *parcel,
				     std::optional<std::vector<T>> *value)
{
	binder_status_t status =
		AParcel_resizeVector(parcel, &value->emplace());

	if (status != STATUS_OK)
		value->reset();
	return status == STATUS_UNEXPECTED_NULL ? STATUS_OK : status;
}

/* ---- objects and file descriptors ----------------------------------------
 */

inline binder_status_t AParcel_writeRequiredStrongBinder(
	AParcel *parcel, const SpAIBinder &binder)
{
	return internal::write_binder<false>(parcel, binder);
}
inline binder_status_t AParcel_readRequiredStrongBinder(const AParcel *parcel,
							SpAIBinder *binder)
{
	return internal::read_binder<false>(parcel, binder);
}
inline binder_status_t AParcel_writeNullableStrongBinder(
	AParcel *parcel, const SpAIBinder &binder)
{
	return internal::write_binder<true>(parcel, binder);
}
inline binder_status_t AParcel_readNullableStrongBinder(const AParcel *parcel,
							SpAIBinder *binder)
{
	return internal::read_binder<true>(parcel, binder);
}

inline binder_status_t AParcel_writeRequiredParcelFileDescriptor(
	AParcel *parcel, const ScopedFileDescriptor &fd)
{
	return internal::write_fd<false>(parcel, fd);
}
inline binder_status_t AParcel_readRequiredParcelFileDescriptor(
	const AParcel *parcel, ScopedFileDescriptor *fd)
{
	return internal::read_fd<false>(parcel, fd);
}
inline binder_status_t AParcel_writeNullableParcelFileDescriptor(
	AParcel *parcel, const ScopedFileDescriptor &fd)
{
	return internal::write_fd<true>(parcel, fd);
}
inline binder_status_t AParcel_readNullableParcelFileDescriptor(
	const AParcel *parcel, ScopedFileDescriptor *fd)
{
	return internal::read_fd<true>(parcel, fd);
}

}
