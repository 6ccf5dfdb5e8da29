/*
 * Objects, calls, sessions and servers for Java. An object of Java that peers
 * can call has a C object, whose user data is a global reference to it: so it
 * lives as long as a peer has it. Threads of the C library that call Java
 * become daemon threads of the JVM and stay that until they end.
 */
#include "binder_jni.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <android/binder_rpc_unstable.h>

#include "base/checked.h"

/* The JVM, and what is looked up once: set by JNI_OnLoad(), never changed. */
static JavaVM *jvm;
static jclass binder_class; /* android.os.Binder, a global reference */
static jmethodID binder_dispatch;
static pthread_key_t attached; /* of threads that we attached */

/* The classes that defineClass() made. They are never freed; the list grows
 * at its head. Guarded by the lock. */
struct java_class {
	const AIBinder_Class *clazz;
	struct java_class *next;
};
static struct java_class *java_classes;
static pthread_mutex_t java_classes_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the JVM ---------------------------------------------------------------
 */

static void detach(void *vm)
{
	(void)(*(JavaVM *)vm)->DetachCurrentThread(vm);
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved)
{
	JNIEnv *env;
	jclass found;

	(void)reserved;
	jvm = vm;
	if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_10) != JNI_OK ||
	    pthread_key_create(&attached, detach) != 0)
		return JNI_ERR;
	found = (*env)->FindClass(env, "android/os/Binder");
	if (!found)
		return JNI_ERR;
	binder_class = (*env)->NewGlobalRef(env, found);
	binder_dispatch = (*env)->GetStaticMethodID(
		env, found, "dispatch", "(Landroid/os/Binder;IJJ)I");
	return binder_class && binder_dispatch ? JNI_VERSION_10 : JNI_ERR;
}

JNIEnv *binder_jni_env(void)
{
	JNIEnv *env = NULL;

	if ((*jvm)->GetEnv(jvm, (void **)&env, JNI_VERSION_10) == JNI_OK)
		return env;
	if ((*jvm)->AttachCurrentThreadAsDaemon(jvm, (void **)&env, NULL) !=
	    JNI_OK)
		return NULL;
	(void)pthread_setspecific(attached, jvm);
	return env;
}

/* Nobody is above us who could catch it. */
static bool say_exception(JNIEnv *env)
{
	if (!(*env)->ExceptionCheck(env))
		return false;
	(*env)->ExceptionDescribe(env);
	(*env)->ExceptionClear(env);
	return true;
}

void binder_jni_status_name(binder_status_t status, char *text, size_t size)
{
	AStatus *made = AStatus_fromStatus(status);
	const char *line = AStatus_getDescription(made);
	/* Status(-129, EX_TRANSACTION_FAILED): 'DEAD_OBJECT: ' */
	const char *name = line ? strchr(line, '\'') : NULL;

	(void)snprintf(text, size, "%.*s",
		       name ? (int)strcspn(name + 1, ":'") : 2,
		       name ? name + 1 : "OK");
	AStatus_deleteDescription(line);
	AStatus_delete(made);
}

JNI(jstring, statusName)(JNIEnv *env, jclass self, jint status)
{
	char name[64];

	(void)self;
	binder_jni_status_name(status, name, sizeof(name));
	return (*env)->NewStringUTF(env, name);
}

void binder_jni_throw(JNIEnv *env, binder_status_t status)
{
	char name[64];
	jclass type =
		(*env)->FindClass(env, "android/os/BadParcelableException");

	binder_jni_status_name(status, name, sizeof(name));
	if (type)
		(void)(*env)->ThrowNew(env, type, name);
}

/* ---- objects of Java
 * ---------------------------------------------------------
 */

static void *on_create(void *args)
{
	JNIEnv *env = binder_jni_env();

	return env ? (*env)->NewGlobalRef(env, args) : NULL;
}

static void on_destroy(void *user_data)
{
	JNIEnv *env = binder_jni_env();

	if (env && user_data)
		(*env)->DeleteGlobalRef(env, user_data);
}

