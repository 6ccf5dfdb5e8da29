/* A service in a VM, and a client of it. */
#include "peer.h"

#include <avf/avf.h>

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

/* An emulated CPU may run the guest, on a busy computer. */
static constexpr int PATIENCE_MS = 90000;
static constexpr uint32_t PORT = 5678; /* as in payload.cpp */

namespace
{

class VmPeer : public Peer
{
      public:
	~VmPeer() override
	{
		proxy_ = nullptr;
		avf_vm_free(vm_);
		avf_config_free(config_);
	}

	bool start(const std::string &package)
	{
		return configure(package) >= 0 &&
		       avf_vm_new(config_, &vm_) >= 0 && avf_vm_run(vm_) >= 0 &&
		       wait(AVF_EVENT_PAYLOAD_READY) && connect();
	}
	ITest &test() override
	{
		return *proxy_;
	}
	/* the payload does not end by itself */
	bool end() override
	{
		return avf_vm_stop(vm_) >= 0 && wait(AVF_EVENT_STOPPED) &&
		       AIBinder_ping(proxy_->asBinder().get()) ==
			       STATUS_DEAD_OBJECT;
	}
	bool takes_files() const override
	{
		return false;
	}

      private:
	int configure(const std::string &package)
	{
		const bool emulated = std::getenv("AVF_TEST_EMULATED");
		int rc = avf_config_new(AVF_CONFIG_PAYLOAD, &config_);

		if (rc >= 0)
			rc = avf_config_set_package(config_, package.c_str());
		if (rc >= 0)
			rc = avf_config_set_payload_name(config_, "libaidl.so");
		if (rc >= 0)
			rc = avf_config_set_acceleration(
				config_, emulated ? AVF_ACCELERATION_EMULATION
						  : AVF_ACCELERATION_KVM);
		return rc;
	}

	bool wait(int type)
	{
		struct avf_event event = AVF_EVENT_INIT;

		while (avf_vm_wait_event(vm_, PATIENCE_MS, &event) > 0) {
			if (event.type == type)
				return true;
			std::fprintf(stderr, "%s %d %s\n",
				     avf_event_type_name(event.type),
				     event.code, event.text);
		}
		return false;
	}

	static int dial(void *peer)
	{
		int fd = -1;

		return avf_vm_connect(static_cast<VmPeer *>(peer)->vm_, PORT,
				      PATIENCE_MS, &fd) < 0
			       ? -1
			       : fd;
	}

	/* As avf_vm_connect_rpc(), but with a thread that the payload can call
	 * when it likes. */
	bool connect()
	{
		ARpcSession *session = ARpcSession_new();
		ndk::SpAIBinder root;

		ARpcSession_setMaxIncomingThreads(session, 1);
		root.set(ARpcSession_setupPreconnectedClient(session, dial,
							     this));
		ARpcSession_free(session);
		if (root.get())
			proxy_ = ITest::fromBinder(root);
		return proxy_ != nullptr;
	}

	avf_config *config_ = nullptr;
	avf_vm *vm_ = nullptr;
	std::shared_ptr<ITest> proxy_;
};

}

static void skip(const std::string &reason)
{
	std::printf("SKIP: %s\n", reason.c_str());
	std::exit(77);
}

std::unique_ptr<Peer> Peer::make_vm(const std::string &package)
{
	auto made = std::make_unique<VmPeer>();

	if (!std::getenv("AVF_GUEST_IMAGE"))
		skip("AVF_GUEST_IMAGE names no guest image");
	if (access(package.c_str(), R_OK) < 0)
		skip("no payload packages: mkfs.erofs was missing");
	if (made->start(package))
		return made;
	std::fprintf(stderr, "no VM that serves: %s\n", avf_last_error()->text);
	return nullptr;
}
