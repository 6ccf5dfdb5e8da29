/**
 * @file binder_enums.h
 * C++17: all values of an AIDL enum, as a range.
 * Source compatible with the NDK's header of this name.
 */
#pragma once

#include <array>
#include <type_traits>

namespace ndk
{

namespace internal
{
/** Generated code specializes it with the values, in the order of the
 * declaration. */
template <typename EnumType>
constexpr inline std::array<EnumType, 0> enum_values = {};
}

/** for (MyEnum each : ndk::enum_range<MyEnum>()) */
template <typename EnumType> struct enum_range {
	static_assert(std::is_enum_v<EnumType>, "an enum");

	constexpr auto begin() const
	{
		return internal::enum_values<EnumType>.begin();
	}
	constexpr auto end() const
	{
		return internal::enum_values<EnumType>.end();
	}
};

}
