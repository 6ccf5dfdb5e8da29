/*
 * Parcels for Java. Text is UTF-16 on both sides, so it is passed on as it is
 * and not by way of UTF-8, which has no place for half a surrogate pair.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binder_jni.h"

/* ---- the parcel -----------------------------------------------------------
 */

JNI(jlong, parcelNew)(JNIEnv *env, jclass self)
{
	AParcel *parcel = AParcel_create();

	(void)self;
	if (!parcel)
		(void)(*env)->ThrowNew(
			env,
			(*env)->FindClass(env, "java/lang/OutOfMemoryError"),
			"parcel");
	return to_jlong(parcel);
}

JNI(void, parcelDelete)(JNIEnv *env, jclass self, jlong parcel)
{
	(void)env;
	(void)self;
	AParcel_delete(to_pointer(parcel));
}

JNI(void, parcelReset)(JNIEnv *env, jclass self, jlong parcel)
{
	(void)env;
	(void)self;
	/* fails for received parcels only, which nobody resets */
	(void)AParcel_reset(to_pointer(parcel));
}

JNI(jint, parcelSize)(JNIEnv *env, jclass self, jlong parcel)
{
	(void)env;
	(void)self;
	return AParcel_getDataSize(to_pointer(parcel));
}

JNI(jint, parcelPosition)(JNIEnv *env, jclass self, jlong parcel)
{
	(void)env;
	(void)self;
	return AParcel_getDataPosition(to_pointer(parcel));
}

JNI(jint, parcelSetPosition)
(JNIEnv *env, jclass self, jlong parcel, jint position)
{
	(void)env;
	(void)self;
	return AParcel_setDataPosition(to_pointer(parcel), position);
}

JNI(jint, parcelAppend)
(JNIEnv *env, jclass self, jlong from, jlong to, jint start, jint size)
{
	(void)env;
	(void)self;
	return AParcel_appendFrom(to_pointer(from), to_pointer(to), start,
				  size);
}

/* ---- numbers ---------------------------------------------------------------
 */

JNI(jint, writeInt)(JNIEnv *env, jclass self, jlong parcel, jint v)
{
	(void)env;
	(void)self;
	return AParcel_writeInt32(to_pointer(parcel), v);
}

JNI(jint, readInt)(JNIEnv *env, jclass self, jlong parcel)
{
	int32_t v = 0;
	binder_status_t status = AParcel_readInt32(to_pointer(parcel), &v);

	(void)self;
	if (status != STATUS_OK)
		binder_jni_throw(env, status);
	return v;
}

JNI(jint, writeLong)(JNIEnv *env, jclass self, jlong parcel, jlong v)
{
	(void)env;
	(void)self;
	return AParcel_writeInt64(to_pointer(parcel), v);
}

JNI(jlong, readLong)(JNIEnv *env, jclass self, jlong parcel)
{
	int64_t v = 0;
	binder_status_t status = AParcel_readInt64(to_pointer(parcel), &v);

	(void)self;
	if (status != STATUS_OK)
		binder_jni_throw(env, status);
	return v;
}

/* ---- text: units, a unit of 0, zeros up to a multiple of four bytes -------
 */

/* Two units as one word; what is behind the text is 0. */
static uint32_t word_at(const jchar *units, jsize length, jsize i)
{
	uint32_t low = i < length ? units[i] : 0;
	uint32_t high = i + 1 < length ? units[i + 1] : 0;

	return low | high << 16;
}

static binder_status_t write_units(AParcel *parcel, const jchar *units,
				   jsize length)
{
	binder_status_t status = AParcel_writeInt32(parcel, length);

	for (jsize i = 0; status == STATUS_OK && i <= length; i += 2)
		status = AParcel_writeUint32(parcel, word_at(units, length, i));
	return status;
}

JNI(jint, writeString)(JNIEnv *env, jclass self, jlong parcel, jstring v)
{
	const jchar *units;
	binder_status_t status;

	(void)self;
	if (!v)
		return AParcel_writeInt32(to_pointer(parcel), -1);
	units = (*env)->GetStringChars(env, v, NULL);
	if (!units)
		return STATUS_NO_MEMORY;
	status = write_units(to_pointer(parcel), units,
			     (*env)->GetStringLength(env, v));
	(*env)->ReleaseStringChars(env, v, units);
	return status;
}

/* @length units into @units, which has room for one more than twice as many
 * words hold. */
