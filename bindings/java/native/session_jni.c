/* Sessions and servers for Java. */
#include <stdlib.h>

#include <android/binder_rpc_unstable.h>

#include "binder_jni.h"

JNI(jlong, sessionNew)(JNIEnv *env, jclass self)
{
	(void)env;
	(void)self;
	return to_jlong(ARpcSession_new());
}

JNI(void, sessionFree)(JNIEnv *env, jclass self, jlong session)
{
	(void)env;
	(void)self;
	ARpcSession_free(to_pointer(session));
}

JNI(void, sessionSetUp)
(JNIEnv *env, jclass self, jlong session, jint incoming, jboolean fds)
{
	(void)env;
	(void)self;
	ARpcSession_setMaxIncomingThreads(to_pointer(session),
					  (size_t)incoming);
	ARpcSession_setFileDescriptorTransportMode(
		to_pointer(session),
		fds ? ARpcSession_FileDescriptorTransportMode_Unix
		    : ARpcSession_FileDescriptorTransportMode_None);
}

JNI(void, sessionConnectTimeout)
(JNIEnv *env, jclass self, jlong session, jint ms)
{
	(void)env;
	(void)self;
	AvfRpcSession_setConnectTimeout(to_pointer(session), (uint32_t)ms);
}

JNI(jlong, sessionConnectUnix)
(JNIEnv *env, jclass self, jlong session, jstring path)
{
	const char *text = (*env)->GetStringUTFChars(env, path, NULL);
	AIBinder *root = NULL;

	(void)self;
	if (!text)
		return 0;
	root = ARpcSession_setupUnixDomainClient(to_pointer(session), text);
	(*env)->ReleaseStringUTFChars(env, path, text);
	return to_jlong(root);
}

/* Valid during the call that connects, on its thread. */
struct connector {
	JNIEnv *env;
	jobject supplier; /* java.util.function.IntSupplier */
	jmethodID get;
};

static int request_fd(void *param)
{
	struct connector *c = param;
	jint fd;

	/* what the last one threw is thrown when the C function returns */
	if ((*c->env)->ExceptionCheck(c->env))
		return -1;
	fd = (*c->env)->CallIntMethod(c->env, c->supplier, c->get);
	return (*c->env)->ExceptionCheck(c->env) ? -1 : fd;
}

JNI(jlong, sessionConnect)
(JNIEnv *env, jclass self, jlong session, jobject supplier)
{
	jclass type = (*env)->GetObjectClass(env, supplier);
	struct connector c = {
		.env = env,
		.supplier = supplier,
		.get = (*env)->GetMethodID(env, type, "getAsInt", "()I"),
	};

	(void)self;
	if (!c.get)
		return 0;
	return to_jlong(ARpcSession_setupPreconnectedClient(to_pointer(session),
							    request_fd, &c));
}

JNI(jint, sessionError)(JNIEnv *env, jclass self, jlong session)
{
	(void)env;
	(void)self;
	return AvfRpcSession_getError(to_pointer(session));
}

JNI(jlong, sessionObjects)(JNIEnv *env, jclass self, jlong session)
{
	(void)env;
	(void)self;
	return (jlong)AvfRpcSession_countObjects(to_pointer(session));
}

JNI(void, sessionShutdown)(JNIEnv *env, jclass self, jlong session)
{
	(void)env;
	(void)self;
	AvfRpcSession_shutdown(to_pointer(session), true);
}

/* ---- servers ----------------------------------------------------------------
 */

JNI(jlong, serverUnix)(JNIEnv *env, jclass self, jlong root, jstring path)
{
	const char *text = (*env)->GetStringUTFChars(env, path, NULL);
	ARpcServer *server = NULL;

	(void)self;
	if (!text)
		return 0;
	server = AvfRpcServer_newUnixDomain(to_pointer(root), text);
	(*env)->ReleaseStringUTFChars(env, path, text);
	return to_jlong(server);
}

JNI(void, serverSetUp)
(JNIEnv *env, jclass self, jlong server, jint threads, jboolean fds)
{
	static const ARpcSession_FileDescriptorTransportMode modes[] = {
		ARpcSession_FileDescriptorTransportMode_None,
		ARpcSession_FileDescriptorTransportMode_Unix,
	};

	(void)env;
	(void)self;
	AvfRpcServer_setMaxThreads(to_pointer(server), (size_t)threads);
	ARpcServer_setSupportedFileDescriptorTransportModes(to_pointer(server),
							    modes, fds ? 2 : 1);
}

JNI(void, serverStart)(JNIEnv *env, jclass self, jlong server)
{
	(void)env;
	(void)self;
	ARpcServer_start(to_pointer(server));
}

JNI(void, serverFree)(JNIEnv *env, jclass self, jlong server)
{
	(void)env;
	(void)self;
	ARpcServer_free(to_pointer(server));
}
