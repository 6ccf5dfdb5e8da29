/**
 * @file binder_parcel.h
 * Parcels: the arguments or the results of a call, written and read in order.
 *
 * Source compatible with the NDK's header of this name. One thread owns a
 * parcel. Nothing here blocks, except that reading an object that is our own
 * gives the peer its reference back, which writes to a socket.
 *
 * Every write returns STATUS_OK or: STATUS_NO_MEMORY, STATUS_BAD_VALUE (a
 * length that cannot be), STATUS_INVALID_OPERATION (the parcel was received).
 * Every read returns STATUS_OK or: STATUS_NOT_ENOUGH_DATA (the parcel ends
 * before), STATUS_BAD_VALUE (what is there cannot be such a value),
 * STATUS_UNEXPECTED_NULL (null where the reader has no place for it),
 * STATUS_NO_MEMORY (also: an allocator said no). A failed read may have moved
 * the position. Outputs are written on success only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifndef __cplusplus
#include <uchar.h>
#endif

#include <android/binder_ibinder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* ---- the parcel ---------------------------------------------------------- */

/** An empty parcel of no call. NULL without memory. */
AParcel *AParcel_create(void);
/** Free @parcel and what it holds. NULL is allowed. */
void AParcel_delete(AParcel *parcel);
/** Make @parcel empty. */
binder_status_t AParcel_reset(AParcel *parcel);
/** Overwrite the content with zeros before it is freed. */
void AParcel_markSensitive(const AParcel *parcel);

/** Bytes in the parcel. */
int32_t AParcel_getDataSize(const AParcel *parcel);
/** Where the next read takes place, in bytes. */
int32_t AParcel_getDataPosition(const AParcel *parcel);
/** A position behind the end is allowed: nothing can be read there. Errors:
 * STATUS_BAD_VALUE (negative; or back in a parcel of a peer's, when its bytes
 * have been read about 16 times, which Android has no limit for). */
binder_status_t AParcel_setDataPosition(const AParcel *parcel,
					int32_t position);

/**
 * Append @size bytes of @from at @start to @to, with the objects and the file
 * descriptors in them. Errors: STATUS_BAD_VALUE (not within @from),
 * STATUS_BAD_TYPE (the parcels belong to different sessions),
 * STATUS_FDS_NOT_ALLOWED.
 */
binder_status_t AParcel_appendFrom(const AParcel *from, AParcel *to,
				   int32_t start, int32_t size);

/** Copy @size bytes at @start to @buffer. Errors: STATUS_INVALID_OPERATION
 * (it holds objects or descriptors), STATUS_BAD_VALUE. */
binder_status_t AParcel_marshal(const AParcel *parcel, uint8_t *buffer,
				size_t start, size_t size);
/** Make @size bytes the content of @parcel, at position 0. */
binder_status_t AParcel_unmarshal(AParcel *parcel, const uint8_t *buffer,
				  size_t size);
/** Whether file descriptors may be written. */
bool AParcel_getAllowFds(const AParcel *parcel);

/* ---- objects, file descriptors, results ---------------------------------- */

/**
 * NULL is allowed. Keeps the object alive as long as the receiver wants it.
 * Errors: STATUS_INVALID_OPERATION (an object of another session).
 */
binder_status_t AParcel_writeStrongBinder(AParcel *parcel, AIBinder *binder);
/** The caller owns a reference to *@ret_binder, which may be NULL.
 * Errors: STATUS_BAD_TYPE (no object is there). */
binder_status_t AParcel_readStrongBinder(const AParcel *parcel,
					 AIBinder **ret_binder);

/**
 * -1 writes null. @fd is duplicated and stays the caller's.
 * Errors: STATUS_FDS_NOT_ALLOWED, STATUS_UNKNOWN_ERROR (negative),
 * STATUS_BAD_VALUE (not open, or too many).
 */
binder_status_t AParcel_writeParcelFileDescriptor(AParcel *parcel, int fd);
/** The caller owns *@ret_fd; null is -1. */
binder_status_t AParcel_readParcelFileDescriptor(const AParcel *parcel,
						 int *ret_fd);

/** Write how a method ended. EX_TRANSACTION_FAILED is not written: its
 * binder_status_t is returned, and the method must return it as well. */
binder_status_t AParcel_writeStatusHeader(AParcel *parcel,
					  const AStatus *status);
/** The caller frees *@ret_status. */
binder_status_t AParcel_readStatusHeader(const AParcel *parcel,
					 AStatus **ret_status);

/* ---- strings --------------------------------------------------------------
 */

/**
 * Give memory for a string: @length bytes with the NUL. -1: the string is
 * null; *@ret_buffer is ignored. Return false to refuse.
 */