static binder_status_t read_units(AParcel *parcel, jchar *units, int32_t length)
{
	binder_status_t status = STATUS_OK;
	uint32_t word = 0;

	for (int32_t i = 0; status == STATUS_OK && i <= length; i += 2) {
		status = AParcel_readUint32(parcel, &word);
		units[i] = (jchar)word;
		units[i + 1] = (jchar)(word >> 16);
	}
	if (status == STATUS_OK && units[length] != 0)
		return STATUS_BAD_VALUE;
	return status;
}

static binder_status_t read_text(JNIEnv *env, AParcel *parcel, int32_t length,
				 jstring *ret_text)
{
	jchar *units = calloc((size_t)length + 2, sizeof(*units));
	binder_status_t status;

	if (!units)
		return STATUS_NO_MEMORY;
	status = read_units(parcel, units, length);
	if (status == STATUS_OK)
		*ret_text = (*env)->NewString(env, units, length);
	free(units);
	return status;
}

JNI(jstring, readString)(JNIEnv *env, jclass self, jlong parcel)
{
	AParcel *p = to_pointer(parcel);
	jstring text = NULL;
	int32_t length = 0;
	binder_status_t status = AParcel_readInt32(p, &length);

	(void)self;
	if (status == STATUS_OK && length == -1)
		return NULL;
	/* a length is believed as far as there are bytes for it */
	if (status == STATUS_OK &&
	    (length < 0 ||
	     length >
		     (AParcel_getDataSize(p) - AParcel_getDataPosition(p)) / 2))
		status = STATUS_BAD_VALUE;
	if (status == STATUS_OK)
		status = read_text(env, p, length, &text);
	if (status != STATUS_OK)
		binder_jni_throw(env, status);
	return text;
}

/* ---- arrays of numbers ------------------------------------------------------
 */

/* What a reader's allocator has made, to be copied into Java's array. */
struct numbers {
	void *elements;
	int32_t length; /* -1: null */
};

static bool make_numbers(struct numbers *numbers, int32_t length,
			 size_t element_size)
{
	numbers->length = length;
	if (length <= 0)
		return true;
	numbers->elements = calloc((size_t)length, element_size);
	return numbers->elements != NULL;
}

/* @Name: of the Java methods; @jtype and @JName: of JNI; @c_type and @CName:
 * of the C functions. */
#define ARRAY_OF(Name, jtype, JName, c_type, CName)                            \
	static bool make_##Name(void *data, int32_t length, c_type **ret)      \
	{                                                                      \
		struct numbers *numbers = data;                                \
                                                                               \
		if (!make_numbers(numbers, length, sizeof(c_type)))            \
			return false;                                          \
		*ret = numbers->elements;                                      \
		return true;                                                   \
	}                                                                      \
                                                                               \
	JNI(jint, write##Name)                                                 \
	(JNIEnv * env, jclass self, jlong parcel, jtype##Array v)              \
	{                                                                      \
		AParcel *p = to_pointer(parcel);                               \
		binder_status_t status;                                        \
		jtype *elements;                                               \
                                                                               \
		(void)self;                                                    \
		if (!v)                                                        \
			return AParcel_write##CName##Array(p, NULL, -1);       \
		elements = (*env)->Get##JName##ArrayElements(env, v, NULL);    \
		if (!elements)                                                 \
			return STATUS_NO_MEMORY;                               \
		status = AParcel_write##CName##Array(                          \
			p, (const c_type *)elements,                           \
			(*env)->GetArrayLength(env, v));                       \
		(*env)->Release##JName##ArrayElements(env, v, elements,        \
						      JNI_ABORT);              \
		return status;                                                 \
	}                                                                      \
                                                                               \
	JNI(jtype##Array, read##Name)(JNIEnv * env, jclass self, jlong parcel) \
	{                                                                      \
		struct numbers numbers = {NULL, -1};                           \
		jtype##Array v = NULL;                                         \
		binder_status_t status = AParcel_read##CName##Array(           \
			to_pointer(parcel), &numbers, make_##Name);            \
                                                                               \
		(void)self;                                                    \
		if (status != STATUS_OK)                                       \
			binder_jni_throw(env, status);                         \
		else if (numbers.length >= 0)                                  \
			v = (*env)->New##JName##Array(env, numbers.length);    \
		if (v && numbers.length > 0)                                   \
			(*env)->Set##JName##ArrayRegion(                       \
				env, v, 0, numbers.length, numbers.elements);  \
		free(numbers.elements);                                        \
		return v;                                                      \
	}

