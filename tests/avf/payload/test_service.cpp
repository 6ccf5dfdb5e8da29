/* The payload of AVF's tests: its ITestService, over RPC binder. */
#include <aidl/com/android/microdroid/testservice/BnTestService.h>
#include <aidl/com/android/microdroid/testservice/BnVmCallback.h>

#include <avf/rpc.h>
#include <avf/vm_payload.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

#include "echo_reverse.h"
#include "sub.h"

using aidl::com::android::microdroid::testservice::BnTestService;
using aidl::com::android::microdroid::testservice::BnVmCallback;
using aidl::com::android::microdroid::testservice::IAppCallback;
using ndk::ScopedAStatus;

static constexpr size_t SECRET_SIZE = 32;

/* Not in every libvm_payload.so. */
extern "C" {
__attribute__((weak)) void AVmPayload_getVmInstanceSecret(const void *id,
							  size_t id_size,
							  void *secret,
							  size_t size);
__attribute__((weak)) size_t AVmPayload_getDiceAttestationChain(void *data,
								size_t size);
__attribute__((weak)) size_t AVmPayload_getDiceAttestationCdi(void *data,
							      size_t size);
}

static ScopedAStatus error(const std::string &text)
{
	return ScopedAStatus::fromServiceSpecificErrorWithMessage(
		errno, (text + ": " + std::strerror(errno)).c_str());
}

static ScopedAStatus unsupported(const char *what)
{
	return ScopedAStatus::fromExceptionCodeWithMessage(
		EX_UNSUPPORTED_OPERATION,
		(std::string("libvm_payload.so has no ") + what).c_str());
}

/* Bytes of which a function says how many there are. */
static void take_bytes(size_t (*function)(void *, size_t),
		       std::vector<int8_t> *bytes)
{
	bytes->resize(function(nullptr, 0));
	function(bytes->data(), bytes->size());
}

static ScopedAStatus read_all(const std::string &path, std::string *text)
{
	FILE *file = std::fopen(path.c_str(), "re");
	char block[4096];
	size_t n;

	if (!file)
		return error(path);
	while ((n = std::fread(block, 1, sizeof(block), file)) > 0)
		text->append(block, n);
	if (std::ferror(file)) {
		ScopedAStatus status = error(path);

		(void)std::fclose(file);
		return status;
	}
	(void)std::fclose(file);
	return ScopedAStatus::ok();
}

namespace
{

class VmCallback : public BnVmCallback
{
      public:
	explicit VmCallback(std::shared_ptr<IAppCallback> app)
	    : app_(std::move(app))
	{
	}
	ScopedAStatus echoMessage(const std::string &message) override
	{
		return app_->onEchoRequestReceived("Received: " + message);
	}

      private:
	std::shared_ptr<IAppCallback> app_;
};

class TestService : public BnTestService
{
      public:
	ScopedAStatus addInteger(int32_t a, int32_t b, int32_t *r) override
	{
		*r = a + b;
		return ScopedAStatus::ok();
	}

	ScopedAStatus readProperty(const std::string &name,
				   std::string *r) override
	{
		if (name == "debug.microdroid.app.run")
			*r = "true";
		else if (name == "debug.microdroid.app.sublib.run")
			*r = sub_library_was_run();
		return ScopedAStatus::ok();
	}

	ScopedAStatus insecurelyExposeVmInstanceSecret(
		std::vector<int8_t> *r) override
	{
		static const char id[] = "1234";

		if (!AVmPayload_getVmInstanceSecret)
			return unsupported("VM instance secret");
		r->resize(SECRET_SIZE);
		AVmPayload_getVmInstanceSecret(id, sizeof(id), r->data(),
					       r->size());
		return ScopedAStatus::ok();
	}

	ScopedAStatus insecurelyExposeAttestationCdi(
		std::vector<int8_t> *r) override
	{
		if (!AVmPayload_getDiceAttestationCdi)
			return unsupported("attestation CDI");
		take_bytes(AVmPayload_getDiceAttestationCdi, r);
		return ScopedAStatus::ok();
	}

