/**
 * @file binder_parcel_values.h
 * C++17, and not to be included by itself: what binder_parcel_utils.h is made
 * of. One pair of templates writes and reads a value of any AIDL type; which C
 * functions that comes to is decided by the type alone.
 */
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <android/binder_auto_utils.h>
#include <android/binder_interface_utils.h>
#include <android/binder_parcel_types.h>
#include <android/binder_parcelable_utils.h>

namespace ndk
{

namespace internal
{

/* ---- one value ------------------------------------------------------------
 */

/* Nullable: whether objects and descriptors may be none. What else may be
 * null is an owner. */
template <bool Nullable, typename T>
binder_status_t write_value(AParcel *parcel, const T &value);
template <bool Nullable, typename T>
binder_status_t read_value(const AParcel *parcel, T *value);

/* Null of the type that an empty owner would own. */
template <typename T> binder_status_t write_null(AParcel *parcel)
{
	if constexpr (std::is_same_v<T, std::string>)
		return ::AParcel_writeString(parcel, nullptr, -1);
	else if constexpr (is_vector<T>::value || is_array<T>::value)
		return ::AParcel_writeInt32(parcel, -1);
	else
		return ::AParcel_writeInt32(parcel, 0);
}

inline bool take_nullable_string(void *data, int32_t length, char **ret_buffer)
{
	auto *string = static_cast<std::optional<std::string> *>(data);

	string->reset();
	if (length < 0) {
		*ret_buffer = nullptr;
		return true;
	}
	return take_string(&string->emplace(), length, ret_buffer);
}

/* ---- arrays and lists -----------------------------------------------------
 */

/* A vector, or an optional one, as allocators of the C functions see it. */
template <typename T> struct as_vector {
	using type = T;
	static T *resize(T *v, int32_t length)
	{
		if (length < 0)
			return nullptr;
		v->resize(static_cast<size_t>(length));
		return v;
	}
	static T &get(T *v)
	{
		return *v;
	}
};
template <typename T> struct as_vector<std::optional<T>> {
	using type = T;
	static T *resize(std::optional<T> *v, int32_t length)
	{
		v->reset();
		return length < 0 ? nullptr
				  : as_vector<T>::resize(&v->emplace(), length);
	}
	static T &get(std::optional<T> *v)
	{
		return **v;
	}
};

/* Null is for owners only. */
template <typename V> bool resize_vector(void *data, int32_t length)
{
	return as_vector<V>::resize(static_cast<V *>(data), length) ||
	       (is_owner<V>::value && length == -1);
}

template <typename V, typename Memory>
bool resize_numbers(void *data, int32_t length, Memory **ret_buffer)
{
	auto *vector = as_vector<V>::resize(static_cast<V *>(data), length);

	*ret_buffer =
		vector ? reinterpret_cast<Memory *>(vector->data()) : nullptr;
	return vector || (is_owner<V>::value && length == -1);
}

template <bool Nullable, typename V>
binder_status_t write_element(AParcel *parcel, const void *data, size_t index)
{
	return write_value<Nullable>(parcel,
				     (*static_cast<const V *>(data))[index]);
}

template <bool Nullable, typename V>
binder_status_t read_element(const AParcel *parcel, void *data, size_t index)
{
	auto &vector = as_vector<V>::get(static_cast<V *>(data));

	return read_value<Nullable>(parcel, &vector[index]);
}

/* vector<bool> has no elements that a pointer could point at. */
template <typename V> bool get_bool(const void *data, size_t index)
{
	return (*static_cast<const V *>(data))[index];
}

template <typename V> void set_bool(void *data, size_t index, bool value)
{
	as_vector<V>::get(static_cast<V *>(data))[index] = value;
}

/* @V: a vector or a std::array. */
template <bool Nullable, typename V>
binder_status_t write_all(AParcel *parcel, const V &all)
{
	using T = typename V::value_type;
	int32_t length = static_cast<int32_t>(all.size());

	if (all.size() > INT32_MAX)
		return STATUS_BAD_VALUE;
	if constexpr (std::is_same_v<T, bool>)
		return ::AParcel_writeBoolArray(parcel, &all, length,
						get_bool<V>);
	else if constexpr (number_for<T>::exists)
		return number_for<T>::write_all(
			parcel,
			reinterpret_cast<const typename number_for<T>::memory
						 *>(all.data()),
			length);
	else
		return ::AParcel_writeParcelableArray(
			parcel, &all, length, write_element<Nullable, V>);
}

/* @V: a vector or an optional one. */
template <bool Nullable, typename V>
binder_status_t read_vector(const AParcel *parcel, V *all)
{
	using T = typename as_vector<V>::type::value_type;

	if constexpr (std::is_same_v<T, bool>)
		return ::AParcel_readBoolArray(parcel, all, resize_vector<V>,
					       set_bool<V>);
	else if constexpr (number_for<T>::exists)
		return number_for<T>::read_all(
			parcel, all,
			resize_numbers<V, typename number_for<T>::memory>);
	else
		return ::AParcel_readParcelableArray(parcel, all,
						     resize_vector<V>,
						     read_element<Nullable, V>);
}

/* Through a vector, whose length has to be right. */
template <bool Nullable, typename T, size_t N>
binder_status_t read_array(const AParcel *parcel, std::array<T, N> *array)
{
	std::vector<T> all;
	binder_status_t status = read_vector<Nullable>(parcel, &all);

	if (status != STATUS_OK)
		return status;
	if (all.size() != N)
		return STATUS_BAD_VALUE;
	for (size_t i = 0; i < N; i++)
		(*array)[i] = std::move(all[i]);
	return STATUS_OK;
}

/* ---- owners, objects, descriptors -----------------------------------------
 */

template <bool Nullable, typename Owner>
binder_status_t write_owner(AParcel *parcel, const Owner &value)
{
	using T = std::decay_t<decltype(*value)>;

	return value ? write_value<Nullable>(parcel, *value)
		     : write_null<T>(parcel);
}

template <bool Nullable, typename Owner>
binder_status_t read_owner(const AParcel *parcel, Owner *value)
{
	using T = std::decay_t<decltype(**value)>;

	if constexpr (std::is_same_v<T, std::string>)
		return ::AParcel_readString(parcel, value,
					    take_nullable_string);
	else if constexpr (is_vector<T>::value)
		return read_vector<Nullable>(parcel, value);
	else if constexpr (is_array<T>::value) {
		int32_t start = AParcel_getDataPosition(parcel);
		int32_t length = 0;
		binder_status_t status = AParcel_readInt32(parcel, &length);

		value->reset();
		if (status != STATUS_OK || length == -1)
			return status;
		status = AParcel_setDataPosition(parcel, start);
		return status != STATUS_OK ? status
					   : read_value<Nullable>(
						     parcel, &value->emplace());
	} else
		return AParcel_readNullableParcelable(parcel, value);
}

template <bool Nullable>
binder_status_t write_fd(AParcel *parcel, const ScopedFileDescriptor &fd)
{
	if (!Nullable && fd.get() < 0)
		return STATUS_UNEXPECTED_NULL;
	return ::AParcel_writeParcelFileDescriptor(parcel, fd.get());
}

template <bool Nullable>
binder_status_t read_fd(const AParcel *parcel, ScopedFileDescriptor *fd)
{
	binder_status_t status;

	fd->set(-1);
	status = ::AParcel_readParcelFileDescriptor(parcel, fd->getR());

	if (!Nullable && status == STATUS_OK && fd->get() < 0)
		return STATUS_UNEXPECTED_NULL;
	return status;
}

template <bool Nullable>
binder_status_t write_binder(AParcel *parcel, const SpAIBinder &binder)
{
	if (!Nullable && !binder.get())
		return STATUS_UNEXPECTED_NULL;
	return ::AParcel_writeStrongBinder(parcel, binder.get());
}

template <bool Nullable>
binder_status_t read_binder(const AParcel *parcel, SpAIBinder *binder)
{
	binder_status_t status;

	binder->set(nullptr);
	status = ::AParcel_readStrongBinder(parcel, binder->getR());

	if (!Nullable && status == STATUS_OK && !binder->get())
		return STATUS_UNEXPECTED_NULL;
	return status;
}

template <bool Nullable, typename I>
binder_status_t read_interface(const AParcel *parcel, std::shared_ptr<I> *value)
{
	SpAIBinder binder;
	binder_status_t status = read_binder<Nullable>(parcel, &binder);

	if (status != STATUS_OK)
		return status;
	*value = binder.get() ? I::fromBinder(binder) : nullptr;
	/* an object that has another interface */
	return binder.get() && !*value ? STATUS_BAD_TYPE : STATUS_OK;
}

/* ---- any type --------------------------------------------------------------
 */

template <bool Nullable, typename T>
binder_status_t write_value(AParcel *parcel, const T &value)
{
	if constexpr (std::is_same_v<T, bool>)
		return ::AParcel_writeBool(parcel, value);
	else if constexpr (number_for<T>::exists)
		return number_for<T>::write(
			parcel,
			static_cast<typename number_for<T>::memory>(value));
	else if constexpr (std::is_same_v<T, std::string>)
		return value.size() > INT32_MAX
			       ? STATUS_BAD_VALUE
			       : ::AParcel_writeString(
					 parcel, value.data(),
					 static_cast<int32_t>(value.size()));
	else if constexpr (is_vector<T>::value || is_array<T>::value)
		return write_all<Nullable>(parcel, value);
	else if constexpr (is_owner<T>::value)
		return write_owner<Nullable>(parcel, value);
	else if constexpr (std::is_same_v<T, ScopedFileDescriptor>)
		return write_fd<Nullable>(parcel, value);
	else if constexpr (std::is_same_v<T, SpAIBinder>)
		return write_binder<Nullable>(parcel, value);
	else if constexpr (is_interface<T>::value)
		return write_binder<Nullable>(parcel, value ? value->asBinder()
							    : SpAIBinder());
	else if constexpr (is_parcelable<T>::value)
		return AParcel_writeParcelable(parcel, value);
	else
		static_assert(not_supported<T>, "not an AIDL type");
}

template <typename T>
binder_status_t read_number(const AParcel *parcel, T *value)
{
	typename number_for<T>::memory read{};
	binder_status_t status = number_for<T>::read(parcel, &read);

	if (status == STATUS_OK)
		*value = static_cast<T>(read);
	return status;
}

template <bool Nullable, typename T>
binder_status_t read_value(const AParcel *parcel, T *value)
{
	if constexpr (std::is_same_v<T, bool>)
		return ::AParcel_readBool(parcel, value);
	else if constexpr (number_for<T>::exists)
		return read_number(parcel, value);
	else if constexpr (std::is_same_v<T, std::string>)
		return ::AParcel_readString(parcel, value, take_string);
	else if constexpr (is_vector<T>::value)
		return read_vector<Nullable>(parcel, value);
	else if constexpr (is_array<T>::value)
		return read_array<Nullable>(parcel, value);
	else if constexpr (is_owner<T>::value)
		return read_owner<Nullable>(parcel, value);
	else if constexpr (std::is_same_v<T, ScopedFileDescriptor>)
		return read_fd<Nullable>(parcel, value);
	else if constexpr (std::is_same_v<T, SpAIBinder>)
		return read_binder<Nullable>(parcel, value);
	else if constexpr (is_interface<T>::value)
		return read_interface<Nullable>(parcel, value);
	else if constexpr (is_parcelable<T>::value)
		return AParcel_readParcelable(parcel, value);
	else
		static_assert(not_supported<T>, "not an AIDL type");
}

}

}
