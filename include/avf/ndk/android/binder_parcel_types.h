/**
 * @file binder_parcel_types.h
 * C++17, and not to be included by itself: what kind of AIDL type a C++ type
 * is, for binder_parcel_values.h, and which C functions numbers have.
 */
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include <android/binder_interface_utils.h>
#include <android/binder_parcel.h>

namespace ndk
{
namespace internal
{

/* ---- kinds of types ------------------------------------------------------ */

template <typename T> struct is_vector : std::false_type {
};
template <typename T> struct is_vector<std::vector<T>> : std::true_type {
};
template <typename T> struct is_array : std::false_type {
};
template <typename T, size_t N>
struct is_array<std::array<T, N>> : std::true_type {
};
/* an owner that may be empty */
template <typename T> struct is_owner : std::false_type {
};
template <typename T> struct is_owner<std::optional<T>> : std::true_type {
};
template <typename T> struct is_owner<std::unique_ptr<T>> : std::true_type {
};
template <typename T> struct is_interface : std::false_type {
};
template <typename T>
struct is_interface<std::shared_ptr<T>> : std::is_base_of<ICInterface, T> {
};
template <typename T> inline constexpr bool not_supported = false;

/* ---- numbers -------------------------------------------------------------
 */

/* The C functions of a type of number, and what it is in memory. */
template <typename T> struct number {
	static constexpr bool exists = false;
};

#define AVF_NDK_NUMBER(type, c_type, Name)                                    \
	template <> struct number<type> {                                     \
		using memory = c_type;                                        \
		static constexpr bool exists = true;                          \
		static constexpr auto write = ::AParcel_write##Name;          \
		static constexpr auto read = ::AParcel_read##Name;            \
		static constexpr auto write_all =                             \
			::AParcel_write##Name##Array;                         \
		static constexpr auto read_all = ::AParcel_read##Name##Array; \
	};
AVF_NDK_NUMBER(int8_t, int8_t, Byte)
AVF_NDK_NUMBER(uint8_t, int8_t, Byte) /* byte[], in the later dialect */
AVF_NDK_NUMBER(char16_t, char16_t, Char)
AVF_NDK_NUMBER(int32_t, int32_t, Int32)
AVF_NDK_NUMBER(uint32_t, uint32_t, Uint32)
AVF_NDK_NUMBER(int64_t, int64_t, Int64)
AVF_NDK_NUMBER(uint64_t, uint64_t, Uint64)
AVF_NDK_NUMBER(float, float, Float)
AVF_NDK_NUMBER(double, double, Double)
#undef AVF_NDK_NUMBER

/* An enum travels as the integer below it. */
template <typename T, bool = std::is_enum_v<T>> struct number_of {
	using type = T;
};
template <typename T> struct number_of<T, true> {
	using type = std::underlying_type_t<T>;
};
template <typename T> using number_for = number<typename number_of<T>::type>;

}
}