typedef bool (*AParcel_stringAllocator)(void *string_data, int32_t length,
					char **ret_buffer);

/** @string is UTF-8 of @length bytes; NULL with -1 is null. */
binder_status_t AParcel_writeString(AParcel *parcel, const char *string,
				    int32_t length);
/** Read UTF-8 into what @allocator gives. */
binder_status_t AParcel_readString(const AParcel *parcel, void *string_data,
				   AParcel_stringAllocator allocator);

/** Give room for @length strings; -1: the array is null. */
typedef bool (*AParcel_stringArrayAllocator)(void *array_data, int32_t length);
/** As AParcel_stringAllocator, for element @index. */
typedef bool (*AParcel_stringArrayElementAllocator)(void *array_data,
						    size_t index,
						    int32_t length,
						    char **ret_buffer);
/** Element @index and its length in bytes; NULL and -1 for null. */
typedef const char *(*AParcel_stringArrayElementGetter)(const void *array_data,
							size_t index,
							int32_t *ret_length);

/** @length elements; -1 writes null. */
binder_status_t AParcel_writeStringArray(
	AParcel *parcel, const void *array_data, int32_t length,
	AParcel_stringArrayElementGetter getter);
binder_status_t AParcel_readStringArray(
	const AParcel *parcel, void *array_data,
	AParcel_stringArrayAllocator allocator,
	AParcel_stringArrayElementAllocator element_allocator);

/* ---- parcelables ----------------------------------------------------------
 */

/** Give room for @length elements; -1: the array is null. */
typedef bool (*AParcel_parcelableArrayAllocator)(void *array_data,
						 int32_t length);
typedef binder_status_t (*AParcel_writeParcelableElement)(
	AParcel *parcel, const void *array_data, size_t index);
typedef binder_status_t (*AParcel_readParcelableElement)(const AParcel *parcel,
							 void *array_data,
							 size_t index);

/** @length elements; -1 writes null. Stops at the first element that fails. */
binder_status_t AParcel_writeParcelableArray(
	AParcel *parcel, const void *array_data, int32_t length,
	AParcel_writeParcelableElement writer);
binder_status_t AParcel_readParcelableArray(
	const AParcel *parcel, void *array_data,
	AParcel_parcelableArrayAllocator allocator,
	AParcel_readParcelableElement reader);

/* ---- numbers ---------------------------------------------------------------
 */

binder_status_t AParcel_writeInt32(AParcel *parcel, int32_t value);
binder_status_t AParcel_writeUint32(AParcel *parcel, uint32_t value);
binder_status_t AParcel_writeInt64(AParcel *parcel, int64_t value);
binder_status_t AParcel_writeUint64(AParcel *parcel, uint64_t value);
binder_status_t AParcel_writeFloat(AParcel *parcel, float value);
binder_status_t AParcel_writeDouble(AParcel *parcel, double value);
binder_status_t AParcel_writeBool(AParcel *parcel, bool value);
binder_status_t AParcel_writeChar(AParcel *parcel, char16_t value);
binder_status_t AParcel_writeByte(AParcel *parcel, int8_t value);

binder_status_t AParcel_readInt32(const AParcel *parcel, int32_t *ret_value);
binder_status_t AParcel_readUint32(const AParcel *parcel, uint32_t *ret_value);
binder_status_t AParcel_readInt64(const AParcel *parcel, int64_t *ret_value);
binder_status_t AParcel_readUint64(const AParcel *parcel, uint64_t *ret_value);
binder_status_t AParcel_readFloat(const AParcel *parcel, float *ret_value);
binder_status_t AParcel_readDouble(const AParcel *parcel, double *ret_value);
binder_status_t AParcel_readBool(const AParcel *parcel, bool *ret_value);
binder_status_t AParcel_readChar(const AParcel *parcel, char16_t *ret_value);
binder_status_t AParcel_readByte(const AParcel *parcel, int8_t *ret_value);

/* ---- arrays of numbers ------------------------------------------------------
 */

/*
 * Each allocator gives room for @length elements in *@ret_buffer; -1: the
 * array is null. Return false to refuse. Writing NULL with a length of -1
 * writes null.
 */
typedef bool (*AParcel_int32ArrayAllocator)(void *array_data, int32_t length,
					    int32_t **ret_buffer);
typedef bool (*AParcel_uint32ArrayAllocator)(void *array_data, int32_t length,
					     uint32_t **ret_buffer);
typedef bool (*AParcel_int64ArrayAllocator)(void *array_data, int32_t length,
					    int64_t **ret_buffer);
typedef bool (*AParcel_uint64ArrayAllocator)(void *array_data, int32_t length,
					     uint64_t **ret_buffer);