static binder_status_t on_transact(AIBinder *binder, transaction_code_t code,
				   const AParcel *in, AParcel *out)
{
	JNIEnv *env = binder_jni_env();
	jint status;

	if (!env)
		return STATUS_DEAD_OBJECT;
	status = (*env)->CallStaticIntMethod(
		env, binder_class, binder_dispatch,
		(jobject)AIBinder_getUserData(binder), (jint)code, to_jlong(in),
		to_jlong(out));
	return say_exception(env) ? STATUS_UNKNOWN_ERROR : status;
}

/* The name of an interface as C has it. Freed by the caller. NULL with an
 * exception. */
static char *copy_text(JNIEnv *env, jstring text)
{
	const char *utf = (*env)->GetStringUTFChars(env, text, NULL);
	char *copy = utf ? strdup(utf) : NULL;

	if (utf)
		(*env)->ReleaseStringUTFChars(env, text, utf);
	return copy;
}

static void remember(struct java_class *made)
{
	(void)pthread_mutex_lock(&java_classes_lock);
	made->next = java_classes;
	java_classes = made;
	(void)pthread_mutex_unlock(&java_classes_lock);
}

static bool is_java_class(const AIBinder_Class *clazz)
{
	const struct java_class *c;

	(void)pthread_mutex_lock(&java_classes_lock);
	for (c = java_classes; c && c->clazz != clazz; c = c->next)
		;
	(void)pthread_mutex_unlock(&java_classes_lock);
	return c != NULL;
}

JNI(jlong, defineClass)(JNIEnv *env, jclass self, jstring descriptor)
{
	struct java_class *made = calloc(1, sizeof(*made));
	char *name = copy_text(env, descriptor);
	AIBinder_Class *clazz = NULL;

	(void)self;
	if (made && name)
		clazz = AIBinder_Class_define(name, on_create, on_destroy,
					      on_transact);
	free(name);
	if (!clazz) {
		free(made);
		return 0;
	}
	/* stubs of Java write and check the name themselves */
	AIBinder_Class_disableInterfaceTokenHeader(clazz);
	made->clazz = clazz;
	remember(made);
	return to_jlong(clazz);
}

JNI(jlong, newObject)
(JNIEnv *env, jclass self, jlong clazz, jobject object)
{
	(void)env;
	(void)self;
	return to_jlong(AIBinder_new(to_pointer(clazz), object));
}

JNI(jobject, localObject)(JNIEnv *env, jclass self, jlong binder)
{
	AIBinder *b = to_pointer(binder);

	(void)self;
	if (AIBinder_isRemote(b) || !is_java_class(AIBinder_getClass(b)))
		return NULL;
	return (*env)->NewLocalRef(env, AIBinder_getUserData(b));
}

/* ---- any object -----------------------------------------------------------
 */

JNI(void, incStrong)(JNIEnv *env, jclass self, jlong binder)
{
	(void)env;
	(void)self;
	AIBinder_incStrong(to_pointer(binder));
}

JNI(void, decStrong)(JNIEnv *env, jclass self, jlong binder)
{
	(void)env;
	(void)self;
	AIBinder_decStrong(to_pointer(binder));
}

JNI(jlong, weakNew)(JNIEnv *env, jclass self, jlong binder)
{
	(void)env;
	(void)self;
	return to_jlong(AIBinder_Weak_new(to_pointer(binder)));
}

JNI(void, weakDelete)(JNIEnv *env, jclass self, jlong weak)
{
	(void)env;
	(void)self;
	AIBinder_Weak_delete(to_pointer(weak));
}

JNI(jlong, weakPromote)(JNIEnv *env, jclass self, jlong weak)
{
	(void)env;
	(void)self;
	return to_jlong(AIBinder_Weak_promote(to_pointer(weak)));
}

JNI(jboolean, isAlive)(JNIEnv *env, jclass self, jlong binder)
{
	(void)env;
	(void)self;
	return AIBinder_isAlive(to_pointer(binder)) ? JNI_TRUE : JNI_FALSE;
}

