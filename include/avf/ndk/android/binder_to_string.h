/**
 * @file binder_to_string.h
 * C++17: values of AIDL types as text for people, as generated toString()
 * functions ask for them. Source compatible with the NDK's header of this
 * name; the texts are for reading and not stable.
 */
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include <android/binder_auto_utils.h>

namespace android
{
namespace internal
{

template <typename T, typename = void> struct has_to_string : std::false_type {
};
template <typename T>
struct has_to_string<
	T, std::void_t<decltype(std::declval<const T &>().toString())>>
    : std::true_type {
};

/* enums: generated code has a toString() beside them */
template <typename T, typename = void>
struct has_free_to_string : std::false_type {
};
template <typename T>
struct has_free_to_string<
	T, std::void_t<decltype(toString(std::declval<const T &>()))>>
    : std::true_type {
};

template <typename T> std::string ToString(const T &value);

template <typename T> std::string list_to_string(const T &list)
{
	std::string text = "[";

	for (const auto &each : list) {
		if (text.size() > 1)
			text += ", ";
		text += ToString<typename T::value_type>(each);
	}
	return text + "]";
}

template <typename T> std::string plain_to_string(const T &value)
{
	std::ostringstream text;

	/* bytes as numbers, char16_t too */
	if constexpr (std::is_integral_v<T>)
		text << +value;
	else
		text << value;
	return text.str();
}

template <typename T> struct to_string {
	static std::string of(const T &value)
	{
		if constexpr (std::is_same_v<T, bool>)
			return value ? "true" : "false";
		else if constexpr (has_to_string<T>::value)
			return value.toString();
		else if constexpr (has_free_to_string<T>::value)
			return toString(value);
		else if constexpr (std::is_enum_v<T>)
			return plain_to_string(
				static_cast<std::underlying_type_t<T>>(value));
		else
			return plain_to_string(value);
	}
};
template <> struct to_string<std::string> {
	static std::string of(const std::string &value)
	{
		return value;
	}
};
template <typename T> struct to_string<std::vector<T>> {
	static std::string of(const std::vector<T> &value)
	{
		return list_to_string(value);
	}
};
template <typename T, size_t N> struct to_string<std::array<T, N>> {
	static std::string of(const std::array<T, N> &value)
	{
		return list_to_string(value);
	}
};
template <typename T> struct to_string<std::optional<T>> {
	static std::string of(const std::optional<T> &value)
	{
		return value ? ToString(*value) : "(null)";
	}
};
template <typename T> struct to_string<std::unique_ptr<T>> {
	static std::string of(const std::unique_ptr<T> &value)
	{
		return value ? ToString(*value) : "(null)";
	}
};
template <typename T> struct to_string<std::shared_ptr<T>> {
	static std::string of(const std::shared_ptr<T> &value)
	{
		return value ? "(interface)" : "(null)";
	}
};
template <> struct to_string<ndk::SpAIBinder> {
	static std::string of(const ndk::SpAIBinder &value)
	{
		return value.get() ? "(binder)" : "(null)";
	}
};
template <> struct to_string<ndk::ScopedFileDescriptor> {
	static std::string of(const ndk::ScopedFileDescriptor &value)
	{
		return "fd " + std::to_string(value.get());
	}
};

/** @value as text. */
template <typename T> std::string ToString(const T &value)
{
	return to_string<T>::of(value);
}

}
}