typedef bool (*AParcel_floatArrayAllocator)(void *array_data, int32_t length,
					    float **ret_buffer);
typedef bool (*AParcel_doubleArrayAllocator)(void *array_data, int32_t length,
					     double **ret_buffer);
typedef bool (*AParcel_charArrayAllocator)(void *array_data, int32_t length,
					   char16_t **ret_buffer);
typedef bool (*AParcel_byteArrayAllocator)(void *array_data, int32_t length,
					   int8_t **ret_buffer);

binder_status_t AParcel_writeInt32Array(AParcel *parcel, const int32_t *array,
					int32_t length);
binder_status_t AParcel_writeUint32Array(AParcel *parcel, const uint32_t *array,
					 int32_t length);
binder_status_t AParcel_writeInt64Array(AParcel *parcel, const int64_t *array,
					int32_t length);
binder_status_t AParcel_writeUint64Array(AParcel *parcel, const uint64_t *array,
					 int32_t length);
binder_status_t AParcel_writeFloatArray(AParcel *parcel, const float *array,
					int32_t length);
binder_status_t AParcel_writeDoubleArray(AParcel *parcel, const double *array,
					 int32_t length);
binder_status_t AParcel_writeCharArray(AParcel *parcel, const char16_t *array,
				       int32_t length);
binder_status_t AParcel_writeByteArray(AParcel *parcel, const int8_t *array,
				       int32_t length);

binder_status_t AParcel_readInt32Array(const AParcel *parcel, void *array_data,
				       AParcel_int32ArrayAllocator allocator);
binder_status_t AParcel_readUint32Array(const AParcel *parcel, void *array_data,
					AParcel_uint32ArrayAllocator allocator);
binder_status_t AParcel_readInt64Array(const AParcel *parcel, void *array_data,
				       AParcel_int64ArrayAllocator allocator);
binder_status_t AParcel_readUint64Array(const AParcel *parcel, void *array_data,
					AParcel_uint64ArrayAllocator allocator);
binder_status_t AParcel_readFloatArray(const AParcel *parcel, void *array_data,
				       AParcel_floatArrayAllocator allocator);
binder_status_t AParcel_readDoubleArray(const AParcel *parcel, void *array_data,
					AParcel_doubleArrayAllocator allocator);
binder_status_t AParcel_readCharArray(const AParcel *parcel, void *array_data,
				      AParcel_charArrayAllocator allocator);
binder_status_t AParcel_readByteArray(const AParcel *parcel, void *array_data,
				      AParcel_byteArrayAllocator allocator);

/* Booleans have no array in memory that all languages share: one by one. */
typedef bool (*AParcel_boolArrayAllocator)(void *array_data, int32_t length);
typedef bool (*AParcel_boolArrayGetter)(const void *array_data, size_t index);
typedef void (*AParcel_boolArraySetter)(void *array_data, size_t index,
					bool value);

binder_status_t AParcel_writeBoolArray(AParcel *parcel, const void *array_data,
				       int32_t length,
				       AParcel_boolArrayGetter getter);
binder_status_t AParcel_readBoolArray(const AParcel *parcel, void *array_data,
				      AParcel_boolArrayAllocator allocator,
				      AParcel_boolArraySetter setter);

/* ---- ours: for languages whose stubs write the interface's name -----------
 */

/**
 * As AIBinder_prepareTransaction(), for an object of any class or none:
 * *@ret_in is empty. Errors: STATUS_NO_MEMORY.
 */
binder_status_t AvfBinder_prepareTransaction(AIBinder *binder,
					     AParcel **ret_in);

/** Ask an object for the name of its interface, as AParcel_readString() reads
 * it. Blocks as a call does. Errors: those of AIBinder_transact() and of
 * AParcel_readString(). */
binder_status_t AvfBinder_readDescriptor(AIBinder *binder, void *string_data,
					 AParcel_stringAllocator allocator);

/** A FileDescriptor of AIDL for Java: a descriptor alone, which cannot be
 * null. Duplicates @fd. Errors: STATUS_FDS_NOT_ALLOWED, STATUS_BAD_VALUE (it
 * is none), STATUS_NO_MEMORY. */
binder_status_t AvfParcel_writeFileDescriptor(AParcel *parcel, int fd);

/** *@ret_fd is the caller's to close. Errors: STATUS_NOT_ENOUGH_DATA,
 * STATUS_BAD_TYPE (no descriptor is here), STATUS_BAD_VALUE,
 * STATUS_NO_MEMORY. */
binder_status_t AvfParcel_readFileDescriptor(const AParcel *parcel,
					     int *ret_fd);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