JNI(jint, ping)(JNIEnv *env, jclass self, jlong binder)
{
	(void)env;
	(void)self;
	return AIBinder_ping(to_pointer(binder));
}

static bool take_text(void *data, int32_t length, char **ret_buffer)
{
	char **text = data;

	if (length < 0)
		return true;
	*text = malloc((size_t)length);
	*ret_buffer = *text;
	return *text != NULL;
}

JNI(jint, descriptor)
(JNIEnv *env, jclass self, jlong binder, jobjectArray ret_name)
{
	char *text = NULL;
	binder_status_t status =
		AvfBinder_readDescriptor(to_pointer(binder), &text, take_text);
	jstring name = NULL;

	(void)self;
	if (status == STATUS_OK && text)
		name = (*env)->NewStringUTF(env, text);
	if (name)
		(*env)->SetObjectArrayElement(env, ret_name, 0, name);
	free(text);
	return status;
}

static binder_status_t call(AIBinder *binder, jint code, const AParcel *data,
			    jint flags, AParcel **ret_out)
{
	AParcel *in = NULL;
	binder_status_t status = AvfBinder_prepareTransaction(binder, &in);

	if (status != STATUS_OK)
		return status;
	status = AParcel_appendFrom(data, in, 0, AParcel_getDataSize(data));
	if (status != STATUS_OK) {
		AParcel_delete(in);
		return status;
	}
	return AIBinder_transact(binder, (transaction_code_t)code, &in, ret_out,
				 (binder_flags_t)flags);
}

JNI(jint, transact)
(JNIEnv *env, jclass self, jlong binder, jint code, jlong data, jint flags,
 jlongArray ret_out)
{
	AParcel *out = NULL;
	binder_status_t status =
		call(to_pointer(binder), code, to_pointer(data), flags, &out);
	jlong value = to_jlong(out);

	(void)self;
	(*env)->SetLongArrayRegion(env, ret_out, 0, 1, &value);
	return status;
}

/* ---- death ------------------------------------------------------------------
 */

/* One recipient per link; its cookie is a global reference to a Runnable. */
static void on_died(void *cookie)
{
	JNIEnv *env = binder_jni_env();
	jclass type;
	jmethodID run;

	if (!env)
		return;
	type = (*env)->GetObjectClass(env, cookie);
	run = (*env)->GetMethodID(env, type, "run", "()V");
	if (run)
		(*env)->CallVoidMethod(env, cookie, run);
	(void)say_exception(env);
	(*env)->DeleteLocalRef(env, type);
}

static void on_unlinked(void *cookie)
{
	JNIEnv *env = binder_jni_env();

	if (env)
		(*env)->DeleteGlobalRef(env, cookie);
}

JNI(jint, link)
(JNIEnv *env, jclass self, jlong binder, jobject died, jlongArray ret_link)
{
	AIBinder_DeathRecipient *recipient =
		AIBinder_DeathRecipient_new(on_died);
	jobject cookie = (*env)->NewGlobalRef(env, died);
	jlong value = to_jlong(recipient);
	binder_status_t status = STATUS_NO_MEMORY;

	(void)self;
	if (recipient && cookie) {
		AIBinder_DeathRecipient_setOnUnlinked(recipient, on_unlinked);
		status = AIBinder_linkToDeath(to_pointer(binder), recipient,
					      cookie);
	}
	if (status == STATUS_OK) {
		(*env)->SetLongArrayRegion(env, ret_link, 0, 1, &value);
		return status;
	}
	AIBinder_DeathRecipient_delete(recipient);
	if (cookie)
		(*env)->DeleteGlobalRef(env, cookie);
	return status;
}

/* Ends the link, and with it the reference. */
JNI(void, unlink)(JNIEnv *env, jclass self, jlong link)
{
	(void)env;
	(void)self;
	AIBinder_DeathRecipient_delete(to_pointer(link));
}