ARRAY_OF(Bytes, jbyte, Byte, int8_t, Byte)
ARRAY_OF(Ints, jint, Int, int32_t, Int32)
ARRAY_OF(Longs, jlong, Long, int64_t, Int64)
ARRAY_OF(Floats, jfloat, Float, float, Float)
ARRAY_OF(Doubles, jdouble, Double, double, Double)
ARRAY_OF(Chars, jchar, Char, char16_t, Char)

/* ---- objects and descriptors ------------------------------------------------
 */

JNI(jint, writeBinder)(JNIEnv *env, jclass self, jlong parcel, jlong binder)
{
	(void)env;
	(void)self;
	return AParcel_writeStrongBinder(to_pointer(parcel),
					 to_pointer(binder));
}

JNI(jlong, readBinder)(JNIEnv *env, jclass self, jlong parcel)
{
	AIBinder *binder = NULL;
	binder_status_t status =
		AParcel_readStrongBinder(to_pointer(parcel), &binder);

	(void)self;
	if (status != STATUS_OK)
		binder_jni_throw(env, status);
	return to_jlong(binder);
}

JNI(jint, writeFd)(JNIEnv *env, jclass self, jlong parcel, jint fd)
{
	(void)env;
	(void)self;
	return AParcel_writeParcelFileDescriptor(to_pointer(parcel), fd);
}

static jint read_fd(JNIEnv *env, AParcel *parcel)
{
	int fd = -1;
	binder_status_t status = AParcel_readParcelFileDescriptor(parcel, &fd);

	if (status != STATUS_OK)
		binder_jni_throw(env, status);
	return fd;
}

JNI(jint, readFd)(JNIEnv *env, jclass self, jlong parcel)
{
	(void)self;
	return read_fd(env, to_pointer(parcel));
}

/* By way of a parcel that has the flag. */
JNI(jint, writeFdBody)(JNIEnv *env, jclass self, jlong parcel, jint fd)
{
	const int32_t flag = (int32_t)sizeof(int32_t);
	AParcel *whole = AParcel_create();
	binder_status_t status;

	(void)env;
	(void)self;
	if (!whole)
		return STATUS_NO_MEMORY;
	status = AParcel_writeParcelFileDescriptor(whole, fd);
	if (status == STATUS_OK)
		status = AParcel_appendFrom(whole, to_pointer(parcel), flag,
					    AParcel_getDataSize(whole) - flag);
	AParcel_delete(whole);
	return status;
}

/* The flag that was read is read again. */
JNI(jint, readFdBody)(JNIEnv *env, jclass self, jlong parcel)
{
	AParcel *p = to_pointer(parcel);
	binder_status_t status = AParcel_setDataPosition(
		p, AParcel_getDataPosition(p) - (int32_t)sizeof(int32_t));

	(void)self;
	if (status != STATUS_OK) {
		binder_jni_throw(env, status);
		return -1;
	}
	return read_fd(env, p);
}

JNI(jint, writeRawFd)(JNIEnv *env, jclass self, jlong parcel, jint fd)
{
	(void)env;
	(void)self;
	return AvfParcel_writeFileDescriptor(to_pointer(parcel), fd);
}

JNI(jint, readRawFd)(JNIEnv *env, jclass self, jlong parcel)
{
	int fd = -1;
	binder_status_t status =
		AvfParcel_readFileDescriptor(to_pointer(parcel), &fd);

	(void)self;
	if (status != STATUS_OK)
		binder_jni_throw(env, status);
	return fd;
}

/* java.io.FileDescriptor has no method for it. */
JNI(jint, numberOf)(JNIEnv *env, jclass self, jobject descriptor)
{
	jfieldID field;

	(void)self;
	if (!descriptor) {
		(void)(*env)->ThrowNew(
			env,
			(*env)->FindClass(env,
					  "java/lang/NullPointerException"),
			"no FileDescriptor");
		return -1;
	}
	field = (*env)->GetFieldID(env, (*env)->GetObjectClass(env, descriptor),
				   "fd", "I");
	return field ? (*env)->GetIntField(env, descriptor, field) : -1;
}

JNI(jboolean, pipe)(JNIEnv *env, jclass self, jintArray ret_fds)
{
	int fds[2];

	(void)self;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return JNI_FALSE;
	(*env)->SetIntArrayRegion(env, ret_fds, 0, 2, fds);
	return JNI_TRUE;
}