	ScopedAStatus getBcc(std::vector<int8_t> *r) override
	{
		if (!AVmPayload_getDiceAttestationChain)
			return unsupported("DICE chain");
		take_bytes(AVmPayload_getDiceAttestationChain, r);
		return ScopedAStatus::ok();
	}

	ScopedAStatus getApkContentsPath(std::string *r) override
	{
		*r = AVmPayload_getApkContentsPath();
		return ScopedAStatus::ok();
	}

	ScopedAStatus getEncryptedStoragePath(std::string *r) override
	{
		const char *path = AVmPayload_getEncryptedStoragePath();

		*r = path ? path : "";
		return ScopedAStatus::ok();
	}

	ScopedAStatus runEchoReverseServer() override
	{
		return echo_reverse_start() < 0 ? error("cannot listen")
						: ScopedAStatus::ok();
	}

	ScopedAStatus getEffectiveCapabilities(
		std::vector<std::string> *r) override;

	ScopedAStatus getUid(int32_t *r) override
	{
		*r = static_cast<int32_t>(geteuid());
		return ScopedAStatus::ok();
	}

	ScopedAStatus writeToFile(const std::string &content,
				  const std::string &path) override;

	ScopedAStatus readFromFile(const std::string &path,
				   std::string *r) override
	{
		return read_all(path, r);
	}

	ScopedAStatus getFilePermissions(const std::string &path,
					 int32_t *r) override
	{
		struct stat st;

		if (stat(path.c_str(), &st) < 0)
			return error(path);
		*r = static_cast<int32_t>(st.st_mode);
		return ScopedAStatus::ok();
	}

	ScopedAStatus getMountFlags(const std::string &path,
				    int32_t *r) override
	{
		struct statvfs fs;

		if (statvfs(path.c_str(), &fs) < 0)
			return error(path);
		*r = static_cast<int32_t>(fs.f_flag);
		return ScopedAStatus::ok();
	}

	ScopedAStatus requestCallback(
		const std::shared_ptr<IAppCallback> &app) override
	{
		return app->setVmCallback(
			ndk::SharedRefBase::make<VmCallback>(app));
	}

	ScopedAStatus readLineFromConsole(std::string *r) override;

	ScopedAStatus quit() override
	{
		std::exit(0);
	}
};

}

/* By their numbers, from the mask that the kernel tells. */
ScopedAStatus TestService::getEffectiveCapabilities(std::vector<std::string> *r)
{
	static const char row[] = "\nCapEff:";
	std::string text;
	ScopedAStatus status = read_all("/proc/self/status", &text);
	const size_t at = text.find(row);
	unsigned long long mask;

	if (!status.isOk())
		return status;
	if (at == std::string::npos) {
		errno = ENODATA;
		return error("CapEff in /proc/self/status");
	}
	mask = std::strtoull(text.c_str() + at + sizeof(row) - 1, nullptr, 16);
	for (int i = 0; mask; i++, mask >>= 1) {
		if (mask & 1)
			r->push_back("capability " + std::to_string(i));
	}
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::writeToFile(const std::string &content,
				       const std::string &path)
{
	FILE *file = std::fopen(path.c_str(), "we");
	bool written;

	if (!file)
		return error(path);
	written = std::fwrite(content.data(), 1, content.size(), file) ==
		  content.size();
	if (std::fclose(file) != 0 || !written)
		return error(path);
	return ScopedAStatus::ok();
}

ScopedAStatus TestService::readLineFromConsole(std::string *r)
{
	FILE *console = std::fopen("/dev/console", "re");
	int c;

	if (!console)
		return error("/dev/console");
	while ((c = std::fgetc(console)) != EOF && c != '\n') {
		if (c != '\r')
			r->push_back(static_cast<char>(c));
	}
	(void)std::fclose(console);
	if (c == EOF) {
		errno = ENODATA;
		return error("the console's line");
	}
	return ScopedAStatus::ok();
}

int AVmPayload_main(void)
{
	auto service = ndk::SharedRefBase::make<TestService>();

	std::printf("Hello Microdroid\n");
	(void)std::fflush(stdout);
	AVmPayload_runVsockRpcServer(
		service->asBinder().get(), TestService::PORT,
		[](void *) { AVmPayload_notifyPayloadReady(); }, nullptr);
}
