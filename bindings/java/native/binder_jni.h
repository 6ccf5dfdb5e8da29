/* What the files of this folder share: JNI functions of avf.internal.Binders.
 */
#pragma once

#include <jni.h>
#include <stddef.h>
#include <stdint.h>

#include "avf_internal_Binders.h"

#include <android/binder_ibinder.h>
#include <android/binder_parcel.h>

#define JNI(type, name) JNIEXPORT type JNICALL Java_avf_internal_Binders_##name

/* Pointers are Java's long. */
static inline jlong to_jlong(const void *pointer)
{
	return (jlong)(intptr_t)pointer;
}

static inline void *to_pointer(jlong value)
{
	return (void *)(intptr_t)value;
}

/** The environment of this thread, which becomes one of Java's if it is none.
 * NULL: the JVM is at its end. */
JNIEnv *binder_jni_env(void);

/** Have a failed read throw BadParcelableException. */
void binder_jni_throw(JNIEnv *env, binder_status_t status);

/** "DEAD_OBJECT"; a number for what is in no list. */
void binder_jni_status_name(binder_status_t status, char *text, size_t size);
