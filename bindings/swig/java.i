/*
 * Typemaps of Java. Handles are long; what is returned through a pointer
 * comes in an array of one; text is UTF-8 in both directions, which JNI's
 * own strings are not.
 */
%include "enumsimple.swg"
%javaconst(1);
/* Their values are C's literals, which javac does not take. */
%rename("$ignore", regexmatch$name="^AVF_(MAX|MIN|DEFAULT|CAPABILITY)_") "";
%ignore AVF_LISTENER_BACKLOG;

/* Java threads never hold each other up in native code. */
%define AVF_BLOCKING(function)
%enddef

%{
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static jbyteArray to_bytes(JNIEnv *env, const char *text)
{
	jsize n = text ? (jsize)strlen(text) : 0;
	jbyteArray bytes = text ? (*env)->NewByteArray(env, n) : NULL;

	if (bytes)
		(*env)->SetByteArrayRegion(env, bytes, 0, n,
					   (const jbyte *)text);
	return bytes;
}

/* Throw new NativeException(code, name, text). */
static void throw_error(JNIEnv *env, int code)
{
	const struct avf_error *error = avf_last_error();
	jbyteArray text = to_bytes(env, error->text);
	jclass type = text ? (*env)->FindClass(env,
		"avf/internal/NativeException") : NULL;
	jmethodID init = type ? (*env)->GetMethodID(env, type, "<init>",
		"(ILjava/lang/String;[B)V") : NULL;
	jstring name = init ? (*env)->NewStringUTF(env,
		avf_error_name(code)) : NULL;
	jobject made = name ? (*env)->NewObject(env, type, init, (jint)code,
		name, text) : NULL;

	/* else something of the above has thrown */
	if (made)
		(*env)->Throw(env, made);
}
%}

%typemap(out) int {
	if ($1 < 0)
		throw_error(jenv, $1);
	$result = (jint)$1;
}
%define AVF_PLAIN_INT(function)
%typemap(out) int function "$result = (jint)$1;"
%enddef

%define AVF_HANDLE(type, name)
%typemap(jni) type * "jlong"
%typemap(jtype) type * "long"
%typemap(jstype) type * "long"
%typemap(javain) type * "$javainput"
%typemap(in) type * {
	$1 = (type *)(intptr_t)$input;
	if (!$1) {
		SWIG_JavaThrowException(jenv, SWIG_JavaNullPointerException,
					"the handle is NULL");
		return $null;
	}
}
%typemap(jni) type **name "jlongArray"
%typemap(jtype) type **name "long[]"
%typemap(jstype) type **name "long[]"
%typemap(javain) type **name "$javainput"
%typemap(in) type **name (type *made = NULL) "$1 = &made;"
%typemap(argout) type **name {
	jlong value = (jlong)(intptr_t)made$argnum;

	if (result >= 0)
		(*jenv)->SetLongArrayRegion(jenv, $input, 0, 1, &value);
}
%enddef

%typemap(jni) int *ret_fd "jintArray"
%typemap(jtype) int *ret_fd "int[]"
%typemap(jstype) int *ret_fd "int[]"
%typemap(javain) int *ret_fd "$javainput"
%typemap(in) int *ret_fd (int fd = -1) "$1 = &fd;"
%typemap(argout) int *ret_fd {
	jint value = fd$argnum;

	if (result >= 0)
		(*jenv)->SetIntArrayRegion(jenv, $input, 0, 1, &value);
}

/* 0 to 2^63 - 1 is enough; without this it is a BigInteger. */
%apply long long { uint64_t };

/* An event goes into an avf.internal.EventRecord. */
%ignore avf_event;
%typemap(jni) struct avf_event *ret_event "jobject"
%typemap(jtype) struct avf_event *ret_event "EventRecord"
%typemap(jstype) struct avf_event *ret_event "EventRecord"
%typemap(javain) struct avf_event *ret_event "$javainput"
%typemap(in) struct avf_event *ret_event
	(struct avf_event event = AVF_EVENT_INIT) "$1 = &event;"
%typemap(argout) struct avf_event *ret_event {
	if (result > 0) {
		jbyteArray text = to_bytes(jenv, event$argnum.text);
		jclass type = (*jenv)->GetObjectClass(jenv, $input);
		jmethodID set = (*jenv)->GetMethodID(jenv, type, "set",
						     "(IIJ[B)V");

		if (text && set)
			(*jenv)->CallVoidMethod(jenv, $input, set,
				(jint)event$argnum.type,
				(jint)event$argnum.code,
				(jlong)event$argnum.time_ns, text);
	}
}

%typemap(jni) const char * "jbyteArray"
%typemap(jtype) const char * "byte[]"
%typemap(jstype) const char * "String"
%typemap(javain) const char * "Text.toNative($javainput)"
%typemap(javaout) const char * { return Text.fromNative($jnicall); }
%typemap(in) const char * {
	$1 = NULL;
	if ($input) {
		$1 = (char *)(*jenv)->GetByteArrayElements(jenv, $input, NULL);
		if (!$1)
			return $null;
	}
}
%typemap(freearg) const char * {
	if ($1)
		(*jenv)->ReleaseByteArrayElements(jenv, $input, (jbyte *)$1,
						  JNI_ABORT);
}
%typemap(out) const char * "$result = to_bytes(jenv, $1);"

/* Java needs neither. */
%ignore avf_config_parse_json;

%pragma(java) jniclasscode=%{
	static {
		NativeLoader.load();
	}
%}

AVF_PLAIN_INT(dup_fd)
%typemap(in, numinputs=0) JNIEnv *env "$1 = jenv;"
%inline %{
/* What java.io.FileDescriptor has no method for. */
static void set_descriptor(JNIEnv *env, jobject descriptor, int fd)
{
	jclass type = (*env)->GetObjectClass(env, descriptor);
	jfieldID field = (*env)->GetFieldID(env, type, "fd", "I");

	if (field)
		(*env)->SetIntField(env, descriptor, field, fd);
}

/* Whether fd is readable within the time; Java cannot poll an fd. */
static bool wait_readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) > 0;
}

/* For ParcelFileDescriptor and the streams. */
static int close_fd(int fd)
{
	return close(fd) < 0 ? 0 : 1;
}

static int dup_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}
%}
